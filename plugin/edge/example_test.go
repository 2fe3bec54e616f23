package edge_test

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/addressmap/addressmap/plugin/edge"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// The certificate of connections without SNI, as nginx takes it.
func ExampleSNIs() {
	doc, errs := mapfile.Parse("maps.yaml", []byte(`
accounts:
  - id: acme
    prefixes: [203.0.113.0/24]
    zones: [{name: example.org, proxied: all}]
    address_maps:
      - enabled: true
        default_sni: www.example.org
        ips: [203.0.113.10, 203.0.113.11]
        memberships: [{kind: zone, identifier: example.org}]
`))
	if len(errs) > 0 {
		fmt.Println(errs)
		return
	}
	list, warnings := edge.SNIs([]mapset.Source{{Doc: doc}})
	for _, w := range warnings {
		fmt.Println("warning:", w)
	}
	if err := edge.WriteNginxSNI(os.Stdout, list); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # The certificate name of connections without SNI.
	// map $server_addr $addressmap_sni {
	//     default "";
	//     203.0.113.10 "www.example.org";
	//     203.0.113.11 "www.example.org";
	// }
}

// The addresses to bind; those given take the place of the map's anycast.
func ExampleAddresses() {
	doc, errs := mapfile.Parse("maps.yaml", []byte(`
anycast: [192.0.2.1]
accounts:
  - id: acme
    static_ips: [203.0.113.10]
    zones: [{name: example.org, proxied: all}]
    spectrum_apps:
      - dns: {name: ssh.example.org, type: ADDRESS}
        edge_ips: {type: static, ips: [203.0.113.10]}
`))
	if len(errs) > 0 {
		fmt.Println(errs)
		return
	}
	list := edge.Addresses([]mapset.Source{{Doc: doc}}, []netip.Addr{netip.MustParseAddr("192.0.2.7")})
	if err := edge.WriteList(os.Stdout, list); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 192.0.2.7
	// 203.0.113.10
}
