package cloudflare_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"github.com/addressmap/addressmap/plugin/cloudflare"
)

// page returns a page of a list, in its envelope: the objects from first to last.
func page(object func(n int) string, first, last, page, pages, total int) string {
	var items []string
	for n := first; n <= last; n++ {
		items = append(items, object(n))
	}
	return fmt.Sprintf(`{"success":true,"errors":[],"messages":[],"result":[%s],"result_info":{"page":%d,"per_page":2,"count":%d,"total_count":%d,"total_pages":%d}}`,
		strings.Join(items, ","), page, len(items), total, pages)
}

// recordsOf returns the proxied record n of a zone, as the API writes it today: without
// the zone.
func recordsOf(zone string) func(int) string {
	return func(n int) string {
		return fmt.Sprintf(`{"id":"%s-%d","name":"w%d.%s","type":"A","content":"198.51.100.1","proxied":true,"ttl":1}`, zone, n, n, zone)
	}
}

func zone(name string) string {
	return fmt.Sprintf(`{"id":"id-%s","name":"%s","account":{"id":"acme"},"status":"active","type":"full"}`, name, name)
}

// zones returns the whole list of some zones.
func zones(names ...string) string {
	return page(func(n int) string { return zone(names[n]) }, 0, len(names)-1, 1, 1, len(names))
}

func zonesOf(account string) func(int) string {
	return func(n int) string {
		return fmt.Sprintf(`{"id":"%s-%d","name":"z%d.%s.example","account":{"id":"%s"}}`, account, n, n, account, account)
	}
}

func listedMap(n int) string {
	return fmt.Sprintf(`{"id":"m%d","can_delete":true,"can_modify_ips":true,"enabled":true}`, n)
}

func fullMap(n int) string {
	return fmt.Sprintf(`{"success":true,"result":{"id":"m%d","can_delete":true,"can_modify_ips":true,"enabled":false,"ips":[],"memberships":[{"kind":"account","identifier":"acme"}]}}`, n)
}

// untold returns a response with a result_info that tells less than the API's does.
func untold(object func(n int) string, first, last int, info string) string {
	whole, _, _ := strings.Cut(page(object, first, last, 1, 1, 0), `"result_info":`)
	return whole + `"result_info":{` + info + `}}`
}

// unmarked returns a record that does not say whether it is proxied.
func unmarked(n int) string {
	return fmt.Sprintf(`{"id":"n%d","name":"n%d.example.org","type":"%s","content":"x",%s"ttl":1}`, n, n,
		[]string{"A", "AAAA", "CNAME", "TXT"}[n], []string{``, `"proxied":null,`}[n%2])
}

// A list is complete, or the changes say that it is not.
func TestImport_CompleteOrLost(t *testing.T) {
	records, shop := recordsOf("example.org"), recordsOf("example.net")
	all := page(records, 1, 2, 1, 1, 2) // all records of example.org
	for _, tc := range []struct {
		name  string
		files []string
		lost  string // the changes that are lost, without the remedy; "" if all is here
	}{
		{"all pages", []string{zones("example.org"), page(records, 1, 2, 1, 2, 3), page(records, 3, 3, 2, 2, 3)}, ""},
		{"the first page of two zones", []string{zones("example.org", "example.net"), page(records, 1, 2, 1, 2, 4), page(shop, 1, 2, 1, 2, 4)},
			"example.org: 2 of 4 DNS records are here, and page 2 of 2 is missing\nexample.net: 2 of 4 DNS records are here, and page 2 of 2 is missing"},
		{"page 1 of one zone and page 2 of another", []string{zones("example.org", "example.net"), page(records, 1, 2, 1, 2, 4), page(shop, 3, 4, 2, 2, 4)},
			"example.org: 2 of 4 DNS records are here, and page 2 of 2 is missing\nexample.net: 2 of 4 DNS records are here, and page 1 of 2 is missing"},
		{"one page twice", []string{zones("example.org"), page(records, 1, 2, 1, 2, 4), page(records, 1, 2, 1, 2, 4)},
			"example.org: 2 of 4 DNS records are here, and page 2 of 2 is missing"},
		{"one page under the number of another", []string{zones("example.org"), page(records, 1, 2, 1, 2, 4), page(records, 1, 2, 2, 2, 4)},
			"example.org: 2 of 4 DNS records are here, with all pages, for the list changed while it was fetched"},
		{"more than there are", []string{zones("example.org"), page(records, 1, 2, 1, 2, 3), page(records, 3, 4, 2, 2, 3)},
			"example.org: 4 of 3 DNS records are here, with all pages, for the list changed while it was fetched"},
		{"the total changes between pages", []string{zones("example.org"), page(records, 1, 2, 1, 2, 3), page(records, 3, 4, 2, 2, 4)},
			"example.org: 2 of 3 DNS records are here, and page 2 of 2 is missing\nexample.org: 2 of 4 DNS records are here, and page 1 of 2 is missing"},
		{"many pages are missing", []string{zones("example.org"), page(records, 1, 2, 1, 9, 18)},
			"example.org: 2 of 18 DNS records are here, and pages 2, 3, 4, 5, … of 9 are missing"},
		{"a page of another size, and all of it", []string{zones("example.org"), page(records, 1, 2, 1, 2, 4), page(records, 1, 4, 1, 1, 4)}, ""},
		{"the same list twice", []string{zones("example.org"), all, zones("example.org"), all}, ""},
		{"an empty page after the last", []string{zones("example.org"), all, page(records, 1, 0, 2, 1, 2)}, ""},
		{"an empty page before the last", []string{zones("example.org"), all, page(records, 1, 0, 1, 2, 4)}, "3.json: page 1 of 2 is empty, and its list has 4"},
		{"an empty file", []string{zones("example.org"), all, ""}, "3.json: the file is empty"},
		{"a file of blanks", []string{zones("example.org"), all, " \n"}, "3.json: the file is empty"},
		{"a byte order mark alone", []string{zones("example.org"), all, "\ufeff"}, "3.json: the file is empty"},
		{"null", []string{zones("example.org"), all, "null"}, "3.json: a response without a result"},
		{"a null result", []string{zones("example.org"), all, `{"success":true,"errors":[],"messages":[],"result":null}`}, "3.json: a response without a result"},
		{"no result", []string{zones("example.org"), all, `{"success":true,"errors":[],"messages":[]}`}, "3.json: a response without a result"},
		{"a zone without records", []string{zones("example.org", "example.net"), all},
			"example.net: its DNS records were never given, and none of its names is proxied"},
		{"records of a zone refused", []string{zones("example.org"), `{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[],"result":null}`},
			"2.json: the API refused the request: [Authentication error (code 10000)]\nexample.org: its DNS records were never given, and none of its names is proxied"},
		{"zones of two accounts, the second page missing", []string{page(zonesOf("acme"), 1, 2, 1, 2, 3), page(zonesOf("bolt"), 1, 2, 1, 2, 3)},
			"zones: 4 of 3 zones are here, and page 2 of 2 is missing"},
		{"the list of an account's maps", []string{page(listedMap, 1, 2, 1, 1, 2), fullMap(1), fullMap(2)}, ""},
		{"a map of the list that was not fetched", []string{page(listedMap, 1, 2, 1, 1, 2), fullMap(2)}, "m1: address map of a list, which leaves out its ips and memberships"},
		{"a page of the list of maps", []string{page(listedMap, 1, 2, 1, 2, 3), fullMap(1), fullMap(2)}, "address maps: 2 of 3 address maps are here, and page 2 of 2 is missing"},
		{"page 2 alone, without a total", []string{zones("example.org"), untold(records, 1, 1, `"page":2,"per_page":100,"count":1`)},
			"example.org: page 2 is here, and nothing tells that page 1 of its list is"},
		{"page 3 after page 1, without a total", []string{zones("example.org"), untold(records, 1, 2, `"page":1,"per_page":2,"count":2`), untold(records, 3, 3, `"page":3,"per_page":2,"count":1`)},
			"example.org: page 3 is here, and nothing tells that page 2 of its list is"},
		{"pages 1 and 2, without a total", []string{zones("example.org"), untold(records, 1, 2, `"page":1,"per_page":2,"count":2`), untold(records, 3, 3, `"page":2,"per_page":2,"count":1`)}, ""},
		{"page 1 of 2, without a total of objects", []string{zones("example.org"), untold(records, 1, 2, `"page":1,"per_page":2,"total_pages":2`)},
			"example.org: page 2 of 2 is missing"},
		{"a full page without a total", []string{zones("example.org"), untold(records, 1, 100, `"page":1,"per_page":100,"count":100`)},
			"example.org: page 1 is full, with 100 of 100 DNS records, and nothing tells that no other follows"},
		{"a full last page without a total", []string{zones("example.org"), untold(records, 1, 2, `"page":1,"per_page":2`), untold(records, 3, 4, `"page":2,"per_page":2`)},
			"example.org: page 2 is full, with 2 of 2 DNS records, and nothing tells that no other follows"},
		{"a count of more", []string{zones("example.org"), untold(records, 1, 1, `"page":1,"per_page":100,"count":2`)},
			"2.json: the count in its result_info is 2, and its result has 1"},
		{"a count of many more, with a total", []string{zones("example.org"), untold(records, 1, 1, `"page":1,"per_page":100,"count":50,"total_count":1,"total_pages":1`)},
			"2.json: the count in its result_info is 50, and its result has 1"},
		{"a count of an empty result", []string{zones("example.org"), all, untold(records, 1, 0, `"count":2`)},
			"3.json: the count in its result_info is 2, and its result has 0"},
		{"a cursor after the page", []string{zones("example.org"), untold(records, 1, 1, `"count":1,"cursors":{"before":"","after":"abc"}`)},
			"2.json: its result_info has a cursor: more follows, and nothing tells that it is here"},
		{"a cursor", []string{zones("example.org"), untold(records, 1, 1, `"count":1,"cursor":"abc"`)},
			"2.json: its result_info has a cursor: more follows, and nothing tells that it is here"},
		{"no cursor", []string{zones("example.org"), untold(records, 1, 1, `"count":1,"cursor":"","cursors":{"after":""}`)}, ""},
		{"records without proxied", []string{zones("example.org"), page(unmarked, 0, 3, 1, 1, 4)},
			"n0.example.org: A record without proxied: nobody can tell whether it is proxied\nn1.example.org: AAAA record without proxied: nobody can tell whether it is proxied\nn2.example.org: CNAME record without proxied: nobody can tell whether it is proxied"},
		{"the same record, not the same", []string{zones("example.org"), all, page(func(n int) string { return strings.Replace(records(n), `"proxied":true`, `"proxied":false`, 1) }, 1, 2, 1, 1, 2)},
			"w1.example.org: DNS record that is here twice, and not the same\nw2.example.org: DNS record that is here twice, and not the same"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, changes := importFiles(t, tc.files...)
			var lost []string
			for _, c := range changes {
				if c.Kind == cloudflare.Lost && (tc.lost != "" || !strings.Contains(c.Text, "never given")) {
					what, _, _ := strings.Cut(c.Text, ": fetch")
					lost = append(lost, c.Name+": "+what)
				}
			}
			if got := strings.Join(lost, "\n"); got != tc.lost && !onlyZones(tc.lost, got) {
				t.Errorf("want lost\n%s\ngot\n%s", tc.lost, got)
			}
		})
	}
}

// onlyZones reports whether got is want, and zones whose records are beside the point.
func onlyZones(want, got string) bool {
	rest, ok := strings.CutPrefix(got, want)
	return ok && strings.HasPrefix(want, "zones: ") && strings.Count(rest, "never given") == strings.Count(rest, "\n")
}

// importFiles imports 1.json, 2.json, ….
func importFiles(t *testing.T, files ...string) (string, []cloudflare.Change) {
	t.Helper()
	i := cloudflare.NewImport("")
	for n, data := range files {
		if err := i.Add(fmt.Sprintf("%d.json", n+1), []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	text, changes, err := i.Document()
	if err != nil {
		t.Fatal(err)
	}
	return string(text), changes
}

// Zones that are complete for each account, and pages of all accounts together.
func TestImport_ZonesOfAccounts(t *testing.T) {
	mixed := func(n int) string { return zonesOf([]string{"acme", "acme", "acme", "bolt"}[n])(n) }
	for name, files := range map[string][]string{
		"each account":    {page(zonesOf("acme"), 1, 2, 1, 2, 3), page(zonesOf("acme"), 3, 3, 2, 2, 3), page(zonesOf("bolt"), 1, 2, 1, 2, 3), page(zonesOf("bolt"), 3, 3, 2, 2, 3)},
		"all accounts":    {page(mixed, 0, 1, 1, 2, 4), page(mixed, 2, 3, 2, 2, 4)},
		"page by account": {page(zonesOf("acme"), 1, 2, 1, 2, 3), page(zonesOf("bolt"), 1, 1, 2, 2, 3)},
	} {
		_, changes := importFiles(t, files...)
		for _, c := range changes {
			if !strings.Contains(c.Text, "never given") {
				t.Errorf("%s: want all zones here, got %+v", name, c)
			}
		}
	}
}

// What says nothing about its pages is for review: a page alone looks the same.
func TestImport_WithoutResultInfo(t *testing.T) {
	_, changes := importFiles(t, `[`+zone("example.org")+`]`, recordsOf("example.org")(1)+recordsOf("example.org")(2))
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%s %s %s", c.Kind, c.Name, c.Text))
	}
	want := "review zones nothing tells whether all zones are here (1 are), for their response has no result_info\n" +
		"review example.org nothing tells whether all DNS records are here (2 are), for their response has no result_info"
	if strings.Join(got, "\n") != want {
		t.Errorf("want\n%s\ngot\n%s", want, strings.Join(got, "\n"))
	}
}

// A page that is not full looks whole, but its result_info does not say so.
func TestImport_WithoutTotal(t *testing.T) {
	_, changes := importFiles(t, zones("example.org"), untold(recordsOf("example.org"), 1, 2, `"page":1,"per_page":100,"count":2`))
	want := "nothing tells whether all DNS records are here (2 are), for their response has no total_count"
	if len(changes) != 1 || changes[0].Kind != cloudflare.Review || changes[0].Text != want {
		t.Errorf("want review %s, got %v", want, changes)
	}
}

// Shells of Windows write a byte order mark, and UTF-16 at that.
func TestImport_ByteOrderMark(t *testing.T) {
	text := zones("example.org") + "\r\n" + page(recordsOf("example.org"), 1, 2, 1, 1, 2)
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	want, changes := importFiles(t, text)
	if len(changes) != 0 || !strings.Contains(want, "- w2") {
		t.Fatalf("want a whole document, got %v\n%s", changes, want)
	}
	for name, data := range map[string]string{"UTF-8": "\ufeff" + text, "UTF-16": wide} {
		if got, changes := importFiles(t, data); got != want || len(changes) != 0 {
			t.Errorf("%s: want\n%s\ngot %v\n%s", name, want, changes, got)
		}
	}
}

// The same object twice is one, whatever it came with.
func TestImport_SameObjectTwice(t *testing.T) {
	once, _ := importFiles(t, zones("example.org"), page(recordsOf("example.org"), 1, 2, 1, 1, 2), page(listedMap, 1, 1, 1, 1, 1), fullMap(1))
	twice, changes := importFiles(t, zones("example.org"), page(recordsOf("example.org"), 1, 2, 1, 1, 2), fullMap(1), fullMap(1),
		zones("example.org"), "["+page(recordsOf("example.org"), 1, 2, 1, 1, 2)+","+page(listedMap, 1, 1, 1, 1, 1)+"]")
	if once != twice || len(changes) != 0 {
		t.Errorf("want\n%s\ngot %v\n%s", once, changes, twice)
	}
}

// A page of the zone above is of that zone, though some of its names lie in a zone below,
// which decides for them.
func TestImport_NestedZones(t *testing.T) {
	above := page(func(n int) string { return recordsOf([]string{"example.org", "shop.example.org"}[n])(n) }, 0, 1, 1, 1, 2)
	below := page(recordsOf("shop.example.org"), 5, 5, 1, 1, 1)
	text, changes := importFiles(t, zones("example.org", "shop.example.org"), above, below)
	if len(changes) != 1 || changes[0].Name != "w1.shop.example.org" || changes[0].Kind != cloudflare.Review || strings.Contains(text, "w1") {
		t.Errorf("want one name left to the zone below, got %v\n%s", changes, text)
	}
	for _, want := range []string{"- w0\n", "- w5\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
}

// The lines that package fetch writes: what was asked for tells what a response is of.
func TestImport_Fetched(t *testing.T) {
	line := func(request, response string) string {
		return fmt.Sprintf(`{"request":"%s","time":"2026-11-30T09:00:00Z","response":%s}`+"\n", request, response)
	}
	const end = `{"fetched":"2026-11-30T09:00:01Z"}`
	records := func(n int) string { return fmt.Sprintf("/zones/id-example.org/dns_records?page=%d&per_page=2", n) }
	refused := `{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null}`
	some := line("/zones?page=1&per_page=50", zones("example.org"))
	for _, tc := range []struct{ name, file, want string }{
		{"no records", some + line(records(1), page(recordsOf("example.org"), 1, 0, 1, 0, 0)) + end, ""},
		{"page 1 begins anew", some + line(records(1), page(recordsOf("example.org"), 1, 2, 1, 2, 4)) + line(records(2), page(recordsOf("example.org"), 2, 3, 2, 2, 4)) +
			line(records(1), page(recordsOf("example.org"), 1, 2, 1, 1, 2)) + end, ""},
		{"granted later", some + line(records(1), refused) + line(records(1), page(recordsOf("example.org"), 1, 2, 1, 1, 2)) + end, ""},
		{"refused", some + line(records(1), refused) + end, "lost " + records(1) + " the API refused the request: [Authentication error (code 10000)]"},
		{"not ended", some + line(records(1), page(recordsOf("example.org"), 1, 2, 1, 1, 2)), "lost 1.json the fetch has not ended"},
		{"gone on after its end", some + end + line(records(1), page(recordsOf("example.org"), 1, 2, 1, 1, 2)), "lost 1.json the fetch has not ended"},
		{"without records", some + `{"fetched":"2026-11-30T09:00:01Z","without":["records"]}`, "review 1.json fetched without records"},
		{"a page missing", some + line(records(2), page(recordsOf("example.org"), 3, 4, 2, 2, 4)) + end, "lost example.org 2 of 4 DNS records are here, and page 1 of 2 is missing"},
		{"unproxied records alone", some + line("/zones/id-example.org/dns_records?proxied=false&page=1", page(recordsOf("example.org"), 1, 2, 1, 1, 2)) + end,
			"lost /zones/id-example.org/dns_records?proxied=false&page=1 the request has the filter proxied=false, and its list may leave objects out"},
		{"a type alone", some + line("/zones/id-example.org/dns_records?type=A", page(recordsOf("example.org"), 1, 2, 1, 1, 2)) + end,
			"lost /zones/id-example.org/dns_records?type=A the request has the filter type=A, and its list may leave objects out"},
		{"a filter that cannot be read", some + line("/zones/id-example.org/dns_records?type=A;x", page(recordsOf("example.org"), 1, 2, 1, 1, 2)) + end,
			"lost /zones/id-example.org/dns_records?type=A;x the request has the filter type=A;x, and its list may leave objects out"},
		{"zones of an account, in an order", line("/zones?account.id=acme&page=1&per_page=50&order=name&direction=asc", zones("example.org")) + line(records(1), page(recordsOf("example.org"), 1, 2, 1, 1, 2)) + end, ""},
		{"a map's account", some + line(records(1), page(recordsOf("example.org"), 1, 2, 1, 1, 2)) +
			line("/accounts/acme/addressing/address_maps", page(listedMap, 7, 7, 1, 1, 1)) +
			line("/accounts/acme/addressing/address_maps/m7", `{"success":true,"result":{"id":"m7","can_delete":true,"can_modify_ips":true,"ips":[],"memberships":[]}}`) + end, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, changes := importFiles(t, tc.file)
			var got []string
			for _, c := range changes {
				got = append(got, fmt.Sprintf("%s %s %s", c.Kind, c.Name, c.Text))
			}
			if strings.Join(got, "\n") != tc.want {
				t.Errorf("want %s, got %s\n%s", tc.want, strings.Join(got, "\n"), text)
			}
		})
	}
}

// A map without members and addresses is of the account that it was asked for at.
func TestImport_FetchedAccount(t *testing.T) {
	text, changes := importFiles(t, zones("example.org"), page(recordsOf("example.org"), 1, 1, 1, 1, 1),
		`{"request":"/accounts/bolt/addressing/address_maps/m7","time":"2026-11-30T09:00:00Z","response":{"success":true,"result":{"id":"m7","can_modify_ips":true,"ips":[],"memberships":[]}}}
		{"fetched":"2026-11-30T09:00:01Z"}`)
	if len(changes) != 0 || !strings.Contains(text, "- id: bolt\n  address_maps:\n  - id: m7\n") {
		t.Errorf("want the map with account bolt, got %v\n%s", changes, text)
	}
}

// A zone of many pages, in one file after the other.
func TestImport_ManyPages(t *testing.T) {
	i := cloudflare.NewImport("")
	if err := i.Add("zones.json", []byte(zones("example.org"))); err != nil {
		t.Fatal(err)
	}
	const pages, size = 30, 50
	for p := range pages {
		if err := i.Add("records.json", []byte(page(recordsOf("example.org"), p*size, p*size+size-1, p+1, pages, pages*size))); err != nil {
			t.Fatal(err)
		}
	}
	text, changes, err := i.Document()
	if err != nil || len(changes) != 0 || strings.Count(string(text), "\n    - ") != pages*size {
		t.Errorf("want %d names, got %d, %v, %v", pages*size, strings.Count(string(text), "\n    - "), changes, err)
	}
}
