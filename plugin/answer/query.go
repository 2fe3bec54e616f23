package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// question is what a client wants to know, or what an alias leads on to.
type question struct {
	name  string    // as spelled by whoever asked
	owner fqdn.Name // the same, canonical
	qtype uint16
}

// Query is a request's one question and what the map says of its name.
type Query struct {
	question
	req *dns.Msg
	d   mapset.Decision
}

// Look decides for the name in the one question of req.
func Look(req *dns.Msg, names *Names) Query {
	asked := &req.Question[0]
	q := question{name: asked.Name, owner: fqdn.Canonical(asked.Name), qtype: asked.Qtype}
	return Query{question: q, req: req, d: names.Lookup(q.owner)}
}

// Recall answers a query of class IN for addresses without asking the backend,
// and reports whether what is known of the name is enough for that.
//
// It is apart from [Respond] because of the stack: a query runs on a new one,
// and what makes that grow costs more than all else that is done here.
func (q *Query) Recall(names *Names, opt *Options) (Outcome, bool) {
	f := mapset.IPv4
	switch q.qtype {
	case dns.TypeA:
	case dns.TypeAAAA:
		f = mapset.IPv6
	default:
		return Outcome{}, false
	}
	rep, d, ok := names.remembered(q.question, q.d)
	if !ok || len(d.IPs(f)) == 0 { // NODATA needs an SOA
		return Outcome{}, false
	}
	m := replyTo(q.req, factsOf(&rep))
	m.Answer = records(q.name, d, f, opt.TTL)
	return Outcome{Msg: m, Verdict: Substituted, Decision: d, Type: q.qtype}, true
}

// remembered returns the decision for a proxied owner, and what stands for the
// backend's reply, if it is known that the owner has an address: from the zone
// file, because it is an application's, or because the backend said so a moment
// ago.
func (n *Names) remembered(q question, d mapset.Decision) (Reply, mapset.Decision, bool) {
	switch {
	case d.Spectrum:
		return Reply{}, d, true
	case !n.remembers(q, d):
		return Reply{}, d, false
	case d.Present():
		return Reply{}, d, true
	}
	rep := Reply{Facts: n.Memory.Get(q.owner)}
	if rep.Facts == nil {
		return rep, d, false
	}
	rep.Wildcard = rep.Facts.Wildcard
	d = n.from(q.owner, d, &rep)
	return rep, d, d.Proxied()
}

// remembers reports whether it may be remembered what to answer. Whether a name
// has an AAAA of its own is not.
func (n *Names) remembers(q question, d mapset.Decision) bool {
	return n.Memory != nil && (d.Proxied() || d.ByWildcard) && (q.qtype == dns.TypeA || !d.NeedsAAAA())
}

// renewed looks whether the zone of an owner is as it was when the backend said
// that the owner has an address. It reports false if it did not have to look.
func (c *conversation) renewed(q question, d mapset.Decision) bool {
	if !c.names.remembers(q, d) {
		return false
	}
	apex := c.names.Memory.Ripe(q.owner)
	if apex != "" {
		c.observe(apex)
	}
	return apex != ""
}

// remember has it remembered that an owner has an address, of which d was what
// the map said before the backend was asked at the tick born.
func (c *conversation) remember(q question, d mapset.Decision, born uint32, rep *Reply) {
	named := !d.ByWildcard && !d.ByDefault() // by the map itself
	var apex fqdn.Name
	if c.names.Versions && named {
		apex = apexIn(rep.Msg, q.owner)
	}
	if c.names.Memory.Add(q.owner, born, factsOf(rep), named, apex) {
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
