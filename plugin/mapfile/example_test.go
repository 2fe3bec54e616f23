package mapfile_test

import (
	"fmt"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

func ExampleParse() {
	doc, errs := mapfile.Parse("maps.yaml", []byte(`
anycast: [192.0.2.1]
accounts:
  - id: acme
    zones:
      - name: example.org
        proxied: [www, {name: api, ipv4_only: true}]
`))
	if len(errs) > 0 {
		fmt.Println(errs)
		return
	}
	zone := doc.Accounts[0].Zones[0]
	for _, m := range zone.Marks {
		fmt.Println(zone.Name, m.Owner, m.Proxied, m.V4Only, m.Pos.Line)
	}
	// Output:
	// example.org. www.example.org. true false 7
	// example.org. api.example.org. true true 7
}

// All mistakes come at once, each with its place and its remedy.
func ExampleParse_mistakes() {
	_, errs := mapfile.Parse("maps.yaml", []byte(`
anycats: [192.0.2.1]
accounts:
  - id: acme
    static_ips: [192.0.2.256]
`))
	for _, e := range errs {
		fmt.Println(e)
	}
	// Output:
	// maps.yaml:2:1: V1: unknown key "anycats" in the document
	//     anycats: [192.0.2.1]
	//     ^
	//   remedy: did you mean "anycast"? (known here: version, anycast, sites, accounts)
	// maps.yaml:5:18: V2: "192.0.2.256" is no IP address
	//         static_ips: [192.0.2.256]
	//                      ^
	//   remedy: write an IPv4 or IPv6 address
}
