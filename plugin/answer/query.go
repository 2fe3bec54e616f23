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
	req   *dns.Msg
	names Names
	d     mapset.Decision
	hash  uint64 // of the owner, for the memory
	born  uint32 // when it was asked, by the clock of the memory

	facts    *presence.Facts // what is remembered of the backend; may be nil
	decided  bool            // d was remembered
	recalled bool            // what is remembered is enough to answer
	tried    bool            // to answer from memory, in vain
}

// NewQuery reads the one question of req and decides for its name, as it was decided
// before if that is remembered.
func NewQuery(req *dns.Msg, names Names) Query {
	asked := &req.Question[0]
	q := Query{req: req, names: names, question: question{name: asked.Name, owner: fqdn.Canonical(asked.Name), qtype: asked.Qtype}}
	q.hash = presence.Hash(q.owner)
	q.born = names.Memory.Now()
	if q.again(); !q.decided {
		q.d = names.Lookup(q.owner)
	}
	return q
}

// again takes the decision that is remembered, if there is one. It is all that most
// queries for addresses need.
func (q *Query) again() {
	names := &q.names
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

// Recall answers a query for addresses if what is known of the name is enough to do
// so without asking the backend.
func (q *Query) Recall() (Outcome, bool) {
	if !q.known() {
		return Outcome{}, false
	}
	m := replyTo(q.req, factsOf(&Reply{Facts: q.facts}))
	m.Answer = records(q.name, q.d, q.family(), q.names.TTL)
	return Outcome{Msg: m, Verdict: Substituted, Decision: q.d, Type: q.qtype}, true
}

// known reports whether enough is known.
func (q *Query) known() bool {
	if q.recalled || !q.forAddress() {
		return q.recalled
	}
	facts, d, ok := q.names.known(q.question, q.hash, q.born, q.d)
	if !ok {
		q.tried = true
		return false
	}
	if !q.answers(d) {
		return false
	}
	q.facts, q.d = facts, d
	return true
}

// family returns that of the addresses in question.
func (q *Query) family() mapset.Family {
	if q.qtype == dns.TypeAAAA {
		return mapset.IPv6
	}
	return mapset.IPv4
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
