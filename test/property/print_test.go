package property

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// document prints the map.
func (w *world) document() string {
	var b strings.Builder
	fmt.Fprintf(&b, "anycast: [%s]\nsites: {here: {anycast: [%s]}, away: {anycast: [192.0.2.129]}}\naccounts:\n", quoted(w.general.all()), quoted(w.atSite.all()))
	for i, a := range w.accounts {
		fmt.Fprintf(&b, "  - id: %s\n    byoip_only: %v\n    prefixes:\n", a.id, a.byoipOnly)
		fmt.Fprintf(&b, "      - 203.0.113.%d/25\n      - '2001:db8:%d::/48'\n", i*128, i+1)
		fmt.Fprintf(&b, "      - {cidr: 198.51.100.%d/25, advertised: false}\n", i*128)
		printList(&b, "    zones", slices.Collect(func(yield func(string) bool) {
			for _, z := range a.zones {
				yield(z.entry())
			}
		}))
		printList(&b, "    address_maps", a.addressMaps())
		printList(&b, "    spectrum_apps", a.applications())
	}
	return b.String()
}

// printList prints a key and its items, each of which starts at the right column.
func printList(b *strings.Builder, key string, items []string) {
	if len(items) == 0 {
		fmt.Fprintf(b, "%s: []\n", key)
		return
	}
	indent := strings.Repeat(" ", len(key)-len(strings.TrimLeft(key, " "))+2)
	fmt.Fprintf(b, "%s:\n%s- %s\n", key, indent, strings.Join(items, "\n"+indent+"- "))
}

func (a *account) addressMaps() []string {
	var out []string
	if a.wide != nil {
		out = append(out, fmt.Sprintf("{id: %s-wide, enabled: true, can_delete: %v, can_modify_ips: %v, ips: [%s], memberships: [{kind: account, identifier: %s}]}",
			a.id, !a.byoipOnly, !a.byoipOnly, quoted(a.wide.all()), a.id))
	}
	for i, z := range a.zones {
		if z.pool != nil {
			out = append(out, fmt.Sprintf("{id: %s-%d, enabled: true, ips: [%s], memberships: [{kind: zone, identifier: '%s'}]}",
				a.id, i, quoted(z.pool.all()), z.apex))
		}
	}
	for i, m := range a.named {
		var members []string
		for _, name := range m.members {
			members = append(members, fmt.Sprintf("{kind: name, identifier: '%s'}", name))
		}
		out = append(out, fmt.Sprintf("{id: %s-names-%d, enabled: true, ips: [%s], memberships: [%s]}", a.id, i, quoted(m.pool.all()), strings.Join(members, ", ")))
	}
	return out
}

func (a *account) applications() []string {
	var out []string
	for _, app := range a.apps {
		if app.pool != nil {
			out = append(out, fmt.Sprintf("{dns: {name: '%s', type: ADDRESS}, edge_ips: {type: static, ips: [%s]}}", app.name, quoted(app.pool.all())))
		} else {
			out = append(out, fmt.Sprintf("{dns: {name: '%s', type: CNAME}, edge_ips: {type: dynamic, connectivity: %s}}", app.name, app.families))
		}
	}
	return out
}

func (p *pool) all() []string { return slices.Concat(p.v4, p.v6, p.withdrawn) }

func quoted(addrs []string) string { return "'" + strings.Join(addrs, "', '") + "'" }

// entry prints the zone's entry in the map.
func (z *mapZone) entry() string {
	head := fmt.Sprintf("name: '%s'\n        ipv6: %v\n        ", z.apex, z.ipv6)
	switch {
	case z.all:
		return head + "proxied: all"
	case z.file != nil:
		return head + fmt.Sprintf("zone_file: %s\n        proxied_default: %v", z.file.name(), z.fallback)
	}
	var marks []string
	for _, name := range slices.Sorted(maps.Keys(z.marks)) {
		f := z.marks[name]
		if f == (flags{proxied: true}) {
			marks = append(marks, "'"+name+"'")
		} else {
			marks = append(marks, fmt.Sprintf("{name: '%s', proxied: %v, ipv4_only: %v, ipv6_only: %v}", name, f.proxied, f.v4Only, f.v6Only))
		}
	}
	return head + "proxied: [" + strings.Join(marks, ", ") + "]"
}

// name is that of the zone's file.
func (z *zone) name() string { return "db." + strings.TrimSuffix(z.apex, ".") }

// printFile prints the zone as a file, with the marks of the map in it.
func (w *world) printFile(z *zone) string {
	var b strings.Builder
	m := w.mapZones[z.apex]
	for _, rr := range z.rrs {
		fmt.Fprint(&b, rr)
		if m != nil && m.file == z {
			owner := dns.CanonicalName(rr.Header().Name)
			if f, marked := m.marks[owner]; marked && slices.Contains(aliasTypes, rr.Header().Rrtype) {
				fmt.Fprintf(&b, " ; cf_tags=cf-proxied:%v", f.proxied)
			}
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

var aliasTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME}
