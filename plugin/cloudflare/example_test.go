package cloudflare_test

import (
	"fmt"

	"github.com/addressmap/addressmap/plugin/cloudflare"
)

// Responses of the API, in any order, become one map document.
func ExampleImport() {
	i := cloudflare.NewImport("")
	for _, file := range []struct{ name, responses string }{
		{"records.json", `{"success": true, "result": [
			{"name": "www.example.org", "type": "A", "content": "198.51.100.1", "proxied": true},
			{"name": "mail.example.org", "type": "A", "content": "198.51.100.2", "proxied": false},
			{"name": "ftp.example.org", "type": "A", "content": "198.51.100.3", "proxied": false}],
			"result_info": {"page": 1, "per_page": 100, "count": 3, "total_count": 3, "total_pages": 1}}`},
		{"zones.json", `{"success": true, "result": [{"name": "example.org", "account": {"id": "acme"}}],
			"result_info": {"page": 1, "per_page": 20, "count": 1, "total_count": 1, "total_pages": 1}}`},
	} {
		if err := i.Add(file.name, []byte(file.responses)); err != nil {
			fmt.Println(err)
			return
		}
	}
	document, changes, err := i.Document()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", document)
	for _, c := range changes {
		fmt.Println(c.Kind, c.Name, c.Text)
	}
	// Output:
	// accounts:
	// - id: acme
	//   zones:
	//   - name: example.org
	//     proxied:
	//     - www
	// review example.org 2 records are not proxied, and are not in the map: they belong in the zone file
}

// An alias beside other records, as Cloudflare flattens it, becomes a placeholder that
// keeps where it led.
func ExampleConvertZone() {
	zone, err := cloudflare.ConvertZone("export.txt", []byte(`
example.com.      3600 IN SOA   ns.example.net. dns.example.net. 1 7200 3600 1209600 300
example.com.      3600 IN NS    ns.example.net.
www.example.com.  300  IN CNAME hidden.example.net. ; cf_tags=cf-proxied:true
www.example.com.  300  IN TXT   "beside the alias"
`), "example.com.", cloudflare.ZoneOptions{})
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
	// example.com.	3600	IN	NS	ns.example.net.
	// www.example.com.	300	IN	A	192.0.0.8 ; cf_tags=cf-proxied:true,addressmap-origin:hidden.example.net.
	// www.example.com.	300	IN	TXT	"beside the alias"
	// changed 4 www.example.com CNAME to hidden.example.net. of a proxied name stands beside TXT, which it would hide: the placeholder 192.0.0.8, and the origin in the tag addressmap-origin
}
