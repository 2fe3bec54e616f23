package answer

import (
	"cmp"
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// existence is what the backend has at a proxied owner. An answer for addresses depends
// on nothing else of the backend.
type existence struct {
	found    finding // alias or present: the owner has an address; else what rep says
	presence Presence
	rep      Reply  // the reply that says so; none if it was known without a question
	qtype    uint16 // of the question that rep answers
}

// has reports whether the owner has an address or an alias.
func (e *existence) has() bool { return e.found == alias || e.found == present }

// inMap is the presence of an application, which is its own record (R24).
var inMap = Presence{Exists: true, Authoritative: true}

// exists asks whether the owner in question has an address or an alias, and returns
// what decides for it then, which may be that it is not proxied.
func (c *conversation) exists(q question, d mapset.Decision, tentative bool) (existence, mapset.Decision) {
	if ex, now, ok := c.recall(q, d); ok {
		return ex, now
	}
	asked := d
	types := []uint16{dns.TypeA, dns.TypeAAAA}
	if !c.names.revealsWildcard(q.owner) {
		// R5: a question for another type may wait for what is behind the alias.
		types = []uint16{dns.TypeCNAME, dns.TypeA, dns.TypeAAAA}
	}
	var ex existence
	shown := empty // what the question for the alias said, or that it failed
	// What is remembered names the wildcard, also where an earlier reply has told it.
	wildcard := tentative || slices.ContainsFunc(c.decided, func(o ownerDecision) bool { return o.owner == q.owner })
	for i, t := range types {
		rep := c.ask(q.name, t, wildcard)
		if i == 0 {
			if d = c.withWildcard(q.owner, d, tentative, rep.Wildcard); tentative {
				c.decided = append(c.decided, ownerDecision{q.owner, d})
			}
		}
		f := findingOf(&rep, q.owner, t)
		if t == dns.TypeCNAME {
			shown = f
		}
		if t == dns.TypeA && f == failed && c.names.revealsWildcard(q.owner) {
			// R5: the aliases may end in a loop.
			if again := c.ask(q.name, dns.TypeCNAME, wildcard); findingOf(&again, q.owner, dns.TypeCNAME) == alias {
				rep, f = again, alias
			}
		}
		if t != dns.TypeAAAA || q.qtype == dns.TypeAAAA || f != empty {
			ex = existence{found: f, rep: rep, qtype: t}
		}
		switch f {
		case alias, present:
			ex.presence = presenceIn(&rep, f == alias)
			if d.Proxied() {
				// For a name that the directive does not act for, the decision holds only
				// where an alias leads to it.
				known := Known{Decision: d, Presence: ex.presence, Final: c.names.acts(q.owner)}
				c.names.Backend.Learn(c.names, q.owner, known, asked.Named(), c.moment)
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

// recall returns what is known of a proxied owner without a question, and what decides
// for it then; false if the backend has to be asked. Nothing counts as known of a name
// that a zone further up may decide for.
func (c *conversation) recall(q question, d mapset.Decision) (existence, mapset.Decision, bool) {
	if d.Spectrum {
		return existence{}, d, false
	}
	p := c.presence
	if !c.recalled || q.owner != c.asked {
		p = c.names.Backend.Known(c.names, q.owner).Presence
	}
	if !p.Exists || c.names.acts(q.owner) && c.names.undecidedAbove(q.owner, d) {
		return existence{}, d, false
	}
	now, found := c.names.from(q.owner, d, p.Wildcard), present
	if p.Alias {
		found = alias
	}
	return existence{found: found, presence: p}, now, now.Proxied()
}

// Decide decides for an owner name of which the map says d, and at which the backend is
// known to have p. The decision is final if it is that the name is proxied and no zone
// further up can decide instead; else it is d.
func (n *Names) Decide(owner fqdn.Name, d mapset.Decision, p Presence) (_ mapset.Decision, final bool) {
	if d.Spectrum || !n.acts(owner) || n.undecidedAbove(owner, d) {
		return d, false
	}
	if from := n.from(owner, d, p.Wildcard); from.Proxied() {
		return from, true
	}
	return d, false
}

// undecidedAbove reports whether the name lies in a declared zone below another one,
// and is not proxied by the former: the latter decides if the backend does not have the
// former (R8).
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
	if !d.ByWildcard || !n.revealsWildcard(owner) {
		return d
	}
	return n.Snapshot.LookupFrom(owner, cmp.Or(wildcard, owner))
}
