package mapset_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// asked is what is decided for a name: "proxied", "unproxied", or either of them
// "if *", if the backend answers for it from a wildcard.
type asked struct{ name, source, want string }

func ask(t *testing.T, snap *mapset.Snapshot, all []asked) {
	t.Helper()
	for _, a := range all {
		name := fqdn.Canonical(a.name)
		d, by := snap.Lookup(name), "Lookup"
		if a.source != "" {
			d, by = snap.LookupFrom(name, fqdn.Canonical(a.source)), "LookupFrom"
		}
		got := "unproxied"
		if d.Proxied() {
			got = "proxied"
		}
		if d.ByWildcard {
			got += " if *"
		}
		if got != a.want {
			t.Errorf("%s of %q (source %q): got %s, want %s", by, a.name, a.source, got, a.want)
		}
	}
}

const wildcards = `
anycast: [192.0.2.1]
accounts:
  - id: acme
    zones:
      - name: example.org
        proxied:
          - "*"
          - {name: mail, proxied: false}
          - {name: "*.dev", proxied: false}
          - www.dev
          - "*.a.b.dev"
      - name: shop.example.org
        proxied: [www]
      - name: example.net
        proxied: ["*.shop", {name: api.shop, proxied: false}, "@", 'a\.b', '\255', '\042.x']
`

func TestR8_Wildcards(t *testing.T) {
	ask(t, build(t, mapset.Options{}, wildcards), []asked{
		{"www.example.org", "", "proxied if *"},
		{"a.b.c.example.org", "", "proxied if *"},
		{"example.org", "", "unproxied"}, // the apex is not below itself
		{"mail.example.org", "", "unproxied"},
		{"x.mail.example.org", "", "proxied if *"},
		{"dev.example.org", "", "proxied if *"},
		{"x.dev.example.org", "", "unproxied if *"},
		{"www.dev.example.org", "", "proxied"},
		{"x.www.dev.example.org", "", "unproxied if *"},
		{"b.dev.example.org", "", "unproxied if *"},
		{"a.b.dev.example.org", "", "unproxied if *"},
		{"x.a.b.dev.example.org", "", "proxied if *"},
		{"shop.example.org", "", "unproxied"}, // a zone of its own
		{"x.shop.example.org", "", "unproxied"},
		{"www.shop.example.org", "", "proxied"},
		{"x.shop.example.net", "", "proxied if *"},
		{"api.shop.example.net", "", "unproxied"},
		{"shop.example.net", "", "unproxied"},
	})
}

// One can ask for the wildcard's own name, and for others with an asterisk.
func TestR8_AsteriskAsked(t *testing.T) {
	ask(t, build(t, mapset.Options{}, wildcards), []asked{
		{"*.example.org", "", "proxied"},
		{"*.dev.example.org", "", "unproxied"},
		{"*.b.dev.example.org", "", "unproxied if *"},
		{"*.*.example.org", "", "proxied if *"},
		{"a.*.example.org", "", "proxied if *"},
		{"*.shop.example.org", "", "unproxied"},
		{"*.shop.example.net", "", "proxied"},
		{"*.api.shop.example.net", "", "proxied if *"},
		{"*.example.net", "", "unproxied"},
	})
}

// What the backend says of the source settles it.
func TestR8_SourceTold(t *testing.T) {
	ask(t, build(t, mapset.Options{}, wildcards), []asked{
		{"www.example.org", "*.example.org", "proxied"},
		{"www.example.org", "www.example.org", "unproxied"}, // it exists by itself
		{"x.dev.example.org", "*.dev.example.org", "unproxied"},
		{"x.dev.example.org", "*.example.org", "proxied"}, // the backend has no *.dev
		{"x.dev.example.org", "x.dev.example.org", "unproxied"},
		{"www.dev.example.org", "*.dev.example.org", "proxied"}, // an exception to the wildcard
		{"mail.example.org", "*.example.org", "unproxied"},
		{"www.example.org", "*.com", "proxied if *"},
		{"www.example.org", "*.", "unproxied"},
		{"x.shop.example.org", "*.example.org", "proxied"}, // another zone's
		{"*.dev.example.org", "*.dev.example.org", "unproxied"},
		{"*.example.org", "*.example.org", "proxied"},
		{"nowhere.example", "*.example", "unproxied"},
	})
}

func TestR8_All(t *testing.T) {
	snap := build(t, mapset.Options{}, `
anycast: [192.0.2.1]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: all}, {name: shop.example.org, proxied: []}]}
`)
	ask(t, snap, []asked{
		{"example.org", "", "proxied"},
		{"a.b.c.example.org", "", "proxied"},
		{"*.example.org", "", "proxied"},
		{"a.example.org", "*.example.org", "proxied"},
		{"a.example.org", "a.example.org", "proxied"},
		{"shop.example.org", "", "unproxied"},
		{"a.shop.example.org", "", "unproxied"},
	})
	for name, want := range map[fqdn.Name]bool{"example.org.": false, "a.example.org.": false, "shop.example.org.": true, "org.": true} {
		if got := snap.Lookup(name).Named(); got != want {
			t.Errorf("%s is named by the map, if it is proxied: %t, want %t", name, got, want)
		}
	}
	for apex, want := range map[fqdn.Name]bool{"example.org.": true, "shop.example.org.": false, "a.example.org.": false} {
		if got := snap.HasProxied(apex); got != want {
			t.Errorf("%s has proxied names: %t, want %t", apex, got, want)
		}
	}
}

// An owner in the zone file is there by itself, marked or not: the wildcard's mark
// does not cover it.
func TestR8_ZoneFile(t *testing.T) {
	snapOf := func(keys string) *mapset.Snapshot {
		src := source(t, "map.yaml", `
anycast: [192.0.2.1]
accounts:
  - {id: acme, zones: [{name: example.org, zone_file: db, `+keys+`}]}
`, map[string]string{"db": `
@      3600 IN SOA ns. host. 1 2 3 4 5
*.shop 1 IN A 198.51.100.1 ; cf_tags=cf-proxied:true
on     1 IN A 198.51.100.1 ; cf_tags=cf-proxied:true
off    1 IN A 198.51.100.1 ; cf_tags=cf-proxied:false
plain  1 IN A 198.51.100.1
text   1 IN TXT x
plain.shop 1 IN A 198.51.100.1
text.shop  1 IN TXT x
off.shop   1 IN CNAME www.example.com. ; cf_tags=cf-proxied:false
sub        1 IN NS ns.sub
below.sub  1 IN A 198.51.100.1 ; cf_tags=cf-proxied:true
`})
		snap, errs := mapset.Build([]mapset.Source{src}, mapset.Options{})
		if err := errs.Err(); err != nil {
			t.Fatal(err)
		}
		return snap
	}
	ask(t, snapOf("proxied_default: false"), []asked{
		{"on.example.org", "", "proxied"},
		{"off.example.org", "", "unproxied"},
		{"plain.example.org", "", "unproxied"},
		{"nothing.example.org", "", "unproxied"},
		{"x.shop.example.org", "", "proxied if *"},
		{"x.plain.shop.example.org", "", "proxied if *"},
		{"plain.shop.example.org", "", "unproxied"},
		{"text.shop.example.org", "", "unproxied"},
		{"off.shop.example.org", "", "unproxied"},
	})
	byDefault := snapOf("proxied_default: true")
	ask(t, byDefault, []asked{
		{"on.example.org", "", "proxied"},
		{"off.example.org", "", "unproxied"},
		{"plain.example.org", "", "proxied"},
		{"nothing.example.org", "", "proxied"},
		{"plain.shop.example.org", "", "proxied"},
		{"off.shop.example.org", "", "unproxied"},
	})
	ask(t, snapOf("proxied: [plain, {name: text.shop, proxied: true}, x.shop, {name: y.shop, proxied: false}]"), []asked{
		{"plain.example.org", "", "proxied"},
		{"text.shop.example.org", "", "proxied"},
		{"x.shop.example.org", "", "proxied"},
		{"y.shop.example.org", "", "unproxied"},
		{"y.shop.example.org", "*.shop.example.org", "unproxied"},
		{"z.shop.example.org", "", "proxied if *"},
	})
}

// Names are those of the DNS, however they are spelled.
func TestLookup_Spelling(t *testing.T) {
	ask(t, build(t, mapset.Options{}, wildcards), []asked{
		{"WwW.DEV.exAMPLE.Org.", "", "proxied"},
		{"EXAMPLE.net", "", "proxied"},
		{`a\.b.example.net`, "", "proxied"},
		{`A\046B.example.net`, "", "proxied"},
		{"a.b.example.net", "", "unproxied"},
		{`\255.example.net`, "", "proxied"},
		{"\xff.example.net", "", "proxied"},
		{"y.x.example.net", "", "proxied if *"},
		{`\042.x.example.net`, "", "proxied"},
		{`x\.example.net`, "", "unproxied"},
		{"", "", "unproxied"},
		{".", "", "unproxied"},
		{"a..example.net", "", "unproxied"},
		{strings.Repeat("a.", 200) + "example.net", "", "unproxied"},
	})
}

// Many names in one zone are found by an index.
func TestLookup_ManyNames(t *testing.T) {
	var b strings.Builder
	b.WriteString("anycast: [192.0.2.1]\naccounts:\n  - id: acme\n    zones:\n      - name: example.org\n        proxied:\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "          - {name: host%d, proxied: %t}\n          - {name: '*.w%d', proxied: %t}\n", i, i%3 > 0, i, i%2 > 0)
	}
	snap := build(t, mapset.Options{}, b.String())
	var all []asked
	word := map[bool]string{true: "proxied", false: "unproxied"}
	for i := range 5000 {
		all = append(all,
			asked{fmt.Sprintf("host%d.example.org", i), "", word[i%3 > 0]},
			asked{fmt.Sprintf("a.w%d.example.org", i), "", word[i%2 > 0] + " if *"},
			asked{fmt.Sprintf("*.w%d.example.org", i), "", word[i%2 > 0]},
			asked{fmt.Sprintf("w%d.example.org", i), "", "unproxied"},
			asked{fmt.Sprintf("*.host%d.example.org", i), "", "unproxied"},
		)
	}
	ask(t, snap, all)
	if st := snap.Stats(); st.ProxiedNames != 3333+2500 {
		t.Errorf("%d proxied names, want 5833", st.ProxiedNames)
	}
}

// A decision allocates nothing.
func TestLookup_Allocations(t *testing.T) {
	small, large := build(t, mapset.Options{}, wildcards), fleet(t, 1000, 30)
	d := mapset.Decision{}
	for _, c := range []struct {
		snap *mapset.Snapshot
		name fqdn.Name
	}{
		{small, "www.dev.example.org."},
		{small, "a.b.c.d.example.org."},
		{small, "nowhere.example."},
		{small, "*.shop.example.net."},
		{large, "host29.zone000999.example."},
		{large, "other.zone000999.example."},
	} {
		if n := testing.AllocsPerRun(100, func() { d = c.snap.Lookup(c.name) }); n != 0 {
			t.Errorf("Lookup(%s) allocates %v times", c.name, n)
		}
		if n := testing.AllocsPerRun(100, func() { d = c.snap.LookupFrom(c.name, "*.example.org.") }); n != 0 {
			t.Errorf("LookupFrom(%s) allocates %v times", c.name, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = d.Octets(mapset.IPv4), d.Octets(mapset.IPv6) }); n != 0 {
		t.Errorf("Octets allocates %v times", n)
	}
}

// Octets, IPs and Addrs are the same addresses, few or many.
func TestDecision_Addresses(t *testing.T) {
	for _, n := range [][2]int{{1, 0}, {0, 1}, {2, 3}, {2, 4}, {14, 0}, {15, 0}, {15, 1}, {100, 100}} {
		var opt mapset.Options
		want := [2][]string{}
		for f, prefix := range []string{"192.0.2.", "2001:db8::"} {
			for i := range n[f] {
				a := netip.MustParseAddr(prefix + strconv.Itoa(i+1))
				opt.Anycast, want[f] = append(opt.Anycast, a), append(want[f], a.String())
			}
		}
		snap, errs := mapset.Build([]mapset.Source{source(t, "map.yaml", "accounts: [{id: acme, zones: [{name: example.org, proxied: all}]}]", nil)}, opt)
		if err := errs.Err(); err != nil {
			t.Fatal(err)
		}
		d := snap.Lookup("www.example.org.")
		for _, f := range []mapset.Family{mapset.IPv4, mapset.IPv6} {
			var ips, addrs, octets []string
			for _, ip := range d.IPs(f) {
				ips = append(ips, ip.String())
			}
			for _, a := range d.Addrs(f) {
				addrs = append(addrs, a.String())
			}
			for ip := range slices.Chunk(d.Octets(f), f.Size()) {
				octets = append(octets, net.IP(ip).String())
			}
			for what, got := range map[string][]string{"IPs": ips, "Addrs": addrs, "Octets": octets} {
				if !slices.Equal(got, want[f]) {
					t.Errorf("%d and %d addresses: %s of %s are %v, want %v", n[0], n[1], what, f, got, want[f])
				}
			}
			if d.Answers(f) != (n[f] > 0) {
				t.Errorf("%d and %d addresses: %s is answered: %t", n[0], n[1], f, d.Answers(f))
			}
		}
	}
}

// FuzzLookup compares a map with the model, for whatever is asked.
func FuzzLookup(f *testing.F) {
	for _, s := range []string{"www.dev.example.org", "*.Example.ORG.", `a\.b.example.net`, "x.\xff.example.net", "", ".", "a..b", `\`, "*.*.shop.example.net"} {
		f.Add(s, s)
	}
	src := source(f, "map.yaml", wildcards, nil)
	m := model{sources: []mapset.Source{src}}
	snap, errs := mapset.Build(m.sources, m.opt)
	if err := errs.Err(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s, from string) {
		if len(s) > 300 {
			return
		}
		name, told := fqdn.Canonical(s), fqdn.Canonical(from)
		if got, want := verdictOf(snap.Lookup(name)), m.lookup(name, ""); !got.equal(want) {
			t.Errorf("Lookup(%q): got %+v, want %+v", name, got, want)
		}
		if got, want := verdictOf(snap.LookupFrom(name, told)), m.lookup(name, told); told != "" && !got.equal(want) {
			t.Errorf("LookupFrom(%q, %q): got %+v, want %+v", name, told, got, want)
		}
	})
}
