package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/presence"
)

// recall is [Names.remembered] for any owner of the conversation. It looks whether
// a zone is as it was, if that is all that is left to know.
func (c *conversation) recall(q question, d mapset.Decision) (Reply, mapset.Decision, bool) {
	ripe, tried := c.ripe, q.owner == c.tried
	if tried && ripe == "" {
		return Reply{}, d, false
	}
	hash := c.names.Memory.Hash(q.owner)
	if !tried {
		facts, now, r, ok := c.names.remembered(q, hash, d)
		if ok || r == "" {
			return remembered(facts), now, ok
		}
		ripe = r
	}
	c.observe(ripe)
	facts, now, _, ok := c.names.remembered(q, hash, d)
	return remembered(facts), now, ok
}

// remembered returns what stands for a reply.
func remembered(facts *presence.Facts) Reply {
	if facts == nil {
		return Reply{}
	}
	return Reply{Facts: facts, Wildcard: facts.Wildcard}
}

// remember has it remembered that an owner has an address, of which d was what
// the map said before the backend was asked.
func (c *conversation) remember(q question, d mapset.Decision, rep *Reply) {
	if c.names.Memory == nil {
		return
	}
	named := !d.ByWildcard && !d.ByDefault() // by the map itself
	var apex fqdn.Name
	if c.names.Versions && named {
		apex = apexIn(rep.Msg, q.owner)
	}
	if c.names.Memory.Add(q.owner, c.born, factsOf(rep), named, apex) {
		c.observe(apex)
	}
}

// observe has it remembered which version of a zone the backend has.
func (c *conversation) observe(apex fqdn.Name) {
	now := c.names.Memory.Now()
	m := c.b.Ask(Ask{Name: string(apex), Type: dns.TypeSOA}).Msg
	if m != nil && len(m.Answer) > 0 {
		if soa, ok := m.Answer[0].(*dns.SOA); ok {
			c.names.Memory.Observe(apex, now, soa)
			return
		}
	}
	c.names.Memory.Observe(apex, now, nil)
}

// apexIn returns the apex of the zone that a positive answer about owner is from,
// by the zone's name servers, or "".
func apexIn(m *dns.Msg, owner fqdn.Name) fqdn.Name {
	for _, rr := range m.Ns {
		if ns, ok := rr.(*dns.NS); ok {
			if apex := fqdn.Canonical(ns.Hdr.Name); owner.In(apex) {
				return apex
			}
		}
	}
	return ""
}
