package fqdn_test

import (
	"fmt"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// A name is parsed once, where it comes in, and compared as a string from there on.
func Example() {
	zone, err := fqdn.Parse("Example.ORG")
	if err != nil {
		fmt.Println(err)
		return
	}
	owner, err := fqdn.ParseIn("bücher", zone)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(owner, owner.In(zone))
	fmt.Println(fqdn.Canonical("XN--Bcher-kva.example.org") == owner)

	_, err = fqdn.Parse("www..example.org")
	fmt.Println(err)
	// Output:
	// xn--bcher-kva.example.org. true
	// true
	// label is empty in "www..example.org"
}
