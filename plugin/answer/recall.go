package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/presence"
)

// found stands for the reply of a backend that was looked into.
var found = presence.Facts{Exists: true, Authoritative: true}

// known returns the decision for a proxied owner, and what is known of the backend's
// reply, if it is known that the owner has an address: from the map's zone file,
// because it is an application's, because the backend said so a moment ago, or has
// it where that can be seen; nothing is known of the reply but in the last two
// cases. Whether a name has an AAAA of its own is not known.
//
// hash is that of the owner and born when it was asked for, by the memory.
func (n *Names) known(q question, hash uint64, born uint32, d mapset.Decision) (*presence.Facts, mapset.Decision, bool) {
	switch {
	case d.Spectrum:
		return nil, d, true
	case !n.Memory.On(), !d.Proxied() && !d.ByWildcard, q.qtype != dns.TypeA && d.NeedsAAAA():
		return nil, d, false
	case d.Present():
		return nil, d, true
	}
	if k := n.Memory.Get(q.owner, hash); k != nil && k.Exists {
		d = n.from(q.owner, d, k.Wildcard)
		return &k.Facts, d, d.Proxied()
	}
	if n.Zones == nil {
		return nil, d, false
	}
	version := n.Zones.WithAddress(q.owner)
	if version == nil {
		return nil, d, false
	}
	if d = n.from(q.owner, d, ""); !d.Proxied() {
		return nil, d, false
	}
	n.Memory.Add(q.owner, hash, born, n.knownOf(q.owner, found, d), true, version) // as if named: nobody can make up such names
	return &found, d, true
}

// recall is [Names.known] for any owner of the conversation.
func (c *conversation) recall(q question, d mapset.Decision) (Reply, mapset.Decision, bool) {
	if q.owner == c.tried {
		return Reply{}, d, false
	}
	facts, now, ok := c.names.known(q, presence.Hash(q.owner), c.born, d)
	if facts == nil {
		return Reply{}, now, ok
	}
	return Reply{Facts: facts, Wildcard: facts.Wildcard}, now, ok
}

// remember has it remembered that an owner has an address, and what was decided.
// named says that the map itself names it.
func (c *conversation) remember(q question, d mapset.Decision, rep *Reply, named bool) {
	if c.names.Memory.On() {
		c.names.Memory.Add(q.owner, presence.Hash(q.owner), c.born, c.names.knownOf(q.owner, factsOf(rep), d), named, nil)
	}
}

// knownOf is what to remember. For a name that the directive does not act for, what
// was decided holds only where an alias leads to it.
func (n *Names) knownOf(owner fqdn.Name, facts presence.Facts, d mapset.Decision) presence.Known {
	if !n.acts(owner) {
		return presence.Known{Facts: facts}
	}
	return presence.Known{Facts: facts, Snapshot: n.Snapshot, Decision: d}
}

// spare has it remembered that the name in question is not proxied, so that the map
// need not be looked into again to let the backend's answer pass. What decides is the
// map alone: it holds for as long as that is in force.
func (q *Query) spare() {
	names := &q.names
	if !q.decided && q.forAddress() {
		names.Memory.Add(q.owner, q.hash, q.born, presence.Known{Snapshot: names.Snapshot, Decision: q.d}, false, inForce{})
	}
}

// inForce is a [presence.Version] for what hangs on nothing but the snapshot.
type inForce struct{}

// Current implements [presence.Version].
func (inForce) Current() bool { return true }
