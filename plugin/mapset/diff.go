package mapset

import (
	"bytes"
	"fmt"
	"iter"
	"net/netip"
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

// Changes is what differs between two snapshots. Names are the owner names that
// are known to be proxied, by a mark or an application; of a zone that is
// proxied throughout and has no zone file, none are. One has changed if what a
// client is told has. Addresses are those of anycast, maps and applications; one
// has changed if it was withdrawn, or is no longer.
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

// Diff counts what changed from old to next.
func Diff(old, next *Snapshot) Changes {
	d := differ{touched: make(map[string]bool)}
	for _, apex := range mayDiffer(old, next) {
		d.zone(old.zones[apex], next.zones[apex])
	}
	for _, id := range changedAccounts(old, next) {
		d.account(old.accounts[id], next.accounts[id])
	}
	d.addresses(old, next)
	return d.Changes
}

// addresses compares the addresses of the documents that are not the same in both
// versions. One that another document has as well, as a lender may, stayed.
func (d *differ) addresses(old, next *Snapshot) {
	was, is := old.addressesBeside(next), next.addressesBeside(old)
	for ip, usable := range was {
		if now, there := is[ip]; there {
			d.Addresses.note(true, now != usable)
			delete(was, ip)
			delete(is, ip)
		}
	}
	if len(was)+len(is) > 0 && (old.shares || next.shares) {
		for name, doc := range next.documents {
			if old.documents[name] != doc {
				continue
			}
			for _, set := range doc.addresses() {
				for _, ip := range set.written {
					delete(was, ip)
					delete(is, ip)
				}
			}
		}
	}
	d.Addresses.Removed += len(was)
	d.Addresses.Added += len(is)
}

// addressesBeside returns the addresses of anycast and of the documents that are not the
// same compilation in o, and whether each is usable.
func (s *Snapshot) addressesBeside(o *Snapshot) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	add := func(set addrSet) {
		for _, ip := range set.written {
			if _, known := out[ip]; !known {
				out[ip] = false
			}
		}
		for _, ip := range set.usable {
			out[ip] = true
		}
	}
	add(addrSet{s.anycast, s.anycast})
	for _, d := range s.documentsBeside(o) {
		for _, set := range d.addresses() {
			add(set)
		}
	}
	return out
}

// differ gathers Changes, and the accounts of which something changed.
type differ struct {
	Changes
	touched map[string]bool
}

// note counts something of the old version that is there in the new one or not.
func (c *Change) note(there, changed bool) {
	switch {
	case !there:
		c.Removed++
	case changed:
		c.Changed++
	}
}

// zone compares two versions of a zone, one of which may be nil.
func (d *differ) zone(a, b *zone) {
	before := d.Names
	switch {
	case a == b, a != nil && b != nil && a.same(b) && len(a.apps) == 0 && len(b.apps) == 0:
		return
	case b == nil:
		d.Names.Removed += a.names()
		d.Zones.Removed++
	case a == nil:
		d.Names.Added += b.names()
		d.Zones.Added++
	default:
		for owner := range a.proxied() {
			was, is := a.known(owner), b.known(owner)
			d.Names.note(is.Proxied(), !was.same(is))
		}
		for owner := range b.proxied() {
			if !a.known(owner).Proxied() {
				d.Names.Added++
			}
		}
		d.members(a, b)
		if d.Names == before && a.same(b) {
			return
		}
		d.Zones.Changed++
	}
	for _, z := range []*zone{a, b} {
		if z != nil {
			d.touched[z.account.id] = true
		}
	}
}

// members compares the names that are members by themselves in either version of a zone,
// and that no mark and no application speaks of: such a name is proxied by a wildcard
// above it, or with its whole zone, and has changed if its addresses have.
func (d *differ) members(a, b *zone) {
	seen := make(map[string]bool)
	for _, z := range []*zone{a, b} {
		for owner := range z.unmarked() {
			name := absolute(owner, z.apex)
			was, is := a.decide(name), b.decide(name)
			named := was.Itself || was.Spectrum || is.Itself || is.Spectrum
			if !seen[owner] && !named && was.Proxied() && is.Proxied() && !was.same(is) {
				d.Names.Changed++
			}
			seen[owner] = true
		}
	}
}

// account compares two versions of an account, one of which may be nil.
func (d *differ) account(a, b *account) {
	switch {
	case a == nil:
		d.Accounts.Added++
		d.Maps.Added += len(b.maps)
		return
	case b == nil:
		d.Accounts.Removed++
		d.Maps.Removed += len(a.maps)
		return
	}
	before, stayed := d.Maps, 0
	for i, now := range successors(a, b) {
		d.Maps.note(now != nil, now != nil && !a.maps[i].equal(now))
		if now != nil {
			stayed++
		}
	}
	d.Maps.Added += len(b.maps) - stayed
	if d.Maps != before || d.touched[a.id] || a.byoipOnly != b.byoipOnly {
		d.Accounts.Changed++
	}
}

// proxied yields the owners known to be proxied, relative to the apex.
func (z *zone) proxied() iter.Seq[string] {
	return func(yield func(string) bool) {
		for owner := range z.apps {
			if !yield(owner) {
				return
			}
		}
		for owner, m := range z.marks.all() {
			if m&markProxied != 0 && z.apps[owner] == nil && !yield(owner) {
				return
			}
		}
	}
}

// names counts the owners known to be proxied.
func (z *zone) names() int {
	n := int(z.marks.proxied) + len(z.apps)
	for owner := range z.apps {
		if m, _ := z.marks.mark(owner); m&markProxied != 0 {
			n--
		}
	}
	return n
}

// known decides for an owner that exists by itself.
func (z *zone) known(owner string) Decision {
	if app := z.apps[owner]; app != nil {
		return z.decisionOf(app)
	}
	m, ok := z.marks.mark(owner)
	if !ok {
		m = z.rest
	}
	d := z.other(m)
	if z.members != nil {
		d.outcome = z.members.outcome(z, absolute(owner, z.apex), "")
	}
	return d
}

// decide decides for a name of the zone as [Snapshot.Lookup] does.
func (z *zone) decide(name fqdn.Name) Decision {
	if app := z.apps[relative(name, len(z.apex))]; app != nil {
		return z.decisionOf(app)
	}
	return z.lookup(name)
}

// same reports whether a client is told the same by both decisions.
func (d Decision) same(o Decision) bool {
	return d.mark == o.mark && d.Spectrum == o.Spectrum && d.NeedsAAAA() == o.NeedsAAAA() && d.outcome.same(o.outcome)
}

// same reports whether the addresses are the same. The reasons may differ.
func (o *outcome) same(p *outcome) bool {
	if o == p {
		return true
	}
	for _, f := range [...]Family{IPv4, IPv6} {
		if !bytes.Equal(o.pool(f).octets[f], p.pool(f).octets[f]) {
			return false
		}
	}
	return true
}

// same reports whether the zones are the same but for their applications.
func (z *zone) same(o *zone) bool {
	return z == o || z.rest == o.rest && z.autoV6 == o.autoV6 && z.account.id == o.account.id && z.outcome.same(o.outcome) && z.members.same(o.members) && z.marks.same(&o.marks)
}
