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
	req  *dns.Msg
	d    mapset.Decision
	born uint32 // when it was asked, by the clock of the memory

	tried bool      // to answer from memory, in vain
	ripe  fqdn.Name // see [presence.View.Get]
}

// Look decides for the name in the one question of req.
func Look(req *dns.Msg, names *Names) Query {
	asked := &req.Question[0]
	q := question{name: asked.Name, owner: fqdn.Canonical(asked.Name), qtype: asked.Qtype}
	return Query{question: q, req: req, d: names.Lookup(q.owner), born: names.Memory.Now()}
}

// inet reports whether the class is IN. The map says nothing of any other.
func (q *Query) inet() bool { return q.req.Question[0].Qclass == dns.ClassINET }

// Recall answers a query for addresses without asking the backend, and reports whether what is known of the name is enough for that.
//
// It is apart from [Respond] because of the stack: a query runs on a new one,
// and what makes that grow costs more than all else that is done here.
func (q *Query) Recall(names *Names, opt *Options) (Outcome, bool) {
	f := mapset.IPv4
	switch {
	case !q.inet():
		return Outcome{}, false
	case q.qtype == dns.TypeA:
	case q.qtype == dns.TypeAAAA:
		f = mapset.IPv6
	default:
		return Outcome{}, false
	}
	rep, d, ripe, ok := names.remembered(q.question, q.d)
	if !ok {
		q.tried, q.ripe = true, ripe
		return Outcome{}, false
	}
	if len(d.IPs(f)) == 0 {
		return Outcome{}, false // NODATA needs an SOA
	}
	m := replyTo(q.req, factsOf(&rep))
	m.Answer = records(q.name, d, f, opt.TTL)
	return Outcome{Msg: m, Verdict: Substituted, Decision: d, Type: q.qtype}, true
}

// First returns what [Respond] will ask the backend first, if that is known before.
// To ask it from further up the stack saves making that grow.
func (q *Query) First(names *Names) (Ask, bool) {
	t := q.qtype
	if !q.inet() {
		return Ask{Name: q.name, Type: t}, true
	}
	if t == dns.TypeA || t == dns.TypeAAAA || t == dns.TypeANY {
		switch {
		case q.d.Spectrum, names.Memory != nil && !q.tried, q.ripe != "":
			return Ask{}, false
		case q.d.Proxied() || q.d.ByWildcard:
			t = firstOf(q.question, q.d)
		}
	}
	return names.ask(q.name, t, q.d), true
}

// firstOf returns the type that tells most about whether a proxied owner has an
// address.
func firstOf(q question, d mapset.Decision) uint16 {
	if q.qtype == dns.TypeAAAA && d.NeedsAAAA() {
		return dns.TypeAAAA
	}
	return dns.TypeA
}

// ask is the question about a name for which d decides: also for the wildcard that
// the records were made from, if the decision hangs on it.
func (n *Names) ask(name string, qtype uint16, d mapset.Decision) Ask {
	return Ask{Name: name, Type: qtype, Wildcard: n.Tells && d.ByWildcard}
}

// remembered returns the decision for a proxied owner, and what stands for the
// backend's reply, if it is known that the owner has an address: from the zone
// file, because it is an application's, or because the backend said so a moment
// ago. Whether a name has an AAAA of its own is not remembered. For ripe see
// [presence.View.Get].
func (n *Names) remembered(q question, d mapset.Decision) (rep Reply, now mapset.Decision, ripe fqdn.Name, ok bool) {
	switch {
	case d.Spectrum:
		return rep, d, "", true
	case n.Memory == nil, !d.Proxied() && !d.ByWildcard, q.qtype != dns.TypeA && d.NeedsAAAA():
		return rep, d, "", false
	case d.Present():
		return rep, d, "", true
	}
	rep.Facts, ripe = n.Memory.Get(q.owner)
	if rep.Facts == nil {
		return rep, d, ripe, false
	}
	rep.Wildcard = rep.Facts.Wildcard
	d = n.from(q.owner, d, &rep)
	return rep, d, "", d.Proxied()
}
