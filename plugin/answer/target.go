package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// target is the name that a service record's hints are the addresses of: its
// effective target, or where the aliases of that lead. Where the standing is
// undecided or elsewhere, nobody knows whose addresses they are.
type target struct {
	name  string // as spelled by whoever named it
	owner fqdn.Name
	standing
}

// foreign reports whether a name lies in no zone that the map declares or the
// directive acts for: nothing is asked about it.
func (c *conversation) foreign(owner fqdn.Name) bool {
	return !c.names.acts(owner) && !c.names.Snapshot.Declares(owner) && !c.names.Snapshot.IsClosed(owner)
}

// follow follows the aliases of a target to the first owner that is proxied (R9). Of a
// foreign one only what the reply m shows counts. asked reports that an alias that was
// learned otherwise leads to it.
func (c *conversation) follow(name string, owner fqdn.Name, m *dns.Msg, asked bool) target {
	for range maxDepth {
		if c.foreign(owner) {
			next := aliasIn(m, owner)
			switch {
			case asked:
				return target{} // behind an alias, where this block cannot ask
			case next == "":
				return target{name, owner, standing{kind: unproxied}}
			}
			name, owner = next, fqdn.Canonical(next)
			continue
		}
		if !c.names.acts(owner) {
			// Another server block answers for it.
			if d := c.outside(owner); c.wide() && d.Proxied() {
				return target{name, owner, standing{proxied, d}}
			}
			return target{standing: standing{kind: elsewhere}}
		}
		if c.names.Refuses(owner) || c.names.shuts(owner) {
			return target{}
		}
		t, next := c.followOne(name, owner)
		if next == "" {
			return t
		}
		name, owner, asked = next, fqdn.Canonical(next), true
	}
	return target{}
}

// followOne asks about one target of a zone that this block can ask about, and returns
// where its alias leads, if it has one and is not proxied itself.
func (c *conversation) followOne(name string, owner fqdn.Name) (t target, next string) {
	d, tentative := c.first(owner)
	if d.Proxied() && !tentative {
		return target{name, owner, standing{proxied, d}}, ""
	}
	if !c.names.revealsWildcard(owner) {
		// A question for an address may wait for what is behind the alias, or hide it.
		rep := c.ask(name, dns.TypeCNAME, false)
		switch f := findingOf(&rep, owner, dns.TypeCNAME); f {
		case alias:
			return target{}, aliasIn(rep.Msg, owner)
		case empty:
		default: // a denial too: the backend itself named it as a target
			return target{}, ""
		}
	}
	rep := c.ask(name, dns.TypeA, tentative)
	f := findingOf(&rep, owner, dns.TypeA)
	switch f {
	case alias, present, empty:
		d = c.withWildcard(owner, d, tentative, rep.Wildcard)
	}
	if d.Proxied() {
		return target{name, owner, standing{proxied, d}}, ""
	}
	switch f {
	case alias:
		return target{}, aliasIn(rep.Msg, owner)
	case absent:
		if !c.names.revealsWildcard(owner) {
			return target{}, ""
		}
		fallthrough
	case present, empty:
		return target{name, owner, standing{unproxied, d}}, ""
	}
	return target{}, ""
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
