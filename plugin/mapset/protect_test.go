package mapset_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// protected is a map in force with protected address maps, with an id and without.
const protected = `
accounts:
  - id: acme
    byoip_only: true
    prefixes: [203.0.113.0/24]
    zones: [{name: example.org, proxied: [www]}, {name: example.net, proxied: [www]}]
    address_maps:
      - {id: floor, enabled: true, can_delete: false, can_modify_ips: false, ips: [203.0.113.1, 203.0.113.2], memberships: [{kind: account, identifier: acme}]}
      - {id: spare, enabled: false, can_delete: false, ips: [203.0.113.3], memberships: [{kind: zone, identifier: example.net}]}
      - {id: free, enabled: true, ips: [203.0.113.4], memberships: [{kind: zone, identifier: example.org}]}
  - id: globex
    prefixes: [198.51.100.0/24]
    zones: [{name: example.com, proxied: [www]}]
    address_maps:
      - {enabled: true, can_delete: false, ips: [198.51.100.1], memberships: [{kind: account, identifier: globex}]}
      - {enabled: true, can_modify_ips: false, ips: [198.51.100.2], memberships: [{kind: zone, identifier: example.com}]}
`

// reload is a change of the map, and what is said of it: rules with what they
// are about, as in "P1 acme floor disappear".
type reload struct {
	name  string
	edits []string // old and new text, in turn
	want  string
}

func reloads(t *testing.T, yaml string, guard int, all []reload) {
	t.Helper()
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			next := yaml
			for i := 0; i < len(c.edits); i += 2 {
				next = edit(t, next, c.edits[i], c.edits[i+1])
			}
			opt := mapset.Options{}
			var got []string
			for _, v := range mapset.Protect(build(t, opt, yaml), build(t, opt, next), guard) {
				got = append(got, brief(v))
				if v.Remedy == "" || !strings.HasPrefix(v.Error(), v.Rule+": "+v.Text+"\n  remedy: ") {
					t.Errorf("no remedy in %q", v.Error())
				}
			}
			if got := strings.Join(got, ", "); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func brief(v mapset.Violation) string {
	for _, would := range []string{"disappear", "be disabled", "other ips", "lose byoip_only", "zones", "proxied names", "map addresses"} {
		if strings.Contains(v.Text, would) {
			return strings.Join(strings.Fields(fmt.Sprint(v.Rule, " ", v.Account, " ", v.Map, " ", would)), " ")
		}
	}
	return v.Text
}

const (
	floorMap = "      - {id: floor, enabled: true, can_delete: false, can_modify_ips: false, ips: [203.0.113.1, 203.0.113.2], memberships: [{kind: account, identifier: acme}]}\n"
	spareMap = "      - {id: spare, enabled: false, can_delete: false, ips: [203.0.113.3], memberships: [{kind: zone, identifier: example.net}]}\n"
	freeMap  = "      - {id: free, enabled: true, ips: [203.0.113.4], memberships: [{kind: zone, identifier: example.org}]}\n"
	// A second map with the account as a member, for when the first is to go.
	otherMap = "      - {id: other, enabled: true, can_delete: false, can_modify_ips: false, ips: [203.0.113.9], memberships: [{kind: account, identifier: acme}]}\n"
)

var globex = protected[strings.Index(protected, "  - id: globex"):]

func TestP1_Disappears(t *testing.T) {
	reloads(t, protected, 0, []reload{
		{"nothing", nil, ""},
		{"unprotected map deleted", []string{freeMap, ""}, ""},
		{"map deleted", []string{floorMap, otherMap}, "P1 acme floor disappear"},
		{"disabled map deleted", []string{spareMap, ""}, "P1 acme spare disappear"},
		{"map under another id", []string{"id: floor", "id: ground"}, "P1 acme floor disappear"},
		{"map without its id", []string{"id: spare, ", ""}, "P1 acme spare disappear"},
		{"account deleted", []string{globex, ""}, "P1 globex globex/0 disappear"},
		{"account under another id", []string{"id: globex\n", "id: globe\n", "kind: account, identifier: globex", "kind: account, identifier: globe"}, "P1 globex globex/0 disappear"},
		{"map in another account", []string{spareMap, "", globex, globex + strings.NewReplacer("203.0.113.3", "198.51.100.3", "example.net", "example.com").Replace(spareMap)}, "P1 acme spare disappear"},
		{"flag set to true", []string{"{id: spare, enabled: false, can_delete: false", "{id: spare, enabled: false, can_delete: true"}, ""},
		{"flag left out", []string{"{id: spare, enabled: false, can_delete: false", "{id: spare, enabled: false"}, ""},
		{"members changed", []string{"memberships: [{kind: zone, identifier: example.net}]", "memberships: []"}, ""},
		{"all withdrawn", []string{"prefixes: [203.0.113.0/24]", "prefixes: [{cidr: 203.0.113.0/24, advertised: false}]"}, ""},
	})
}

func TestP1_Disabled(t *testing.T) {
	reloads(t, protected, 0, []reload{
		{"disabled", []string{"{id: floor, enabled: true", "{id: floor, enabled: false", spareMap, spareMap + otherMap}, "P1 acme floor be disabled"},
		{"enabled left out", []string{"{id: floor, enabled: true, ", "{id: floor, ", spareMap, spareMap + otherMap}, "P1 acme floor be disabled"},
		{"disabled with the flag in one step", []string{"{id: floor, enabled: true, can_delete: false", "{id: floor, enabled: false, can_delete: true", spareMap, spareMap + otherMap}, "P1 acme floor be disabled"},
		{"unprotected map disabled", []string{"{id: free, enabled: true", "{id: free, enabled: false"}, ""},
		{"disabled one enabled", []string{"{id: spare, enabled: false", "{id: spare, enabled: true"}, ""},
		{"without id, disabled", []string{"{enabled: true, can_delete: false, ips: [198.51.100.1]", "{enabled: false, can_delete: false, ips: [198.51.100.1]"}, "P1 globex globex/0 be disabled"},
		{"can_delete is what counts", []string{"{enabled: true, can_modify_ips: false", "{enabled: false, can_modify_ips: false"}, ""},
	})
}

// On purpose it takes two reloads.
func TestP1_TwoSteps(t *testing.T) {
	unlocked := edit(t, protected, "{id: spare, enabled: false, can_delete: false", "{id: spare, enabled: false, can_delete: true")
	opt := mapset.Options{}
	first, second := build(t, opt, unlocked), build(t, opt, edit(t, protected, spareMap, ""))
	if v := mapset.Protect(build(t, opt, protected), first, 0); len(v) != 0 {
		t.Errorf("the first step: %v", v)
	}
	if v := mapset.Protect(first, second, 0); len(v) != 0 {
		t.Errorf("the second step: %v", v)
	}
	v := mapset.Protect(build(t, opt, protected), second, 0)
	const want = `P1: address map "spare" of account "acme" has can_delete: false and would disappear
  remedy: first load a version in which it has can_delete: true and nothing else changes, then the one without it`
	if len(v) != 1 || v[0].Error() != want {
		t.Errorf("both at once: got %v, want %s", v, want)
	}
}

// The account-wide map of a byoip_only account must be protected (V11): for a step,
// another one takes its place.
func TestP2_TwoStepsOfABYOIPOnlyAccount(t *testing.T) {
	const member = "[{kind: account, identifier: acme}]}\n      - {id: spare"
	unlocked := edit(t, protected, "can_delete: false, can_modify_ips: false, ips: [203.0.113.1, 203.0.113.2]", "ips: [203.0.113.1, 203.0.113.2]")
	unlocked = edit(t, unlocked, member, "[]}\n      - {id: spare")
	unlocked = edit(t, unlocked, spareMap, spareMap+otherMap)
	opt := mapset.Options{}
	begin, first := build(t, opt, protected), build(t, opt, unlocked)
	second := build(t, opt, edit(t, unlocked, "ips: [203.0.113.1, 203.0.113.2]", "ips: [203.0.113.5]"))
	if v := mapset.Protect(begin, first, 0); len(v) != 0 {
		t.Errorf("the first step: %v", v)
	}
	if v := mapset.Protect(first, second, 0); len(v) != 0 {
		t.Errorf("the second step: %v", v)
	}
	v := mapset.Protect(begin, build(t, opt, edit(t, protected, "[203.0.113.1, 203.0.113.2]", "[203.0.113.5]")), 0)
	const want = `P2: address map "floor" of account "acme" has can_modify_ips: false and would have other ips
  remedy: first load a version in which it has can_modify_ips: true and another map, protected like it, has the account as its member in its place, then the one with the new ips`
	if len(v) != 1 || v[0].Error() != want {
		t.Errorf("both at once: got %v, want %s", v, want)
	}
}

func TestP2_OtherIPs(t *testing.T) {
	const list = "[203.0.113.1, 203.0.113.2]"
	reloads(t, protected, 0, []reload{
		{"one more", []string{list, "[203.0.113.1, 203.0.113.2, 203.0.113.5]"}, "P2 acme floor other ips"},
		{"one less", []string{list, "[203.0.113.1]"}, "P2 acme floor other ips"},
		{"one other", []string{list, "[203.0.113.1, 203.0.113.5]"}, "P2 acme floor other ips"},
		{"other order", []string{list, "[203.0.113.2, 203.0.113.1]"}, ""},
		{"as objects", []string{list, "[{ip: 203.0.113.1}, {ip: 203.0.113.2}]"}, ""},
		{"with the flag in one step", []string{"can_modify_ips: false, ips: " + list, "can_modify_ips: true, ips: [203.0.113.1]", spareMap, spareMap + otherMap, "[{kind: account, identifier: acme}]}\n      - {id: spare", "[]}\n      - {id: spare"}, "P2 acme floor other ips"},
		{"unprotected", []string{"[203.0.113.4]", "[203.0.113.5]"}, ""},
		{"protected from deletion alone", []string{"[203.0.113.3]", "[203.0.113.5]"}, ""},
		{"without id", []string{"[198.51.100.2]", "[198.51.100.3]"}, "P2 globex globex/1 other ips"},
		{"deleted", []string{"      - {enabled: true, can_modify_ips: false, ips: [198.51.100.2], memberships: [{kind: zone, identifier: example.com}]}\n", ""}, ""},
		{"both rules", []string{"{id: floor, enabled: true", "{id: floor, enabled: false", list, "[203.0.113.5]", spareMap, spareMap + otherMap}, "P1 acme floor be disabled, P2 acme floor other ips"},
	})
}

// The place in the list makes the id of a map that has none, and says nothing of
// what the map is.
func TestP2_MapsWithoutID(t *testing.T) {
	const (
		first  = "      - {enabled: true, can_delete: false, ips: [198.51.100.1], memberships: [{kind: account, identifier: globex}]}\n"
		second = "      - {enabled: true, can_modify_ips: false, ips: [198.51.100.2], memberships: [{kind: zone, identifier: example.com}]}\n"
		third  = "      - {ips: [198.51.100.3], memberships: []}\n"
		twin   = "      - {ips: [198.51.100.1], memberships: []}\n"
	)
	reloads(t, protected, 0, []reload{
		{"one inserted before", []string{first, third + first}, ""},
		{"a twin of addresses inserted before", []string{first, twin + first}, ""},
		{"the other way round", []string{first + second, second + first}, ""},
		{"given ids", []string{"{enabled: true, can_delete: false, ips: [198.51.100.1]", "{id: m1, enabled: true, can_delete: false, ips: [198.51.100.1]"}, ""},
		{"inserted before, and the ips changed", []string{first + second, third + first + strings.Replace(second, "198.51.100.2", "198.51.100.9", 1)}, "P2 globex globex/1 other ips"},
		{"inserted before, and one deleted", []string{first, third}, "P1 globex globex/0 disappear"},
		{"deleted, and a twin of addresses left", []string{first, twin}, "P1 globex globex/0 be disabled"},
		{"other ips, which it may have", []string{"[198.51.100.1]", "[198.51.100.9]"}, ""},
		{"other members", []string{"[{kind: account, identifier: globex}]", "[]"}, ""},
		{"all of it another", []string{first, third}, "P1 globex globex/0 disappear"},
	})
	// The survivor of two alike is the one that it is: a protected one does not
	// live on in it.
	twins := edit(t, protected, first, twin+first)
	reloads(t, twins, 0, []reload{
		{"of twins, the protected one deleted", []string{first, ""}, "P1 globex globex/1 disappear"},
		{"of twins, the other one deleted", []string{twin, ""}, ""},
		{"of twins, one left that is neither", []string{twin + first, strings.Replace(first, "[{kind: account, identifier: globex}]", "[{kind: zone, identifier: example.com}]", 1), second, ""}, "P1 globex globex/1 disappear"},
	})
}

func TestP3_LosesBYOIPOnly(t *testing.T) {
	reloads(t, protected, 0, []reload{
		{"set to false", []string{"byoip_only: true", "byoip_only: false"}, "P3 acme lose byoip_only"},
		{"left out", []string{"    byoip_only: true\n", ""}, "P3 acme lose byoip_only"},
		{"with its map", []string{"byoip_only: true", "byoip_only: false", floorMap, "", spareMap, strings.Replace(spareMap, "enabled: false", "enabled: true", 1)}, "P3 acme lose byoip_only, P1 acme floor disappear"},
		{"the account as a whole", []string{protected[strings.Index(protected, "  - id: acme"):strings.Index(protected, "  - id: globex")], ""}, "P1 acme floor disappear, P1 acme spare disappear"},
	})
}

func TestP4_Guard(t *testing.T) {
	var b strings.Builder
	b.WriteString("accounts:\n  - id: acme\n    prefixes: [203.0.113.0/24]\n    zones:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "      - {name: zone%d.example, proxied: [a%d, b%d, c%d]}\n", i, i, i, i)
	}
	b.WriteString("    address_maps:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "      - {id: m%d, enabled: true, ips: [203.0.113.%d, 203.0.113.1%d], memberships: [{kind: zone, identifier: zone%d.example}]}\n", i, i, i, i)
	}
	b.WriteString("    spectrum_apps: [{dns: {name: ssh.zone0.example, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.0]}}]\n")
	b.WriteString("  - id: globex\n    prefixes: [198.51.100.0/24]\n    zones: [{name: all.example, proxied: all}]\n")
	b.WriteString("    address_maps: [{id: all, enabled: true, ips: [198.51.100.1], memberships: [{kind: account, identifier: globex}]}]\n")
	fleet := b.String() // 11 zones, 31 names, 21 map addresses
	zone := func(i int) []string {
		return []string{fmt.Sprintf("      - {name: zone%d.example, proxied: [a%d, b%d, c%d]}\n", i, i, i, i), "",
			fmt.Sprintf("{kind: zone, identifier: zone%d.example}", i), ""}
	}
	several := func(edits ...[]string) (all []string) {
		for _, e := range edits {
			all = append(all, e...)
		}
		return all
	}
	reloads(t, fleet, 10, []reload{
		{"nothing", nil, ""},
		{"one zone of eleven", zone(1), ""},
		{"two", several(zone(1), zone(2)), "P4 zones, P4 proxied names"},
		{"3 names of 31", []string{"[a1, b1, c1]", "[a1]", "[a2, b2, c2]", "[a2, b2]"}, ""},
		{"4 names of 31", []string{"[a1, b1, c1]", "[]", "[a2, b2, c2]", "[a2, b2]"}, "P4 proxied names"},
		{"unproxied counts", []string{"[a1, b1, c1]", "[{name: a1, proxied: false}, b1, x]", "[a2, b2, c2]", "[z]"}, "P4 proxied names"},
		{"limits do not", []string{"[a1, b1, c1]", "[{name: a1, ipv4_only: true}, b1, c1]", "[a2, b2, c2]", "all"}, ""},
		{"a wildcard does not hold what exists", []string{"[a1, b1, c1]", `["*"]`, "[a2, b2, c2]", "[a2, b2]"}, "P4 proxied names"},
		{"an application is a name", []string{"    spectrum_apps: [{dns: {name: ssh.zone0.example, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.0]}}]\n", "", "[a1, b1, c1]", "[]"}, "P4 proxied names"},
		{"replaced by as many", []string{"[a1, b1, c1]", "[x1, y1, z1]", "[a2, b2, c2]", "[x2, y2, z2]"}, "P4 proxied names"},
		{"added", []string{"[a1, b1, c1]", "[a1, b1, c1, d1, e1]"}, ""},
		{"2 addresses of 21", []string{"[203.0.113.1, 203.0.113.11]", "[203.0.113.200, 203.0.113.201]"}, ""},
		{"3 addresses of 21", []string{"[203.0.113.1, 203.0.113.11]", "[203.0.113.200]", "203.0.113.2,", ""}, "P4 map addresses"},
		{"all withdrawn", []string{"[203.0.113.0/24]", "[{cidr: 203.0.113.0/24, advertised: false}]"}, "P4 map addresses"},
		{"moved to another map", []string{"[203.0.113.1, 203.0.113.11]", "[203.0.113.1]", "[203.0.113.2, 203.0.113.12]", "[203.0.113.2, 203.0.113.12, 203.0.113.11]"}, ""},
		{"maps disabled", []string{"{id: m1, enabled: true", "{id: m1, enabled: false", "[a1, b1, c1]", "[]", "{id: m2, enabled: true", "{id: m2, enabled: false", "[a2, b2, c2]", "[]"}, "P4 proxied names, P4 map addresses"},
	})
	reloads(t, fleet, 0, []reload{{"no guard", several(zone(1), zone(2), zone(3)), ""}})
	reloads(t, fleet, 100, []reload{{"guard of all", several(zone(1), zone(2), zone(3)), ""}})
	reloads(t, fleet, 1, []reload{{"the least", []string{"[a1, b1, c1]", "[a1, b1]"}, "P4 proxied names"}})
	v := mapset.Protect(build(t, mapset.Options{}, fleet), build(t, mapset.Options{}, "{}"), 50)
	const want = "P4: 11 of 11 zones in force would go at once, more than 50 %\n  remedy: remove them in smaller steps, or raise guard for this reload"
	if len(v) != 3 || v[0].Error() != want {
		t.Errorf("got %v, want three, the first of them %s", v, want)
	}
	if v := mapset.Protect(build(t, mapset.Options{}, "{}"), build(t, mapset.Options{}, fleet), 1); len(v) != 0 {
		t.Errorf("from nothing: %v", v)
	}
}

// Without guard, a version does not leave the map without zones or without proxied
// names, whatever it does to parts of it.
func TestP5_NothingLeft(t *testing.T) {
	const (
		noZone  = "P5   none of the 2 zones in force would be left"
		noNames = "P5   no name would be proxied any more"
		two     = `
anycast: [192.0.2.1]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [www, "*.shop"]}]}
  - {id: globex, zones: [{name: example.net, proxied: [www]}]}
`
	)
	all := edit(t, edit(t, two, `[www, "*.shop"]`, "all"), "[www]", "all")
	none := edit(t, edit(t, two, `[www, "*.shop"]`, "[]"), "[www]", "[]")
	app := "anycast: [192.0.2.1]\naccounts: [{id: acme, zones: [{name: example.org}], spectrum_apps: [{dns: {name: ssh.example.org, type: CNAME}, edge_ips: {type: dynamic}}]}]\n"
	for _, c := range []struct{ name, old, next, want string }{
		{"empty", two, "{}", noZone},
		{"no accounts", two, "anycast: [192.0.2.1]\naccounts: []", noZone},
		{"accounts without zones", two, "accounts: [{id: acme}]", noZone},
		{"zones without names", none, "{}", noZone},
		{"no names", two, none, noNames},
		{"no names of zones proxied throughout", all, none, noNames},
		{"marked as not proxied", two, strings.ReplaceAll(none, "[]", "[{name: www, proxied: false}]"), noNames},
		{"no application", app, app[:strings.Index(app, ", spectrum_apps")] + "}]", noNames},
		{"one name left", two, edit(t, two, `[www, "*.shop"]`, "[]"), ""},
		{"one zone left", two, edit(t, two, "  - {id: acme", "#"), ""},
		{"a wildcard left", two, edit(t, none, "name: example.org, proxied: []", `name: example.org, proxied: ["*"]`), ""},
		{"a zone proxied throughout left", two, edit(t, none, "name: example.net, proxied: []", "name: example.net, proxied: all"), ""},
		{"an application left", two, app, ""},
		{"all others", two, "anycast: [192.0.2.1]\naccounts: [{id: other, zones: [{name: example.com, proxied: [www]}]}]", ""},
		{"no map addresses", protected, two, ""}, // P1 to P3 are others' tests
		{"nothing before", "{}", "{}", ""},
		{"no zones before", "accounts: [{id: acme}]", "{}", ""},
		{"no names before", none, edit(t, none, "example.org", "example.com"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, next := build(t, mapset.Options{}, c.old), build(t, mapset.Options{}, c.next)
			var got []string
			for _, v := range mapset.ProtectWhole(old, next, 0) {
				got = append(got, fmt.Sprint(v.Rule, " ", v.Account, " ", v.Map, " ", v.Text))
				if !strings.Contains(v.Remedy, "guard 100%") {
					t.Errorf("remedy %q", v.Remedy)
				}
			}
			if len(got) > 1 || c.want == "" && len(got) > 0 || c.want != "" && (len(got) == 0 || !strings.HasPrefix(got[0], c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if v := mapset.ProtectWhole(old, next, 100); len(v) > 0 {
				t.Errorf("with guard 100%%: %v", v)
			}
		})
	}
}
