package mapset_test

import (
	"fmt"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Documents are compiled into a snapshot, which decides for each name.
func ExampleBuild() {
	doc, errs := mapfile.Parse("maps.yaml", []byte(`
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24]
    zones:
      - {name: example.org, proxied: all}
      - {name: example.net, proxied: [www]}
    address_maps:
      - enabled: true
        ips: [203.0.113.10]
        memberships: [{kind: zone, identifier: example.org}]
`))
	if len(errs) > 0 {
		fmt.Println(errs)
		return
	}
	snapshot, errs := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
	if len(errs) > 0 {
		fmt.Println(errs)
		return
	}
	for _, name := range []string{"shop.example.org.", "www.example.net.", "mail.example.net."} {
		d := snapshot.Lookup(fqdn.Name(name))
		fmt.Println(name, d.Proxied(), d.Step(mapset.IPv4), d.Addrs(mapset.IPv4), d.Addrs(mapset.IPv6))
	}
	// Output:
	// shop.example.org. true zone [203.0.113.10] []
	// www.example.net. true anycast [192.0.2.1] [2001:db8::1]
	// mail.example.net. false none [] []
}

// A version is judged against the one in force before it takes its place.
func ExampleProtect() {
	var versions []*mapset.Snapshot
	for _, zone := range []string{"{name: example.org, proxied: all}", "{name: example.org}"} {
		doc, errs := mapfile.Parse("maps.yaml", []byte("anycast: [192.0.2.1]\naccounts: [{id: acme, zones: ["+zone+"]}]"))
		if len(errs) > 0 {
			fmt.Println(errs)
			return
		}
		snapshot, errs := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
		if len(errs) > 0 {
			fmt.Println(errs)
			return
		}
		versions = append(versions, snapshot)
	}
	old, next := versions[0], versions[1]
	fmt.Println(mapset.Diff(old, next))
	for _, v := range mapset.Protect(old, next, 0) {
		fmt.Println(v)
	}
	// Output:
	// accounts: 1 changed; zones: 1 changed
	// P5: no name would be proxied any more, and all origins would be shown
	//   remedy: put them back; if it is meant so, write guard 100% in the Corefile for this reload
}
