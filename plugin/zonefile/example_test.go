package zonefile_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/addressmap/addressmap/plugin/zonefile"
)

// The comments behind A, AAAA and CNAME records say which names are proxied.
func ExampleParse() {
	zone, err := zonefile.Parse("db.example.org", []byte(`
$TTL 300
@     IN SOA ns hostmaster 1 7200 3600 1209600 300
      IN NS  ns.example.net.
www   IN A   198.51.100.10 ; cf_tags=cf-proxied:true
mail  IN A   198.51.100.11 ; cf_tags=cf-proxied:false
ftp   IN A   198.51.100.12
`), "example.org.")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(zone.Owners)) {
		owner := zone.Owners[name]
		if owner.Types&zonefile.Address != 0 {
			fmt.Println(owner.Line, name, owner.Mark)
		}
	}
	// Output:
	// 7 ftp.example.org. unmarked
	// 6 mail.example.org. unproxied
	// 5 www.example.org. proxied
}

// What could be a mark and cannot be read as one is a mistake. The error does not
// quote the file: addresses of origins stand there.
func ExampleParse_mistake() {
	_, err := zonefile.Parse("db.example.org", []byte(`
@    300 IN SOA ns hostmaster 1 7200 3600 1209600 300
www  300 IN A   198.51.100.10 ; cf_tags=cf-proxied:maybe
`), "example.org.")
	fmt.Println(err)
	// Output:
	// db.example.org:3:33: tag cf-proxied has a value that is neither true nor false
	//   remedy: write cf-proxied:true or cf-proxied:false
}
