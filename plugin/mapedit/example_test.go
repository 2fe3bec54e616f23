package mapedit_test

import (
	"fmt"

	"github.com/addressmap/addressmap/plugin/mapedit"
)

func ExamplePutZone() {
	document := `anycast: [192.0.2.1]    # everybody's
accounts:
  - id: acme
    zones: [{name: example.org, proxied: all}]   # more to come
`
	zone := mapedit.Zone{Name: "example.com.", ZoneFile: "db.example.com"}
	text, _, err := mapedit.PutZone("maps.yaml", []byte(document), "acme", zone)
	fmt.Print(string(text), err)
	// Output:
	// anycast: [192.0.2.1]    # everybody's
	// accounts:
	//   - id: acme
	//     zones: [{name: example.org, proxied: all}, {name: example.com, zone_file: db.example.com, proxied_default: false}]   # more to come
	// <nil>
}
