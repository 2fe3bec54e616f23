package cfzone_test

import (
	"fmt"

	"github.com/addressmap/addressmap/plugin/cfzone"
)

// An alias beside other records, as Cloudflare flattens it, becomes a placeholder that
// keeps where it led.
func ExampleConvert() {
	zone, err := cfzone.Convert("export.txt", []byte(`
example.com.      3600 IN SOA   ns.example.net. dns.example.net. 1 7200 3600 1209600 300
www.example.com.  300  IN CNAME hidden.example.net. ; cf_tags=cf-proxied:true
www.example.com.  300  IN TXT   "beside the alias"
`), "example.com.", cfzone.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", zone.Text)
	for _, c := range zone.Changes {
		fmt.Println(c.Kind, c.Line, c.Name, c.Text)
	}
	// Output:
	// ; The zone example.com., made from an export of Cloudflare's by "addressmap import zone".
	//
	// example.com.	3600	IN	SOA	ns.example.net. dns.example.net. 1 7200 3600 1209600 300
	// www.example.com.	300	IN	A	192.0.0.8 ; cf_tags=cf-proxied:true,addressmap-origin:hidden.example.net.
	// www.example.com.	300	IN	TXT	"beside the alias"
	// changed 3 www.example.com proxied CNAME to hidden.example.net. beside TXT, which it would hide: the placeholder 192.0.0.8, and the origin in the tag addressmap-origin
}
