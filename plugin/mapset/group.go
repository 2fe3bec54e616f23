package mapset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Group is names whose addresses change in the same way. Old or New is empty where the
// names are not proxied, or proxied and without an address.
type Group struct {
	Account string   `json:"account"`
	Old     []string `json:"old"`
	New     []string `json:"new"`
	Names   []string `json:"names"` // in order; "*" and the zone for all other names of a zone

	OldProxied bool `json:"old_proxied"`
	NewProxied bool `json:"new_proxied"`
}

// Groups returns what changes for the owner names that either snapshot has a mark
// of, and for the names that zones speak of as a whole: the largest group first.
func Groups(old, next *Snapshot) []Group {
	groups := make(map[string]*Group)
	add := func(name string, before, after Decision) {
		from, to := before.texts(), after.texts()
		if slices.Equal(from, to) && (len(from) > 0 || before.Proxied() == after.Proxied()) {
			return
		}
		account := cmp.Or(after.Account(), before.Account())
		key := fmt.Sprintf("%s\x00%s\x00%s\x00%t\x00%t", account, strings.Join(from, " "), strings.Join(to, " "), before.Proxied(), after.Proxied())
		g := groups[key]
		if g == nil {
			g = &Group{Account: account, Old: from, New: to, OldProxied: before.Proxied(), NewProxied: after.Proxied()}
			groups[key] = g
		}
		g.Names = append(g.Names, name)
	}
	for _, apex := range slices.Sorted(slices.Values(mayDiffer(old, next))) {
		a, b := old.zones[apex], next.zones[apex]
		if a == b {
			continue
		}
		for _, n := range union(a, b) {
			if a.coveredMember(n) || b.coveredMember(n) {
				add(string(n), old.Lookup(n), next.Lookup(n)) // as long as it does not exist by itself
				continue
			}
			add(string(n), old.LookupFrom(n, n), next.LookupFrom(n, n))
		}
		if a.byDefault() || b.byDefault() {
			add("all other names of "+string(apex), a.others(), b.others())
		}
	}
	out := make([]Group, 0, len(groups))
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		g := groups[key]
		slices.Sort(g.Names)
		g.Names = slices.Compact(g.Names)
		out = append(out, *g)
	}
	slices.SortStableFunc(out, func(a, b Group) int { return len(b.Names) - len(a.Names) })
	return out
}

// coveredMember reports whether a name is a member by itself and has no mark, so that a
// wildcard may have it proxied. z may be nil.
func (z *zone) coveredMember(name fqdn.Name) bool {
	if z == nil || z.members == nil {
		return false
	}
	owner := relative(name, len(z.apex))
	_, marked := z.marks.mark(owner)
	return !marked && z.members.names[owner] != nil
}

// union returns the names that have a mark or an application, or are members by
// themselves, in either version of a zone, in order. Either may be nil.
func union(a, b *zone) []fqdn.Name {
	all := make(map[fqdn.Name]struct{})
	for _, z := range []*zone{a, b} {
		if z == nil {
			continue
		}
		for owner := range z.marks.all() {
			all[absolute(owner, z.apex)] = struct{}{}
		}
		for owner := range z.apps {
			all[absolute(owner, z.apex)] = struct{}{}
		}
		for owner := range z.unmarked() {
			all[absolute(owner, z.apex)] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// byDefault reports whether names without a mark are proxied. z may be nil.
func (z *zone) byDefault() bool { return z != nil && z.rest&markProxied != 0 }

// others decides for the names of the zone that it says nothing of. z may be nil.
func (z *zone) others() Decision {
	if z == nil {
		return Decision{}
	}
	return z.other(z.rest)
}

// texts returns the addresses of both families.
func (d Decision) texts() []string {
	var out []string
	for _, f := range []Family{IPv4, IPv6} {
		for _, ip := range d.Addrs(f) {
			out = append(out, ip.String())
		}
	}
	return out
}
