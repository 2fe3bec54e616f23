package cfapi_test

import (
	"fmt"

	"github.com/addressmap/addressmap/plugin/cfapi"
)

// Responses of the API, in any order, become one map document.
func ExampleImport() {
	i := cfapi.New(cfapi.Options{})
	for _, file := range []struct{ name, responses string }{
		{"records.json", `{"success": true, "result": [
			{"name": "www.example.org", "type": "A", "content": "198.51.100.1", "proxied": true},
			{"name": "mail.example.org", "type": "A", "content": "198.51.100.2", "proxied": false},
			{"name": "ftp.example.org", "type": "A", "content": "198.51.100.3", "proxied": false}]}`},
		{"zones.json", `{"success": true, "result": [{"name": "example.org", "account": {"id": "acme"}}]}`},
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
