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
	case !d.Proxied() && !d.ByWildcard, n.Memory == nil, q.qtype != dns.TypeA && d.NeedsAAAA():
		return Reply{}, d, false // whether there is an AAAA is not remembered
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
