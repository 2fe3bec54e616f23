package answer

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// target is the name that a service record's hints are the addresses of: its
// effective target, or where the aliases of that lead.
type target struct {
	name  string // as spelled by whoever named it
	owner fqdn.Name
	d     mapset.Decision
	// elsewhere: the map has it proxied, and another directive may act for it.
	// What that one answers is not known here, so that the hints are dropped.
	elsewhere bool
}

// stays reports whether the hints of a record at owner may stay.
func (t *target) stays(names *Names, owner fqdn.Name) bool {
	return !t.d.Proxied() && !(t.elsewhere && names.acts(owner))
}

// settle follows the aliases of a name to the first owner that is proxied. The
// target is not proxied if there is none.
func (c *conversation) settle(name string, owner fqdn.Name) target {
	for range maxDepth {
		t := target{name: name, owner: owner, d: c.lookup(owner)}
		if !c.wide && !c.names.acts(owner) && c.names.Snapshot.Lookup(owner).Proxied() {
			t.elsewhere = true
			return t
		}
		if t.d.Proxied() && !(t.d.ByWildcard && c.names.Tells) {
			return t
		}
		rep := c.ask(name, dns.TypeA, t.d)
		if rep.Wildcard != "" || knows(rep.Msg) {
			t.d = c.names.from(owner, t.d, rep.Wildcard)
		}
		if t.d.Proxied() {
			return t // also one that another server block has, which cannot be asked
		}
		if name = aliasIn(rep.Msg, owner); name == "" {
			break
		}
		owner = fqdn.Canonical(name)
	}
	return target{}
}

// knows reports whether a reply says that the name exists. The rcode of one with an
// alias is that of the name behind it (RFC 6604).
func knows(m *dns.Msg) bool {
	return m != nil && (len(m.Answer) > 0 || m.Rcode == dns.RcodeSuccess && !isReferral(m))
}

// aliasIn returns the target of the CNAME at owner, or "".
func aliasIn(m *dns.Msg, owner fqdn.Name) string {
	if m == nil {
		return ""
	}
	for _, rr := range m.Answer {
		if alias, ok := rr.(*dns.CNAME); ok && fqdn.Canonical(alias.Hdr.Name) == owner {
			return alias.Target
		}
	}
	return ""
}

// settle is the same in a zone that is transferred: only what lies outside of it
// is asked about. ipv6 reports whether AAAA of the target is answered.
func (z *zoneData) settle(name string, owner fqdn.Name) (to target, ipv6 bool) {
	for range maxDepth {
		if !owner.In(z.apex) {
			to = z.c.settle(name, owner)
			return to, to.d.Proxied() && z.c.answersIPv6(to.name, to.owner, to.d)
		}
		d := z.of(owner)
		if z.cuts.Encloses(owner) {
			d = z.c.names.Lookup(owner) // a referral does not tell whether it exists
		}
		if d.Proxied() {
			return target{name: name, owner: owner, d: d}, z.answersIPv6(owner, d)
		}
		next, ok := z.aliasOf(owner)
		if !ok {
			break
		}
		name, owner = string(next), next
	}
	return target{}, false
}

// aliasOf returns where a DNAME above the name or a CNAME leads, which may be that
// of the wildcard that covers it.
func (z *zoneData) aliasOf(owner fqdn.Name) (fqdn.Name, bool) {
	for n, ok := owner.Parent(); ok && n.In(z.apex); n, ok = n.Parent() {
		if to, ok := z.redirects[n]; ok {
			return fqdn.Canonical(strings.TrimSuffix(string(owner), string(n)) + strings.TrimPrefix(string(to), ".")), true
		}
	}
	alias, ok := z.aliases[z.source(owner)]
	return alias, ok
}
