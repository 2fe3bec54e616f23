package mapset_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// drainMap has a drain's cases: two families, a byoip_only account, applications, names.
const drainMap = `
anycast: [192.0.2.1, 192.0.2.2, "2001:db8::1"]
sites: {fra: {anycast: [192.0.2.65, "2001:db8::65"]}, ams: {anycast: [192.0.2.66]}}
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, "2001:db8:100::/48"]
    zones:
      - {name: example.org, proxied: [www, api, ssh, game]}
      - {name: example.net, proxied: [www]}
    address_maps:
      - {id: ofname, enabled: true, ips: [203.0.113.5], memberships: [{kind: name, identifier: api.example.org}]}
      - {id: ofzone, enabled: true, ips: [203.0.113.1, 203.0.113.2, "2001:db8:100::1"], memberships: [{kind: zone, identifier: example.org}]}
      - {enabled: true, ips: [203.0.113.9, 203.0.113.2], memberships: [{kind: account, identifier: acme}]}
    spectrum_apps:
      - {dns: {name: ssh.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.7]}}
      - {dns: {name: game.example.org, type: CNAME}, edge_ips: {type: dynamic}}
  - id: globex
    byoip_only: true
    prefixes: [198.51.100.0/24]
    zones: [{name: example.com, proxied: [www]}]
    address_maps:
      - {id: only, enabled: true, can_delete: false, can_modify_ips: false, ips: [198.51.100.1], memberships: [{kind: account, identifier: globex}]}
  - id: initech
    zones: [{name: example.edu, proxied: [www]}]
`

func TestDrain_Steps(t *testing.T) {
	type d = mapset.Drains
	prefixes := func(list ...string) (out []netip.Prefix) {
		for _, s := range list {
			out = append(out, netip.MustParsePrefix(s))
		}
		return out
	}
	for _, tc := range []struct {
		what, site string
		drains     d
		steps      []step
		drained    int
		ignored    []string
		unknown    []string
	}{
		{what: "one of two addresses", drains: d{Prefixes: prefixes("203.0.113.1/32")}, drained: 1, steps: []step{
			{"www.example.org", "zone ofzone 203.0.113.2, zone ofzone 2001:db8:100::1"},
		}},
		{what: "a family is left without: keep", drains: d{Prefixes: prefixes("203.0.113.0/24")}, ignored: []string{
			"spectrum  ipv4 ssh.example.org.", "name ofname ipv4 api.example.org.", "zone ofzone ipv4 example.org.", "account acme/2 ipv4 example.net.",
		}, steps: []step{
			{"www.example.org", "zone ofzone 203.0.113.1 203.0.113.2, zone ofzone 2001:db8:100::1"},
			{"api.example.org", "name ofname 203.0.113.5, name ofname nothing"},
			{"ssh.example.org", "spectrum 203.0.113.7, spectrum nothing"},
		}},
		{what: "a family is left without: next", drains: d{Prefixes: prefixes("203.0.113.0/24"), Next: true}, drained: 5, steps: []step{
			{"www.example.org", "anycast 192.0.2.1 192.0.2.2, zone ofzone 2001:db8:100::1"},
			{"api.example.org", "anycast 192.0.2.1 192.0.2.2, name ofname nothing"},
			{"ssh.example.org", "anycast 192.0.2.1 192.0.2.2, spectrum nothing"},
			{"www.example.net", "anycast 192.0.2.1 192.0.2.2, account acme/2 nothing"},
		}},
		{what: "a static application and a name fall back to the zone", drains: d{Prefixes: prefixes("203.0.113.5/32", "203.0.113.7/32"), Next: true}, drained: 2, steps: []step{
			{"ssh.example.org", "zone ofzone 203.0.113.1 203.0.113.2, spectrum nothing"},
			{"api.example.org", "zone ofzone 203.0.113.1 203.0.113.2, name ofname nothing"},
		}},
		{what: "a map, on whichever map its addresses are", drains: d{Maps: []string{"ofzone", "acme/2", "nosuch"}, Next: true}, drained: 3, unknown: []string{"map:acme/2", "map:nosuch"}, steps: []step{
			{"www.example.org", "account acme/2 203.0.113.9, anycast 2001:db8::1"},
			{"www.example.net", "account acme/2 203.0.113.9, account acme/2 nothing"},
		}},
		{what: "byoip_only: never anycast", drains: d{Prefixes: prefixes("198.51.100.0/24"), Next: true}, ignored: []string{"account only ipv4 example.com."}, steps: []step{
			{"www.example.com", "account only 198.51.100.1, account only nothing"},
		}},
		{what: "all anycast: never the origin", drains: d{Prefixes: prefixes("0.0.0.0/0"), Next: true}, ignored: []string{
			"spectrum  ipv4 game.example.org.", "spectrum  ipv4 ssh.example.org.", "name ofname ipv4 api.example.org.", "zone ofzone ipv4 example.org.",
			"account only ipv4 example.com.", "account acme/2 ipv4 example.net.", "anycast  ipv4 example.edu.",
		}, steps: []step{
			{"www.example.edu", "anycast 192.0.2.1 192.0.2.2, anycast 2001:db8::1"},
			{"game.example.org", "spectrum 192.0.2.1 192.0.2.2, spectrum 2001:db8::1"},
		}},
		{what: "the server's site: the general anycast takes its place", site: "fra", drains: d{Sites: []string{"fra"}}, drained: 2, steps: []step{
			{"www.example.edu", "anycast 192.0.2.1 192.0.2.2, anycast 2001:db8::1"},
			{"game.example.org", "spectrum 192.0.2.1 192.0.2.2, spectrum 2001:db8::1"},
		}},
		{what: "the site and the general anycast", site: "fra", drains: d{Sites: []string{"fra"}, Prefixes: prefixes("192.0.2.1/32", "192.0.2.2/32")}, drained: 1,
			ignored: []string{"spectrum  ipv4 game.example.org.", "anycast  ipv4 example.edu."}, steps: []step{
				{"www.example.edu", "anycast 192.0.2.65, anycast 2001:db8::1"},
			}},
		{what: "another site, and one that is unknown", site: "ams", drains: d{Sites: []string{"fra", "zrh"}}, unknown: []string{"site:zrh"}, steps: []step{
			{"www.example.edu", "anycast 192.0.2.66, anycast 2001:db8::1"},
		}},
	} {
		snap := build(t, mapset.Options{Site: tc.site}, drainMap).Drain(tc.drains)
		for _, s := range tc.steps {
			if got := shown(snap.Lookup(fqdn.Canonical(s.name))); got != s.want {
				t.Errorf("%s: %s:\n got %s\nwant %s", tc.what, s.name, got, s.want)
			}
		}
		var ignored []string
		for _, i := range snap.Drained().Ignored {
			ignored = append(ignored, i.Step.String()+" "+i.Map+" "+i.Family.String()+" "+string(i.Owner))
		}
		if is := snap.Drained(); is.Addresses != tc.drained || !slices.Equal(ignored, tc.ignored) || !slices.Equal(is.Unknown, tc.unknown) {
			t.Errorf("%s: %d addresses drained, want %d; unknown %q, want %q; ignored\n got %q\nwant %q", tc.what, is.Addresses, tc.drained, is.Unknown, tc.unknown, ignored, tc.ignored)
		}
	}
}

// Of several entries in force, each says what it drains itself.
func TestSnapshot_DrainedBy(t *testing.T) {
	snap := build(t, mapset.Options{Site: "fra"}, drainMap)
	prefix := []netip.Prefix{netip.MustParsePrefix("192.0.2.64/28")}
	for _, tc := range []struct {
		by   drain.Drain
		step mapset.Step
		ip   string
		want bool
	}{
		{drain.Drain{Site: "fra"}, mapset.StepAnycast, "192.0.2.65", true},
		{drain.Drain{Site: "fra"}, mapset.StepSpectrum, "192.0.2.65", true},
		{drain.Drain{Site: "fra"}, mapset.StepSpectrum, "203.0.113.7", false},
		{drain.Drain{Site: "fra"}, mapset.StepZone, "192.0.2.65", false},
		{drain.Drain{Site: "ams"}, mapset.StepAnycast, "192.0.2.65", false},
		{drain.Drain{Site: "ams"}, mapset.StepAnycast, "192.0.2.66", false},
		{drain.Drain{Site: "zrh"}, mapset.StepAnycast, "192.0.2.65", false},
		{drain.Drain{Addresses: prefix}, mapset.StepAnycast, "192.0.2.65", true},
		{drain.Drain{Addresses: prefix}, mapset.StepAnycast, "192.0.2.1", false},
		{drain.Drain{Map: "ofzone"}, mapset.StepAccount, "203.0.113.2", true},
		{drain.Drain{Map: "ofzone"}, mapset.StepAccount, "203.0.113.9", false},
		{drain.Drain{Map: "acme/2"}, mapset.StepAccount, "203.0.113.9", false},
	} {
		if got := snap.DrainedBy(tc.by)(tc.step, netip.MustParseAddr(tc.ip)); got != tc.want {
			t.Errorf("%v drains %s of step %s: %t, want %t", tc.by, tc.ip, tc.step, got, tc.want)
		}
	}
}

// The reasons name the addresses that are drained, and say where a drain is ignored.
func TestDrain_Reasons(t *testing.T) {
	snap := build(t, mapset.Options{}, drainMap)
	const name = fqdn.Name("www.example.org.")
	for _, tc := range []struct {
		drains mapset.Drains
		want   []string
	}{
		{mapset.Drains{Maps: []string{"ofzone"}, Next: true}, []string{
			"spectrum : no application has this name", "name : no address map has the name as a member",
			"zone ofzone: all its addresses of that family are drained", "account acme/2: IPv4: enabled, with usable addresses; IPv6: no usable address of that family",
			"anycast : IPv4: not reached; IPv6: the shared addresses",
		}},
		{mapset.Drains{Maps: []string{"ofzone"}}, []string{
			"spectrum : no application has this name", "name : no address map has the name as a member",
			"zone ofzone: drained, and the drain is ignored: the step has no other address of that family", "account acme/2: not reached", "anycast : not reached",
		}},
	} {
		d := snap.Drain(tc.drains).Lookup(name)
		if got := printed(d, name); !slices.Equal(got, tc.want) {
			t.Errorf("the reasons are\n     %q\nwant %q", got, tc.want)
		}
		if got := d.Reasons(name)[2].Drained(); len(got) != 3 {
			t.Errorf("drained are %v, want the three of the map", got)
		}
	}
}
