package mapset_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// compareReasons checks that the reasons of a decision agree with it and with the
// documents: the step that is said to answer is the decision's, and every other one
// lacks what its reason says.
func compareReasons(t *testing.T, seed uint64, m *model, snap *mapset.Snapshot, name fqdn.Name) {
	t.Helper()
	d := snap.Lookup(name)
	reasons := d.Reasons(name)
	if !d.Proxied() {
		if len(reasons) > 0 {
			t.Errorf("seed %d: %s is not proxied, and yet has reasons %v", seed, name, reasons)
		}
		return
	}
	for _, f := range []mapset.Family{mapset.IPv4, mapset.IPv6} {
		for _, problem := range disagreements(d, reasons, f, m.opt.PerFamily) {
			t.Errorf("seed %d: %s, %s: %s in %+v", seed, name, f, problem, reasons)
		}
	}
	if got, want := lacks(reasons), m.lacks(m.closest(name), name); !slices.Equal(got, want) {
		t.Errorf("seed %d: %s: the steps are\n     %q\nwant %q", seed, name, got, want)
	}
}

// disagreements compares the reasons of one family with the decision.
func disagreements(d mapset.Decision, reasons []mapset.Reason, f mapset.Family, perFamily bool) (out []string) {
	if !slices.IsSortedFunc(reasons, func(a, b mapset.Reason) int { return int(a.Step) - int(b.Step) }) {
		out = append(out, "the steps are out of order")
	}
	step, addrMap := mapset.StepNone, ""
	for _, r := range reasons {
		switch why := r.Why[f]; {
		case why == mapset.Answers && step != mapset.StepNone:
			out = append(out, "two steps answer")
		case why == mapset.Answers:
			step, addrMap = r.Step, r.Map
			if addrs := d.Addrs(f); len(addrs) > 0 && !slices.Equal(addrs, familyOf(r.Addrs(), f)) {
				out = append(out, fmt.Sprintf("the step that answers has other addresses than %v", addrs))
			}
		case why == mapset.NotReached && step == mapset.StepNone:
			out = append(out, "a step is not reached though none before it answers")
		case why == mapset.OtherFamily && !perFamily:
			out = append(out, "a step lacks a family though families do not fall back by themselves")
		case why == mapset.OtherFamily && len(familyOf(r.Addrs(), f)) > 0:
			out = append(out, "a step lacks a family that it has")
		}
	}
	if step != d.Step(f) || addrMap != d.Map(f) {
		out = append(out, fmt.Sprintf("%s %q is said to answer, and %s %q does", step, addrMap, d.Step(f), d.Map(f)))
	}
	return out
}

func familyOf(addrs []netip.Addr, f mapset.Family) (out []netip.Addr) {
	for _, a := range addrs {
		if a.Is4() == (f == mapset.IPv4) {
			out = append(out, a)
		}
	}
	return out
}

// lacks prints each step with what it lacks by itself, whatever comes before it.
func lacks(reasons []mapset.Reason) (out []string) {
	for _, r := range reasons {
		what := map[mapset.Cause]string{
			mapset.Absent: "absent", mapset.Disabled: "disabled", mapset.Unusable: "unusable", mapset.BYOIPOnly: "byoip_only",
		}[r.Why[mapset.IPv4]]
		out = append(out, fmt.Sprintf("%s %s %s", r.Step, r.Map, what))
	}
	return out
}

// lacks says the same by looking through the documents.
func (m *model) lacks(p place, name fqdn.Name) (out []string) {
	add := func(step mapset.Step, id, what string) { out = append(out, fmt.Sprintf("%s %s %s", step, id, what)) }
	unusable := func(addrs []netip.Addr) string {
		if len(addrs) == 0 {
			return "unusable"
		}
		return ""
	}
	app := "absent"
	for _, a := range p.account.Spectrum {
		switch {
		case a.Name != name:
		case a.Static:
			app = unusable(m.usable(p.account, ips(a.IPs)))
		default:
			app = unusable(slices.DeleteFunc(slices.Clone(m.anycast()), func(ip netip.Addr) bool {
				return ip.Is4() && a.Connectivity == mapfile.ConnectIPv6 || ip.Is6() && a.Connectivity == mapfile.ConnectIPv4
			}))
		}
	}
	add(mapset.StepSpectrum, "", app)
	m.lacksNames(p, name, add)
	for _, step := range []mapset.Step{mapset.StepZone, mapset.StepAccount} {
		before := len(out)
		for _, am := range p.account.Maps {
			if !slices.ContainsFunc(am.Members, func(mem mapfile.Member) bool {
				return step == mapset.StepZone && mem.Identifier == string(p.zone.Name) || step == mapset.StepAccount && mem.Kind == mapfile.MemberAccount
			}) {
				continue
			}
			if am.Enabled {
				add(step, am.ID, unusable(m.usable(p.account, ips(am.IPs))))
			} else {
				add(step, am.ID, "disabled")
			}
		}
		if len(out) == before {
			add(step, "", "absent")
		}
	}
	if p.account.BYOIPOnly {
		add(mapset.StepAnycast, "", "byoip_only")
	} else {
		add(mapset.StepAnycast, "", unusable(m.anycast()))
	}
	return out
}

// lacksNames does so for the address maps with the name, or the wildcard that decides, as
// a member.
func (m *model) lacksNames(p place, name fqdn.Name, add func(step mapset.Step, id, what string)) {
	v := m.lookup(name, "")
	own, covering := m.nameMap(p, name), m.nameMap(p, v.covering)
	if own != nil && len(m.usable(p.account, ips(own.IPs))) > 0 {
		covering = nil
	}
	none := true
	for i := range p.account.Maps {
		am := &p.account.Maps[i]
		is := func(name fqdn.Name) bool {
			return name != "" && slices.ContainsFunc(am.Members, func(mem mapfile.Member) bool { return mem.Name == name })
		}
		switch {
		case !is(name) && !is(v.covering):
			continue
		case !am.Enabled:
			add(mapset.StepName, am.ID, "disabled")
		case am != own && am != covering:
			continue
		case len(m.usable(p.account, ips(am.IPs))) == 0:
			add(mapset.StepName, am.ID, "unusable")
		default:
			add(mapset.StepName, am.ID, "")
		}
		none = false
	}
	if none {
		add(mapset.StepName, "", "absent")
	}
}

// printed is the steps of a decision with their reasons, as people read them.
func printed(d mapset.Decision, name fqdn.Name) (out []string) {
	for _, r := range d.Reasons(name) {
		out = append(out, fmt.Sprintf("%s %s: %s", r.Step, r.Map, r))
	}
	return out
}

func TestReasons(t *testing.T) {
	const yaml = `
anycast: [192.0.2.1]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, {cidr: 198.51.100.0/24, advertised: false}, "2001:db8:100::/48"]
    zones: [{name: example.org, proxied: [www]}, {name: example.net, proxied: [www]}]
    address_maps:
      - {id: "off", enabled: false, ips: [203.0.113.1], memberships: [{kind: zone, identifier: example.org}]}
      - {id: gone, enabled: true, ips: [198.51.100.1], memberships: [{kind: zone, identifier: example.org}]}
      - {id: six, enabled: true, ips: ["2001:db8:100::1"], memberships: [{kind: account, identifier: acme}]}
    spectrum_apps:
      - {dns: {name: static.example.net, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.2]}}
      - {dns: {name: gone.example.net, type: ADDRESS}, edge_ips: {type: static, ips: [198.51.100.2]}}
      - {dns: {name: v4.example.net, type: CNAME}, edge_ips: {type: dynamic, connectivity: ipv4}}
      - {dns: {name: v6.example.net, type: CNAME}, edge_ips: {type: dynamic, connectivity: ipv6}}
  - id: byoip
    byoip_only: true
    prefixes: [{cidr: 10.0.0.0/24, advertised: false}]
    zones: [{name: example.com, proxied: [www]}]
    address_maps:
      - {id: floor, enabled: true, can_delete: false, can_modify_ips: false, ips: [10.0.0.1], memberships: [{kind: account, identifier: byoip}]}
`
	const (
		noApp     = "spectrum : no application has this name"
		noNameMap = "name : no address map has the name as a member"
		noZoneMap = "zone : no address map has the zone as a member"
		withdrawn = "all its addresses lie in withdrawn prefixes"
		six       = "account six: enabled, with usable addresses"
		sixUnused = "account six: not reached"
		unused    = "anycast : not reached"
	)
	next := mapset.Options{PerFamily: true}
	for _, c := range []struct {
		name string
		opt  mapset.Options
		want []string
	}{
		{"www.example.org.", mapset.Options{}, []string{noApp, noNameMap, "zone off: disabled", "zone gone: " + withdrawn, six, unused}},
		{"www.example.org.", next, []string{
			noApp, noNameMap, "zone off: disabled", "zone gone: " + withdrawn,
			"account six: IPv4: no usable address of that family; IPv6: enabled, with usable addresses",
			"anycast : IPv4: the shared addresses; IPv6: no usable address of that family",
		}},
		{"static.example.net.", mapset.Options{}, []string{"spectrum : static: its own addresses", noNameMap, noZoneMap, sixUnused, unused}},
		{"static.example.net.", next, []string{
			"spectrum : IPv4: static: its own addresses; IPv6: no usable address of that family", noNameMap, noZoneMap,
			"account six: IPv4: no usable address of that family; IPv6: enabled, with usable addresses",
			"anycast : IPv4: not reached; IPv6: no usable address of that family",
		}},
		{"gone.example.net.", mapset.Options{}, []string{"spectrum : " + withdrawn, noNameMap, noZoneMap, six, unused}},
		{"v4.example.net.", mapset.Options{}, []string{"spectrum : dynamic: anycast, as far as it connects", noNameMap, noZoneMap, sixUnused, unused}},
		{"v6.example.net.", mapset.Options{}, []string{"spectrum : dynamic: there are no anycast addresses that it connects with", noNameMap, noZoneMap, six, unused}},
		{"www.example.com.", mapset.Options{}, []string{noApp, noNameMap, noZoneMap, "account floor: " + withdrawn, "anycast : the account is byoip_only"}},
		{"other.example.org.", mapset.Options{}, nil},
		{"example.edu.", mapset.Options{}, nil},
	} {
		if got := printed(build(t, c.opt, yaml).Lookup(fqdn.Name(c.name)), fqdn.Name(c.name)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestMarkOf(t *testing.T) {
	snap := build(t, mapset.Options{}, wildcards)
	for name, want := range map[fqdn.Name]fqdn.Name{
		"www.example.org.":      "*.example.org.",
		"mail.example.org.":     "mail.example.org.",
		"x.mail.example.org.":   "*.example.org.",
		"x.dev.example.org.":    "*.dev.example.org.",
		"example.org.":          "",
		"x.shop.example.org.":   "",
		"x.shop.example.net.":   "*.shop.example.net.",
		"www.shop.example.org.": "www.shop.example.org.",
		"example.edu.":          "",
	} {
		if got := snap.MarkOf(name); got != want {
			t.Errorf("%s is decided by the mark of %q, want %q", name, got, want)
		}
	}
}
