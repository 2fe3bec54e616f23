package mapset_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// before is the map in force that the tables edit: each case replaces one text in
// it by another.
const before = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, {cidr: 198.51.100.0/24, advertised: true}]
    zones:
      - {name: example.org, proxied: [www, api, {name: off, proxied: false}]}
      - {name: example.net, proxied: all}
    address_maps:
      - {id: m1, enabled: true, ips: [203.0.113.1, 203.0.113.2], memberships: [{kind: zone, identifier: example.org}]}
      - {id: m2, enabled: true, ips: [198.51.100.1], memberships: [{kind: account, identifier: acme}]}
    spectrum_apps:
      - {dns: {name: ssh.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.9]}}
  - id: globex
    zones: [{name: example.com, proxied: [www]}]
`

// edit is a map with one text replaced by another.
func edit(t *testing.T, yaml, old, now string) string {
	t.Helper()
	if strings.Count(yaml, old) != 1 {
		t.Fatalf("%q is %d times in the map, not once", old, strings.Count(yaml, old))
	}
	return strings.Replace(yaml, old, now, 1)
}

func TestDiff(t *testing.T) {
	const nothing = "nothing that is answered changed"
	for _, c := range []struct{ name, old, now, want string }{
		{"nothing", "id: acme\n", "id: acme\n", nothing},
		{"the account's name", "id: acme\n", "id: acme\n    name: Acme\n", nothing},
		{"an order that does not count", "[203.0.113.0/24, {cidr: 198.51.100.0/24, advertised: true}]", "[198.51.100.0/24, 203.0.113.0/24]", nothing},
		{"a name more", "www, api", "www, api, new", "accounts: 1 changed; zones: 1 changed; names: 1 added"},
		{"a name less", "www, api, ", "www, ", "accounts: 1 changed; zones: 1 changed; names: 1 removed"},
		{"a name unproxied", "api, ", "{name: api, proxied: false}, ", "accounts: 1 changed; zones: 1 changed; names: 1 removed"},
		{"a name limited", "api, ", "{name: api, ipv4_only: true}, ", "accounts: 1 changed; zones: 1 changed; names: 1 changed"},
		{"an exception less", ", {name: off, proxied: false}", "", "accounts: 1 changed; zones: 1 changed"}, // a zone further up may cover the name now
		{"ipv6: false", "{name: example.org,", "{name: example.org, ipv6: false,", "accounts: 1 changed; zones: 1 changed; names: 2 changed"},
		{"all in place of a list", "[www, api, {name: off, proxied: false}]", "all", "accounts: 1 changed; zones: 1 changed"},
		{"a list in place of all", "{name: example.net, proxied: all}", "{name: example.net, proxied: [www]}", "accounts: 1 changed; zones: 1 changed"},
		{"an address more", "203.0.113.1, 203.0.113.2", "203.0.113.1, 203.0.113.2, 203.0.113.3", "accounts: 1 changed; zones: 1 changed; maps: 1 changed; names: 2 changed; addresses: 1 added"},
		{"an address for another", "203.0.113.2]", "203.0.113.3]", "accounts: 1 changed; zones: 1 changed; maps: 1 changed; names: 2 changed; addresses: 1 added, 1 removed"},
		{"other order of addresses", "203.0.113.1, 203.0.113.2", "203.0.113.2, 203.0.113.1", "accounts: 1 changed; zones: 1 changed; names: 2 changed"},
		{"map disabled", "{id: m1, enabled: true", "{id: m1, enabled: false", "accounts: 1 changed; zones: 1 changed; maps: 1 changed; names: 2 changed"},
		{"map protected", "{id: m1,", "{id: m1, can_delete: false,", "accounts: 1 changed; maps: 1 changed"},
		{"map by another id", "{id: m1,", "{id: m3,", "accounts: 1 changed; maps: 1 added, 1 removed"},
		{"member by another name", "identifier: example.org", "identifier: EXAMPLE.org.", nothing},
		{"prefix withdrawn", "advertised: true", "advertised: false", "accounts: 1 changed; zones: 1 changed; maps: 1 changed; addresses: 1 changed"},
		{"anycast", "192.0.2.1,", "192.0.2.2,", "accounts: 1 changed; zones: 1 changed; names: 1 changed; addresses: 1 added, 1 removed"},
		{"application's address", "[203.0.113.9]", "[203.0.113.1]", "accounts: 1 changed; zones: 1 changed; names: 1 changed; addresses: 1 removed"},
		{"application more", "spectrum_apps:", "spectrum_apps:\n      - {dns: {name: git.example.org, type: CNAME}, edge_ips: {type: dynamic}}", "accounts: 1 changed; zones: 1 changed; names: 1 added"},
		{"application of a marked name", "ssh.example.org", "www.example.org", "accounts: 1 changed; zones: 1 changed; names: 1 changed, 1 removed"},
		{"zone more", "zones: [{name: example.com", "zones: [{name: example.edu, proxied: [a, b]}, {name: example.com", "accounts: 1 changed; zones: 1 added; names: 2 added"},
		{"zone less", "      - {name: example.net, proxied: all}\n", "", "accounts: 1 changed; zones: 1 removed"},
		{"zone to another account", "zones: [{name: example.com", "zones: [{name: example.net, proxied: all}, {name: example.com", ""},
		{"account less", "  - id: globex\n    zones: [{name: example.com, proxied: [www]}]\n", "", "accounts: 1 removed; zones: 1 removed; names: 1 removed"},
		{"account by another id", "id: globex", "id: globe", "accounts: 1 added, 1 removed; zones: 1 changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, yaml := build(t, mapset.Options{}, before), edit(t, before, c.old, c.now)
			if c.want == "" { // It has to go from where it was.
				yaml = edit(t, yaml, "      - {name: example.net, proxied: all}\n", "")
				c.want = "accounts: 2 changed; zones: 1 changed"
			}
			next := build(t, mapset.Options{}, yaml)
			if got := mapset.Diff(old, next).String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got, want := mapset.Diff(next, old), reversed(mapset.Diff(old, next)); got != want {
				t.Errorf("the other way round: got %s, want %s", got, want)
			}
			if got := mapset.Diff(next, next).String(); got != nothing {
				t.Errorf("to itself: %s", got)
			}
		})
	}
}

func reversed(c mapset.Changes) mapset.Changes {
	for _, k := range []*mapset.Change{&c.Accounts, &c.Zones, &c.Maps, &c.Names, &c.Addresses} {
		k.Added, k.Removed = k.Removed, k.Added
	}
	return c
}

// Maps without an id are known by what they hold, not by their place.
func TestDiff_MapsWithoutID(t *testing.T) {
	const yaml = `
accounts:
  - id: acme
    prefixes: [203.0.113.0/24]
    zones: [{name: example.org, proxied: [www]}, {name: example.net, proxied: [www]}]
    address_maps:
      - {enabled: true, ips: [203.0.113.1], memberships: [{kind: zone, identifier: example.org}]}
      - {enabled: true, ips: [203.0.113.2], memberships: [{kind: zone, identifier: example.net}]}
`
	old := build(t, mapset.Options{}, yaml)
	inserted := edit(t, yaml, "address_maps:\n", "address_maps:\n      - {enabled: true, ips: [203.0.113.3], memberships: [{kind: account, identifier: acme}]}\n")
	if got, want := mapset.Diff(old, build(t, mapset.Options{}, inserted)).String(), "accounts: 1 changed; maps: 1 added; addresses: 1 added"; got != want {
		t.Errorf("inserted before: got %s, want %s", got, want)
	}
	named := edit(t, yaml, "{enabled: true, ips: [203.0.113.1]", "{id: m1, enabled: true, ips: [203.0.113.1]")
	if got, want := mapset.Diff(old, build(t, mapset.Options{}, named)).String(), "nothing that is answered changed"; got != want {
		t.Errorf("given an id: got %s, want %s", got, want)
	}
}

// What a document gave is shared with the set before, as long as it stays.
func TestSet_Shares(t *testing.T) {
	const n = 50
	set, errs := mapset.NewSet(mapset.Options{}).Update(tenants(t, n, 0), nil)
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	edited := tenants(t, n, 1)[7:8]
	next, errs := set.Update(edited, nil)
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	if got, want := mapset.Diff(set.Snapshot(), next.Snapshot()).String(), "accounts: 1 changed; zones: 1 changed; names: 1 added"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := next.Snapshot().Follow(set.Snapshot(), nil); len(got) != 1 || got[0] != "zone7.example." {
		t.Errorf("changed zones %q", got)
	}
	few := testing.AllocsPerRun(5, func() { _, _ = set.Update(edited, nil) })
	all := testing.AllocsPerRun(5, func() { _, _ = mapset.Build(tenants(t, n, 0), mapset.Options{}) })
	if few > all/5 {
		t.Errorf("one of %d documents replaced with %v allocations, all compiled with %v", n, few, all)
	}
}

// tenants is n documents of an account each.
func tenants(t testing.TB, n, version int) []mapset.Source {
	t.Helper()
	out := make([]mapset.Source, n)
	for i := range out {
		names := []string{"www", "api"}
		for v := range version {
			names = append(names, fmt.Sprintf("v%d", v))
		}
		out[i] = source(t, fmt.Sprintf("doc%d.yaml", i), fmt.Sprintf(`
accounts:
  - id: account%[1]d
    prefixes: [10.0.%[1]d.0/24]
    zones: [{name: zone%[1]d.example, proxied: [%[2]s]}]
    address_maps: [{enabled: true, ips: [10.0.%[1]d.1], memberships: [{kind: account, identifier: account%[1]d}]}]
`, i, strings.Join(names, ", ")), nil)
	}
	return out
}

func TestGroups(t *testing.T) {
	old := build(t, mapset.Options{}, before)
	next := build(t, mapset.Options{}, edit(t, edit(t, edit(t, before, "203.0.113.2]", "203.0.113.3]"), "[198.51.100.1]", "[198.51.100.2]"), "proxied: [www]}", "proxied: [mail]}"))
	var got []string
	for _, g := range mapset.Groups(old, next) {
		got = append(got, fmt.Sprintf("%s: %s: %s → %s", g.Account, strings.Join(g.Names, " "), strings.Join(g.Old, " "), strings.Join(g.New, " ")))
	}
	want := []string{
		"acme: api.example.org. www.example.org.: 203.0.113.1 203.0.113.2 → 203.0.113.1 203.0.113.3",
		"acme: all other names of example.net.: 198.51.100.1 → 198.51.100.2",
		"globex: mail.example.com.:  → 192.0.2.1 2001:db8::1",
		"globex: www.example.com.: 192.0.2.1 2001:db8::1 → ",
	}
	if slices.Sort(got[1:]); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if same := mapset.Groups(next, next); len(same) != 0 {
		t.Errorf("a map differs from itself: %v", same)
	}
}

// TestGroups_WithoutAddress: a name that is proxied and has no address is not one that is
// not proxied.
func TestGroups_WithoutAddress(t *testing.T) {
	version := func(advertised bool, proxied string) *mapset.Snapshot {
		return build(t, mapset.Options{}, fmt.Sprintf(`
accounts:
  - id: acme
    byoip_only: true
    prefixes: [{cidr: 203.0.113.0/24, advertised: %t}]
    zones: [{name: example.org, proxied: [%s]}]
    address_maps: [{id: m1, enabled: true, can_delete: false, can_modify_ips: false, ips: [203.0.113.1], memberships: [{kind: account, identifier: acme}]}]
`, advertised, proxied))
	}
	for _, c := range []struct {
		old, next *mapset.Snapshot
		want      string
	}{
		{version(true, "www"), version(false, "www"), "[203.0.113.1] true → [] true"},
		{version(false, "www"), version(true, "www"), "[] true → [203.0.113.1] true"},
		{version(false, "www"), version(false, ""), "[] true → [] false"},
		{version(false, ""), version(false, "www"), "[] false → [] true"},
		{version(true, "www"), version(true, ""), "[203.0.113.1] true → [] false"},
	} {
		var got []string
		for _, g := range mapset.Groups(c.old, c.next) {
			got = append(got, fmt.Sprintf("%v %t → %v %t", g.Old, g.OldProxied, g.New, g.NewProxied))
		}
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestDiff_ZoneFilePresence: what a zone file has at a name is not what a client is
// told of it, and moves no serial.
func TestDiff_ZoneFilePresence(t *testing.T) {
	snap := func(records string) *mapset.Snapshot {
		src := source(t, "map.yaml", `
anycast: [192.0.2.1]
accounts:
  - {id: acme, zones: [{name: example.org, zone_file: db, proxied: [www, "*"]}]}
`, map[string]string{"db": "@ 3600 IN SOA ns. host. 1 2 3 4 5\n* 1 IN A 198.51.100.1\n" + records})
		s, errs := mapset.Build([]mapset.Source{src}, mapset.Options{})
		if err := errs.Err(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	old, next := snap("www 1 IN TXT x\n"), snap("www 1 IN A 198.51.100.1\n")
	if c := mapset.Diff(old, next); c != (mapset.Changes{}) {
		t.Errorf("got %s", c)
	}
	if zones := next.Follow(old, nil); len(zones) != 0 {
		t.Errorf("changed zones %q", zones)
	}
}
