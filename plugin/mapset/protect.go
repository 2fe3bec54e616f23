package mapset

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Violation is a change that a reload may not make.
type Violation struct {
	Rule    string // P1 to P4
	Account string // "" for P4
	Map     string // id of the address map, "" if it is about none
	Text    string
	Remedy  string
}

// Error prints the violation and how to make the change on purpose.
func (v Violation) Error() string {
	return fmt.Sprintf("%s: %s\n  remedy: %s", v.Rule, v.Text, v.Remedy)
}

// Protect judges next against the version in force (P1 to P4 of the map format).
// guard is the percentage of the names, zones or map addresses in force that may
// go at once; 0 is for any. The violations are in a fixed order; none means that
// next may come into force.
func Protect(old, next *Snapshot, guard int) []Violation {
	var out []Violation
	for _, id := range slices.Sorted(maps.Keys(old.accounts)) {
		out = append(out, protectAccount(old.accounts[id], next)...)
	}
	if guard > 0 {
		out = append(out, guarded(old, next, guard)...)
	}
	return out
}

func protectAccount(old *account, next *Snapshot) []Violation {
	var out []Violation
	now := next.accounts[old.id]
	if old.byoipOnly && now != nil && !now.byoipOnly {
		out = append(out, Violation{"P3", old.id, "", fmt.Sprintf("account %q would lose byoip_only, and its names could be answered with anycast", old.id),
			"keep byoip_only: true; if it has to go, move the zones to another account first"})
	}
	for i, m := range old.maps {
		if m.canDelete && m.canModifyIPs {
			continue
		}
		out = append(out, protectMap(old, i, m.successor(old, i, next))...)
	}
	return out
}

// protectMap judges the protected map old.maps[i], which is now in the next
// version, or nil.
func protectMap(old *account, i int, now *addressMap) []Violation {
	m := old.maps[i]
	first := func(flag string) string {
		return fmt.Sprintf("first load a version in which nothing changes but %s: true of this map, then make the change", flag)
	}
	switch {
	case now == nil && !m.canDelete:
		return []Violation{{"P1", old.id, m.id, fmt.Sprintf("address map %q of account %q has can_delete: false and would disappear", m.id, old.id), first("can_delete")}}
	case now == nil:
		return nil
	}
	var out []Violation
	if !m.canDelete && m.enabled && !now.enabled {
		out = append(out, Violation{"P1", old.id, m.id, fmt.Sprintf("address map %q of account %q has can_delete: false and would be disabled", m.id, old.id), first("can_delete")})
	}
	if !m.canModifyIPs && !slices.Equal(m.ips, now.ips) {
		out = append(out, Violation{"P2", old.id, m.id, fmt.Sprintf("address map %q of account %q has can_modify_ips: false and would have other ips", m.id, old.id), first("can_modify_ips")})
	}
	return out
}

// successor returns what became of the map, which is number i of its account, or
// nil. A map without an id of its own is called by its position, which shifts
// when another map comes or goes before it: it is then known by its addresses.
func (m *addressMap) successor(a *account, i int, next *Snapshot) *addressMap {
	now := next.accounts[a.id]
	if now == nil {
		return nil
	}
	if m.id == fmt.Sprintf("%s/%d", a.id, i) {
		for _, n := range now.maps {
			if slices.Equal(n.ips, m.ips) && n.enabled == m.enabled && n.canModifyIPs == m.canModifyIPs && n.canDelete == m.canDelete {
				return n
			}
		}
	}
	return now.find(m.id)
}

// guarded judges how much would go (P4).
func guarded(old, next *Snapshot, guard int) []Violation {
	var out []Violation
	add := func(what string, gone, had int) {
		if gone*100 > guard*had {
			out = append(out, Violation{Rule: "P4", Text: fmt.Sprintf("%d of %d %s in force would go at once, more than %d %%", gone, had, what, guard),
				Remedy: "remove them in smaller steps, or raise guard for this reload"})
		}
	}
	zones, names, hadNames := 0, 0, 0
	for apex, z := range old.zones {
		now := next.zones[apex]
		if now == nil {
			zones++
		}
		for n := range z.proxied() {
			hadNames++
			if now == nil || now.of(n)&markProxied == 0 {
				names++
			}
		}
	}
	add("zones", zones, len(old.zones))
	add("proxied names", names, hadNames)
	had, have := old.mapAddresses(), next.mapAddresses()
	gone := 0
	for ip := range had {
		if _, ok := have[ip]; !ok {
			gone++
		}
	}
	add("map addresses", gone, len(had))
	return out
}

// of returns the mark of a name that exists by itself.
func (z *zone) of(n fqdn.Name) mark {
	if m, ok := z.marks[n]; ok {
		return m
	}
	return z.rest
}

func (s *Snapshot) mapAddresses() map[netip.Addr]struct{} {
	out := make(map[netip.Addr]struct{})
	s.eachMap(func(_ string, m *addressMap) {
		for _, ip := range m.ips {
			out[ip] = struct{}{}
		}
	})
	return out
}
