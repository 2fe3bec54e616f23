package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/presence"
)

// existence is what the backend has at a proxied owner. An answer for addresses hangs
// on nothing else of the backend.
type existence struct {
	found finding // alias or present: the owner has an address; else what rep says
	facts presence.Facts
	rep   Reply  // the reply that says so; none if it was remembered
	qtype uint16 // of the question that rep answers
}

// has reports whether the owner has an address or an alias.
func (e *existence) has() bool { return e.found == alias || e.found == present }

// lookedUp stands for the reply of a backend that was looked into.
var lookedUp = presence.Facts{Exists: true, Authoritative: true}

// exists asks whether the owner in question has an address or an alias, and returns
// what decides for it then, which may be that it is not proxied.
func (c *conversation) exists(q question, d mapset.Decision, hangs bool) (existence, mapset.Decision) {
	if facts, now, ok := c.recall(q, d); ok {
		found := present
		if facts.Alias {
			found = alias
		}
		return existence{found: found, facts: *facts}, now
	}
	asked := d
	types := []uint16{dns.TypeA, dns.TypeAAAA}
	if !c.names.tells(q.owner) {
		// R5: a question for another type may wait for what is behind the alias.
		types = []uint16{dns.TypeCNAME, dns.TypeA, dns.TypeAAAA}
	}
	var ex existence
	shown := empty // what the question for the alias said, or that it failed
	for i, t := range types {
		rep := c.ask(q.name, t, hangs)
		if i == 0 {
			if d = c.told(q.owner, d, hangs, rep.Wildcard); hangs {
				c.settled = append(c.settled, settled{q.owner, d})
			}
		}
		f := find(&rep, q.owner, t)
		if t == dns.TypeCNAME {
			shown = f
		}
		if t == dns.TypeA && f == failed && c.names.tells(q.owner) {
			// R5: the aliases may end in a loop.
			if again := c.ask(q.name, dns.TypeCNAME, hangs); find(&again, q.owner, dns.TypeCNAME) == alias {
				rep, f = again, alias
			}
		}
		if t != dns.TypeAAAA || q.qtype == dns.TypeAAAA || f != empty {
			ex = existence{found: f, rep: rep, qtype: t}
		}
		switch f {
		case alias, present:
			ex.facts = factsOf(&rep, f == alias)
			if d.Proxied() {
				c.remember(q.owner, ex.facts, d, asked.Named())
			}
			return ex, d
		case absent, referred, failed, truncated:
			if t != dns.TypeCNAME {
				return ex, d
			}
		}
	}
	if !shown.known() {
		ex.found, ex.qtype = shown, dns.TypeCNAME
	}
	return ex, d
}

// recall returns what is known of the backend's reply about a proxied owner that has
// an address or an alias: because the backend said so a moment ago, or has it where
// that can be seen. hash is that of the owner and born when it was asked for, by the
// memory.
func (n *Names) recall(owner fqdn.Name, hash uint64, born uint32, d mapset.Decision) (*presence.Facts, mapset.Decision, bool) {
	if !n.Memory.On() || n.acts(owner) && n.undecidedAbove(owner, d) {
		return nil, d, false
	}
	if k := n.Memory.Get(owner, hash); k != nil && k.Exists {
		if d = n.from(owner, d, k.Wildcard); d.Proxied() {
			return &k.Facts, d, true
		}
		return nil, d, false
	}
	if n.Zones == nil {
		return nil, d, false
	}
	at, version := n.Zones.Look(owner)
	if version == nil || !at.Address && !at.Alias {
		return nil, d, false
	}
	if d = n.from(owner, d, ""); !d.Proxied() {
		return nil, d, false
	}
	facts := lookedUp
	facts.Alias = at.Alias
	n.Memory.Add(owner, hash, born, n.knownOf(owner, facts, d), true, version) // as if named: nobody can make up such names
	return &facts, d, true
}

// undecidedAbove reports whether the name lies in a declared zone below another one,
// and is not proxied by the former: the memory knows nothing of the latter.
func (n *Names) undecidedAbove(owner fqdn.Name, d mapset.Decision) bool {
	if d.Proxied() || d.Itself || d.Zone() == "" {
		return false
	}
	_, ok := n.Snapshot.LookupAbove(owner, d.Zone())
	return ok
}

// from decides for a name of which the backend is known to answer from a wildcard, or
// from the name itself if that is "".
func (n *Names) from(owner fqdn.Name, d mapset.Decision, wildcard fqdn.Name) mapset.Decision {
	switch {
	case !n.tells(owner) || !d.ByWildcard:
		return d
	case wildcard != "":
		return n.Snapshot.LookupFrom(owner, wildcard)
	}
	return n.Snapshot.LookupFrom(owner, owner)
}

// recall is [Names.recall] for any owner of the conversation.
func (c *conversation) recall(q question, d mapset.Decision) (*presence.Facts, mapset.Decision, bool) {
	if q.owner == c.tried || d.Spectrum {
		return nil, d, false
	}
	return c.names.recall(q.owner, presence.Hash(q.owner), c.born, d)
}

// remember has it remembered that an owner has an address, and what was decided.
// named says that the map itself names it.
func (c *conversation) remember(owner fqdn.Name, facts presence.Facts, d mapset.Decision, named bool) {
	if c.names.Memory.On() {
		c.names.Memory.Add(owner, presence.Hash(owner), c.born, c.names.knownOf(owner, facts, d), named, nil)
	}
}

// knownOf is what to remember. For a name that the directive does not act for, what
// was decided holds only where an alias leads to it. What a zone further up decides
// hangs on what the backend has.
func (n *Names) knownOf(owner fqdn.Name, facts presence.Facts, d mapset.Decision) presence.Known {
	if !n.acts(owner) {
		return presence.Known{Facts: facts}
	}
	return presence.Known{Facts: facts, Snapshot: n.Snapshot, Decision: d}
}

// inForce is a [presence.Version] for what hangs on nothing but the snapshot.
type inForce struct{}

// Current implements [presence.Version].
func (inForce) Current() bool { return true }
