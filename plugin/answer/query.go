package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/presence"
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
	hash uint64 // of the owner, for the memory, if that is asked
	born uint32 // when it was asked, by the clock of the memory

	facts    *presence.Facts // what [Query.Recall] found; may be nil
	decided  bool            // d was remembered
	recalled bool            // what is remembered is enough to answer
	tried    bool            // to answer from memory, in vain
}

// QueryOf reads the one question of req. That needs nothing of a map or a directive, of
// which the memory may still be far away.
func QueryOf(req *dns.Msg) Query {
	asked := &req.Question[0]
	q := Query{req: req, question: question{name: asked.Name, owner: fqdn.Canonical(asked.Name), qtype: asked.Qtype}}
	q.hash = presence.Hash(q.owner)
	return q
}

// Look decides for the name in question: as it was decided before, if that is
// remembered.
func (q *Query) Look(names *Names) {
	q.born = names.Memory.Now()
	if q.again(names); !q.decided {
		q.d = names.Lookup(q.owner)
	}
}

// again takes the decision that is remembered, if there is one. It is all that most
// queries for addresses need.
func (q *Query) again(names *Names) {
	if !names.Memory.On() || !q.forAddress() {
		return
	}
	k := names.Memory.Get(q.owner, q.hash)
	switch {
	case k == nil || k.Snapshot != names.Snapshot:
	case !k.Exists:
		q.d, q.decided = k.Decision, true
	case q.answers(k.Decision):
		q.d, q.facts, q.decided, q.recalled = k.Decision, &k.Facts, true, true
	}
}

// forAddress reports whether addresses are asked for. Of classes other than IN, the
// map says nothing.
func (q *Query) forAddress() bool {
	return q.inet() && (q.qtype == dns.TypeA || q.qtype == dns.TypeAAAA)
}

// answers reports whether a decision is enough to answer: NODATA needs an SOA, and
// AAAA may hang on what the backend has.
func (q *Query) answers(d mapset.Decision) bool {
	return d.Answers(q.family()) && (q.qtype == dns.TypeA || !d.NeedsAAAA())
}

// inet reports whether the class is IN.
func (q *Query) inet() bool { return q.req.Question[0].Qclass == dns.ClassINET }

// Recall reports whether what is known of the name is enough to answer a query for
// addresses without asking the backend: then [Query.Recalled] does.
//
// It is apart from [Respond], and in two parts, because of the stack: a query runs
// on a new one, and what makes that grow costs more than all else that is done here.
//
//go:noinline // so that its part of the stack is free again for the second one
func (q *Query) Recall(names *Names) bool {
	if q.recalled || !q.forAddress() {
		return q.recalled
	}
	facts, d, ok := names.known(q.question, q.hash, q.born, q.d)
	if !ok {
		q.tried = true
		return false
	}
	if !q.answers(d) {
		return false
	}
	q.facts, q.d, q.recalled = facts, d, true
	return true
}

// family returns that of the addresses in question.
func (q *Query) family() mapset.Family {
	if q.qtype == dns.TypeAAAA {
		return mapset.IPv6
	}
	return mapset.IPv4
}

// Recalled answers after [Query.Recall].
//
//go:noinline
func (q *Query) Recalled(ttl uint32) *dns.Msg {
	m := replyTo(q.req, factsOf(&Reply{Facts: q.facts}))
	m.Answer = records(q.name, q.d, q.family(), ttl)
	return m
}

// Request returns the request.
func (q *Query) Request() *dns.Msg { return q.req }

// Decision returns what was decided for the name, and the type in question.
func (q *Query) Decision() (mapset.Decision, uint16) { return q.d, q.qtype }

// First returns what [Respond] will ask the backend first, if that is known before.
// To ask it from further up the stack saves making that grow.
func (q *Query) First(names *Names) (Ask, bool) {
	t := q.qtype
	if !q.inet() {
		return Ask{Name: q.name, Type: t}, true
	}
	if t == dns.TypeA || t == dns.TypeAAAA || t == dns.TypeANY {
		switch {
		case q.d.Spectrum, names.Memory.On() && !q.tried:
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
