package mapset

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Change counts what a reload did to things of one kind.
type Change struct{ Added, Changed, Removed int }

// String names the counts that are not zero.
func (c Change) String() string {
	var parts []string
	for _, n := range []struct {
		count int
		verb  string
	}{{c.Added, "added"}, {c.Changed, "changed"}, {c.Removed, "removed"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.verb))
		}
	}
	return strings.Join(parts, ", ")
}

// Changes is what differs between two snapshots. Names are the owner names with
// a mark; of a zone that is proxied throughout, no names are known.
type Changes struct{ Accounts, Zones, Maps, Names, Addresses Change }

// String prints the changes on one line, for the log.
func (c Changes) String() string {
	var parts []string
	for _, kind := range []struct {
		name string
		Change
	}{{"accounts", c.Accounts}, {"zones", c.Zones}, {"maps", c.Maps}, {"names", c.Names}, {"addresses", c.Addresses}} {
		if kind.Change != (Change{}) {
			parts = append(parts, kind.name+": "+kind.Change.String())
		}
	}
	if len(parts) == 0 {
		return "nothing that is answered changed"
	}
	return strings.Join(parts, "; ")
}

// Diff counts what changed from old to next. What the two share is skipped.
func Diff(old, next *Snapshot) Changes {
	d := differ{touched: make(map[string]bool)}
	d.Zones = compare(old.zones, next.zones, d.zone)
	old.eachMap(func(owner string, m *addressMap) { d.oldMap(owner, m, next) })
	next.eachMap(func(owner string, m *addressMap) {
		if a := old.accounts[owner]; a == nil || a.find(m.id) == nil {
			d.Maps.Added++
			d.touched[owner] = true
		}
	})
	d.Accounts = compare(old.accounts, next.accounts, func(a, b *account) bool {
		id := ""
		if b != nil {
			id = b.id
		}
		return a != nil && b != nil && (a.byoipOnly != b.byoipOnly || d.touched[id])
	})
	d.Addresses = compare(old.addresses(), next.addresses(), func(a, b struct{}) bool { return false })
	return d.Changes
}

// differ gathers Changes, and which accounts they are of.
type differ struct {
	Changes
	touched map[string]bool
}

// compare counts the keys of old and next, and those of which the values differ.
// differs is called with the zero value for what is on one side only.
func compare[K comparable, V comparable](old, next map[K]V, differs func(a, b V) bool) (c Change) {
	var none V
	for k, a := range old {
		b, ok := next[k]
		switch {
		case !ok:
			differs(a, none)
			c.Removed++
		case a != b && differs(a, b):
			c.Changed++
		}
	}
	for k, b := range next {
		if _, ok := old[k]; !ok {
			differs(none, b)
			c.Added++
		}
	}
	return c
}

// zone counts the names of two versions of a zone, either nil, and reports
// whether they differ.
func (d *differ) zone(a, b *zone) bool {
	var marksA, marksB map[fqdn.Name]mark
	same := true
	if a != nil {
		marksA = a.proxied()
	}
	if b != nil {
		marksB = b.proxied()
	}
	if a != nil && b != nil {
		same = a.pools[IPv4].equal(b.pools[IPv4]) && a.pools[IPv6].equal(b.pools[IPv6]) && a.autoV6 == b.autoV6
	}
	names := compare(marksA, marksB, func(x, y mark) bool { return true })
	if !same {
		names.Changed = len(marksB) - names.Added
	}
	d.Names.Added += names.Added
	d.Names.Changed += names.Changed
	d.Names.Removed += names.Removed
	if a != nil && b != nil && same && a.rest == b.rest && a.account.id == b.account.id && maps.Equal(a.marks, b.marks) {
		return false
	}
	for _, z := range []*zone{a, b} {
		if z != nil {
			d.touched[z.account.id] = true
		}
	}
	return true
}

func (d *differ) oldMap(owner string, m *addressMap, next *Snapshot) {
	a := next.accounts[owner]
	var now *addressMap
	if a != nil {
		now = a.find(m.id)
	}
	switch {
	case now == nil:
		d.Maps.Removed++
	case m != now && !m.equal(now):
		d.Maps.Changed++
	default:
		return
	}
	d.touched[owner] = true
}

func (s *Snapshot) eachMap(f func(account string, m *addressMap)) {
	for id, a := range s.accounts {
		for _, m := range a.maps {
			f(id, m)
		}
	}
}

// find returns the address map with this id, or nil.
func (a *account) find(id string) *addressMap {
	for _, m := range a.maps {
		if m.id == id {
			return m
		}
	}
	return nil
}

func (m *addressMap) equal(o *addressMap) bool {
	return m.enabled == o.enabled && m.canDelete == o.canDelete && m.canModifyIPs == o.canModifyIPs &&
		slices.Equal(m.ips, o.ips) && slices.Equal(m.members, o.members)
}

func (p *Pool) equal(o *Pool) bool {
	return p == o || p.Step == o.Step && p.Map == o.Map &&
		slices.Equal(p.addrs[IPv4], o.addrs[IPv4]) && slices.Equal(p.addrs[IPv6], o.addrs[IPv6])
}

// proxied returns the marks that make a name proxied.
func (z *zone) proxied() map[fqdn.Name]mark {
	out := make(map[fqdn.Name]mark, len(z.marks))
	for n, m := range z.marks {
		if m&markProxied != 0 {
			out[n] = m
		}
	}
	return out
}

// addresses returns every address that stands on a map, on an application or
// in anycast.
func (s *Snapshot) addresses() map[netip.Addr]struct{} {
	out := make(map[netip.Addr]struct{})
	add := func(list []netip.Addr) {
		for _, a := range list {
			out[a] = struct{}{}
		}
	}
	add(s.anycast.addrs[IPv4])
	add(s.anycast.addrs[IPv6])
	for _, app := range s.spectrum {
		add(app.listed)
	}
	s.eachMap(func(_ string, m *addressMap) { add(m.ips) })
	return out
}
