package mapset_test

import (
	"net/netip"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// step is what is decided for one name of a map.
type step struct{ name, want string }

func decide(t *testing.T, opt mapset.Options, yaml string, steps []step) {
	t.Helper()
	snap := build(t, opt, yaml)
	for _, s := range steps {
		if got := shown(snap.Lookup(fqdn.Canonical(s.name))); got != s.want {
			t.Errorf("%s:\n got %s\nwant %s", s.name, got, s.want)
		}
	}
}

// allSteps is a map in which every step of the fallback has addresses.
const allSteps = `
anycast: [192.0.2.1, "2001:db8::1", 192.0.2.2]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, "2001:db8:100::/48"]
    static_ips: [198.51.100.7]
    zones:
      - {name: example.org, proxied: [www, ssh, {name: off, proxied: false}]}
      - {name: example.net, proxied: [www]}
      - {name: shop.example.org, proxied: [www]}
      - {name: deep.shop.example.org, proxied: [www]}
    address_maps:
      - {id: ofzone, enabled: true, ips: ["2001:db8:100::1", 203.0.113.2, 203.0.113.1], memberships: [{kind: zone, identifier: example.org}, {kind: zone, identifier: deep.shop.example.org}]}
      - {id: ofaccount, enabled: true, ips: [203.0.113.9, "2001:db8:100::9"], memberships: [{kind: account, identifier: acme}]}
      - {id: "off", enabled: false, ips: [203.0.113.8], memberships: [{kind: zone, identifier: example.net}]}
    spectrum_apps:
      - {dns: {name: ssh.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [198.51.100.7, "2001:db8:100::7"]}}
      - {dns: {name: off.example.org, type: CNAME}, edge_ips: {type: dynamic}}
  - id: globex
    zones: [{name: example.com, proxied: [www]}, {name: other.example.org, proxied: [www]}]
`

func TestFallback_Steps(t *testing.T) {
	decide(t, mapset.Options{}, allSteps, []step{
		{"www.example.org", "zone ofzone 203.0.113.2 203.0.113.1, zone ofzone 2001:db8:100::1"},
		{"www.example.net", "account ofaccount 203.0.113.9, account ofaccount 2001:db8:100::9"},
		{"www.example.com", "anycast 192.0.2.1 192.0.2.2, anycast 2001:db8::1"},
		{"ssh.example.org", "spectrum 198.51.100.7, spectrum 2001:db8:100::7"},
		{"x.ssh.example.org", "unproxied"},
		{"off.example.org", "spectrum 192.0.2.1 192.0.2.2, spectrum 2001:db8::1"},
		{"api.example.org", "unproxied"},
		{"example.edu", "unproxied"},
	})
}

// A zone within a zone does not inherit its map, whoever the two belong to. The
// closest zone decides, not one further up that has a map.
func TestFallback_NestedZones(t *testing.T) {
	decide(t, mapset.Options{}, allSteps, []step{
		{"www.shop.example.org", "account ofaccount 203.0.113.9, account ofaccount 2001:db8:100::9"},
		{"www.deep.shop.example.org", "zone ofzone 203.0.113.2 203.0.113.1, zone ofzone 2001:db8:100::1"},
		{"www.other.example.org", "anycast 192.0.2.1 192.0.2.2, anycast 2001:db8::1"},
	})
	snap := build(t, mapset.Options{}, allSteps)
	for name, want := range map[fqdn.Name][2]string{
		"www.example.org.":            {"example.org.", "acme"},
		"example.org.":                {"example.org.", "acme"},
		"a.b.c.shop.example.org.":     {"shop.example.org.", "acme"},
		"deep.shop.example.org.":      {"deep.shop.example.org.", "acme"},
		"www.other.example.org.":      {"other.example.org.", "globex"},
		"another.example.org.":        {"example.org.", "acme"},
		"ssh.example.org.":            {"example.org.", "acme"},
		"myexample.org.":              {"", ""},
		"org.":                        {"", ""},
		".":                           {"", ""},
		`www\.example.org.`:           {"", ""},
		`a\.b.deep.shop.example.org.`: {"deep.shop.example.org.", "acme"},
	} {
		d := snap.Lookup(name)
		if got := [2]string{string(d.Zone()), d.Account()}; got != want {
			t.Errorf("%s lies in %q, want %q", name, got, want)
		}
	}
}

// Where the chosen step lacks a family, the answer is NODATA: another step's
// addresses of it would be another edge's.
func TestFallback_FamiliesAreNotMixed(t *testing.T) {
	const yaml = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, "2001:db8:100::/48"]
    zones:
      - {name: example.org, proxied: [www]}
      - {name: example.net, proxied: [www]}
      - {name: example.com, proxied: [www]}
    address_maps:
      - {id: four, enabled: true, ips: [203.0.113.1], memberships: [{kind: zone, identifier: example.org}]}
      - {id: six, enabled: true, ips: ["2001:db8:100::1"], memberships: [{kind: zone, identifier: example.net}]}
      - {id: account, enabled: true, ips: [203.0.113.9], memberships: [{kind: account, identifier: acme}]}
`
	decide(t, mapset.Options{}, yaml, []step{
		{"www.example.org", "zone four 203.0.113.1, zone four nothing"},
		{"www.example.net", "zone six nothing, zone six 2001:db8:100::1"},
		{"www.example.com", "account account 203.0.113.9, account account nothing"},
	})
	// missing_family next: each family goes on by itself.
	decide(t, mapset.Options{PerFamily: true}, yaml, []step{
		{"www.example.org", "zone four 203.0.113.1, anycast 2001:db8::1"},
		{"www.example.net", "account account 203.0.113.9, zone six 2001:db8:100::1"},
		{"www.example.com", "account account 203.0.113.9, anycast 2001:db8::1"},
	})
}

// Anycast is never for a byoip_only account, with missing_family next either;
// its maps are.
func TestFallback_BYOIPOnly(t *testing.T) {
	const yaml = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    byoip_only: true
    prefixes: [203.0.113.0/24, "2001:db8:100::/48", {cidr: 198.51.100.0/24, advertised: false}]
    zones:
      - {name: example.org, proxied: [www]}
      - {name: example.net, proxied: [www]}
      - {name: example.com, proxied: [www]}
    address_maps:
      - {id: six, enabled: true, ips: ["2001:db8:100::1"], memberships: [{kind: zone, identifier: example.org}]}
      - {id: gone, enabled: true, ips: [198.51.100.1], memberships: [{kind: zone, identifier: example.com}]}
      - {id: floor, enabled: true, can_delete: false, can_modify_ips: false, ips: [203.0.113.9], memberships: [{kind: account, identifier: acme}]}
`
	decide(t, mapset.Options{}, yaml, []step{
		{"www.example.org", "zone six nothing, zone six 2001:db8:100::1"},
		{"www.example.net", "account floor 203.0.113.9, account floor nothing"},
		{"www.example.com", "account floor 203.0.113.9, account floor nothing"},
	})
	decide(t, mapset.Options{PerFamily: true}, yaml, []step{
		{"www.example.org", "account floor 203.0.113.9, zone six 2001:db8:100::1"},
		{"www.example.net", "account floor 203.0.113.9, account floor nothing"},
	})
	const withdrawn = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    byoip_only: true
    prefixes: [{cidr: 203.0.113.0/24, advertised: false}]
    zones: [{name: example.org, proxied: [www]}]
    address_maps:
      - {enabled: true, can_delete: false, can_modify_ips: false, ips: [203.0.113.9], memberships: [{kind: account, identifier: acme}]}
`
	for _, next := range []bool{false, true} {
		decide(t, mapset.Options{PerFamily: next}, withdrawn, []step{{"www.example.org", "none nothing, none nothing"}})
	}
}

// What is withdrawn is not answered, and a map of which nothing is left counts as
// disabled.
func TestFallback_Withdrawn(t *testing.T) {
	decide(t, mapset.Options{}, `
anycast: [192.0.2.1]
accounts:
  - id: lender
    prefixes:
      - {cidr: 203.0.113.0/24, advertised: false}
      - {cidr: 203.0.113.64/26, advertised: true}
      - 198.51.100.0/24
      - {cidr: 198.51.100.128/26, advertised: false}
      - {cidr: "2001:db8:100::/48", advertised: false}
    static_ips: [203.0.113.7]
    zones:
      - {name: half.example, proxied: [www]}
      - {name: gone.example, proxied: [www]}
      - {name: inside.example, proxied: [www]}
    address_maps:
      - {id: half, enabled: true, ips: [203.0.113.1, 198.51.100.1, "2001:db8:100::1", 198.51.100.2, 198.51.100.129], memberships: [{kind: zone, identifier: half.example}]}
      - {id: gone, enabled: true, ips: [203.0.113.1, 203.0.113.7, "2001:db8:100::1"], memberships: [{kind: zone, identifier: gone.example}]}
      - {id: inside, enabled: true, ips: [203.0.113.65], memberships: [{kind: zone, identifier: inside.example}]}
  - id: borrower
    delegated_prefixes: [203.0.113.128/28, 198.51.100.64/26, 198.51.100.128/25]
    zones:
      - {name: borrower.example, proxied: [www]}
      - {name: other.example, proxied: [www]}
      - {name: split.example, proxied: [www]}
    address_maps:
      - {id: lent-and-gone, enabled: true, ips: [203.0.113.129], memberships: [{kind: zone, identifier: borrower.example}]}
      - {id: split, enabled: true, ips: [198.51.100.129, 198.51.100.193], memberships: [{kind: zone, identifier: split.example}]}
      - {id: lent, enabled: true, ips: [198.51.100.65], memberships: [{kind: account, identifier: borrower}]}
`, []step{
		{"www.half.example", "zone half 198.51.100.1 198.51.100.2, zone half nothing"},
		{"www.gone.example", "anycast 192.0.2.1, anycast nothing"},
		{"www.inside.example", "zone inside 203.0.113.65, zone inside nothing"},
		{"www.borrower.example", "account lent 198.51.100.65, account lent nothing"},
		{"www.split.example", "zone split 198.51.100.193, zone split nothing"},
		{"www.other.example", "account lent 198.51.100.65, account lent nothing"},
	})
}

// An account's prefix says nothing of addresses that it neither has nor lends.
func TestFallback_WithdrawnElsewhere(t *testing.T) {
	decide(t, mapset.Options{}, `
anycast: [192.0.2.1]
accounts:
  - id: acme
    prefixes: [{cidr: 192.0.2.0/24, advertised: false}, {cidr: 198.51.100.0/24, advertised: false}]
    zones: [{name: example.org, proxied: [www]}]
  - id: globex
    static_ips: [198.51.100.7]
    zones: [{name: example.net, proxied: [www]}]
    address_maps: [{id: leased, enabled: true, ips: [198.51.100.7], memberships: [{kind: account, identifier: globex}]}]
`, []step{
		{"www.example.org", "anycast 192.0.2.1, anycast nothing"},
		{"www.example.net", "account leased 198.51.100.7, account leased nothing"},
	})
}

func TestFallback_Spectrum(t *testing.T) {
	const yaml = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, {cidr: 198.51.100.0/24, advertised: false}, "2001:db8:100::/48"]
    zones: [{name: example.org, ipv6: false, proxied: ["*", {name: four, ipv6_only: true}]}, {name: shop.example.org, proxied: all}]
    address_maps:
      - {id: m1, enabled: true, ips: [203.0.113.1, "2001:db8:100::1"], memberships: [{kind: zone, identifier: example.org}]}
    spectrum_apps:
      - {dns: {name: dual.example.org, type: CNAME}, edge_ips: {type: dynamic, connectivity: all}}
      - {dns: {name: v4.example.org, type: CNAME}, edge_ips: {type: dynamic, connectivity: ipv4}}
      - {dns: {name: v6.example.org, type: CNAME}, edge_ips: {type: dynamic, connectivity: ipv6}}
      - {dns: {name: four.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.2]}}
      - {dns: {name: half.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [198.51.100.2, "2001:db8:100::2"]}}
      - {dns: {name: gone.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [198.51.100.2]}}
      - {dns: {name: example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.3]}}
      - {dns: {name: a.shop.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.4]}}
`
	decide(t, mapset.Options{}, yaml, []step{
		{"dual.example.org", "spectrum 192.0.2.1, spectrum 2001:db8::1"},
		{"v4.example.org", "spectrum 192.0.2.1, spectrum nothing"},
		{"v6.example.org", "spectrum nothing, spectrum 2001:db8::1"},
		{"four.example.org", "spectrum 203.0.113.2, spectrum nothing"},
		{"half.example.org", "spectrum nothing, spectrum 2001:db8:100::2"},
		{"gone.example.org", "zone m1 203.0.113.1, zone m1 2001:db8:100::1"},
		{"example.org", "spectrum 203.0.113.3, spectrum nothing"},
		{"a.shop.example.org", "spectrum 203.0.113.4, spectrum nothing"},
		{"b.shop.example.org", "anycast 192.0.2.1, anycast 2001:db8::1"},
	})
	// missing_family next goes on from an application as from any step, but not for a
	// family that a dynamic one does not connect with.
	decide(t, mapset.Options{PerFamily: true}, yaml, []step{
		{"dual.example.org", "spectrum 192.0.2.1, spectrum 2001:db8::1"},
		{"v4.example.org", "spectrum 192.0.2.1, zone m1 nothing"},
		{"v6.example.org", "zone m1 nothing, spectrum 2001:db8::1"},
		{"four.example.org", "spectrum 203.0.113.2, zone m1 2001:db8:100::1"},
		{"half.example.org", "zone m1 203.0.113.1, spectrum 2001:db8:100::2"},
		{"gone.example.org", "zone m1 203.0.113.1, zone m1 2001:db8:100::1"},
		{"example.org", "spectrum 203.0.113.3, zone m1 2001:db8:100::1"},
		{"a.shop.example.org", "spectrum 203.0.113.4, anycast 2001:db8::1"},
		{"b.shop.example.org", "anycast 192.0.2.1, anycast 2001:db8::1"},
	})
	snap := build(t, mapset.Options{}, yaml)
	for _, name := range []fqdn.Name{"gone.example.org.", "v4.example.org.", "example.org."} {
		for _, d := range []mapset.Decision{snap.Lookup(name), snap.LookupFrom(name, "*.example.org.")} {
			if !d.Spectrum || d.ByWildcard || d.NeedsAAAA() || !d.Named() {
				t.Errorf("%s: %+v, want an application whatever the backend has", name, d)
			}
		}
	}
}

// Limited to a family that anycast lacks, an application goes on to its zone's
// map with that family alone.
func TestFallback_DynamicWithoutAnycast(t *testing.T) {
	decide(t, mapset.Options{}, `
anycast: [192.0.2.1]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, "2001:db8:100::/48"]
    zones: [{name: example.org, proxied: [www]}]
    address_maps:
      - {id: m1, enabled: true, ips: [203.0.113.1, "2001:db8:100::1"], memberships: [{kind: zone, identifier: example.org}]}
    spectrum_apps:
      - {dns: {name: v6.example.org, type: CNAME}, edge_ips: {type: dynamic, connectivity: ipv6}}
`, []step{{"v6.example.org", "zone m1 nothing, zone m1 2001:db8:100::1"}})
}

// A zone within the zone takes its names, those of applications too.
func TestFallback_ApplicationInTheZoneOfAnother(t *testing.T) {
	const yaml = `
anycast: [192.0.2.1]
accounts:
  - id: acme
    static_ips: [198.51.100.7]
    zones: [{name: example.org, proxied: [www.shop, api.shop]}]
    spectrum_apps: [{dns: {name: ssh.shop.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [198.51.100.7]}}]
  - id: globex
    zones: [{name: shop.example.org, proxied: [www]}]
`
	decide(t, mapset.Options{}, yaml, []step{
		{"ssh.shop.example.org", "unproxied"},
		{"www.shop.example.org", "anycast 192.0.2.1, anycast nothing"},
		{"api.shop.example.org", "unproxied"},
	})
	if apps := build(t, mapset.Options{}, yaml).Applications("example.org."); len(apps) != 0 {
		t.Errorf("applications %q, want none: the name is in the zone of another account", apps)
	}
}

// The Corefile's anycast addresses stand in for those of the document.
func TestFallback_AnycastOfTheCorefile(t *testing.T) {
	opt := mapset.Options{Anycast: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
	decide(t, opt, allSteps, []step{
		{"www.example.com", "anycast 198.51.100.1, anycast nothing"},
		{"off.example.org", "spectrum 198.51.100.1, spectrum nothing"},
		{"www.example.org", "zone ofzone 203.0.113.2 203.0.113.1, zone ofzone 2001:db8:100::1"},
	})
}

// The limits of a mark hold whatever step answers.
func TestR3_LimitedNames(t *testing.T) {
	const yaml = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    zones:
      - {name: example.org, ipv6: false, proxied: [www, {name: v4, ipv4_only: true}, {name: v6, ipv6_only: true}, {name: "*.v4", ipv4_only: true}]}
      - {name: example.net, proxied: [www]}
`
	for _, next := range []bool{false, true} {
		decide(t, mapset.Options{PerFamily: next}, yaml, []step{
			{"v4.example.org", "anycast 192.0.2.1, anycast nothing"},
			{"v6.example.org", "anycast nothing, anycast 2001:db8::1"},
			{"a.v4.example.org", "anycast 192.0.2.1, anycast nothing"},
		})
	}
	snap := build(t, mapset.Options{}, yaml)
	if !snap.Lookup("www.example.org.").NeedsAAAA() || snap.Lookup("www.example.net.").NeedsAAAA() {
		t.Error("ipv6: false is of the zone that says so, and of no other")
	}
}
