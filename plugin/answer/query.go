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

// family returns that of the addresses in question.
func (q question) family() mapset.Family {
	if q.qtype == dns.TypeAAAA {
		return mapset.IPv6
	}
	return mapset.IPv4
}

// Query is a request's one question and what the map says of its name.
type Query struct {
	question
	req   *dns.Msg
	names Names
	d     mapset.Decision // of the map alone
	hash  uint64          // of the owner, for the memory
	born  uint32          // when it was asked, by the clock of the memory

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
	if !q.names.Memory.On() || !q.forAddress() {
		return
	}
	k := q.names.Memory.Get(q.owner, q.hash)
	switch {
	case k == nil || k.Snapshot != q.names.Snapshot:
	case !k.Exists:
		q.d, q.decided = k.Decision, true
	case q.answers(k.Decision):
		q.d, q.facts, q.decided, q.recalled = k.Decision, &k.Facts, true, true
	}
}

// forAddress reports whether addresses are asked for.
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

// WithoutBackend answers a query that needs nothing of the backend: one that is
// refused, and one for addresses of a name of which enough is known.
func (q *Query) WithoutBackend() (Outcome, bool) {
	if !q.inet() {
		if q.names.acts(q.owner) {
			return Outcome{Released: Refusal(q.req), Decision: q.d, Type: q.qtype}, true // R25
		}
		return Outcome{}, false
	}
	if !q.known() {
		if q.names.refuses(q.owner) {
			return Outcome{Released: Unlisted(q.req), Verdict: Withheld, Reason: ReasonUnlisted, Decision: q.d, Type: q.qtype}, true // R29
		}
		return Outcome{}, false
	}
	facts := presence.Facts{Authoritative: true} // an application is its own record
	if q.facts != nil {
		facts = *q.facts
	}
	m := replyTo(q.req, facts)
	m.Answer = records(q.name, q.d, q.family(), q.names.TTL)
	return Outcome{Released: release(m), Verdict: Substituted, Decision: q.d, Type: q.qtype}, true
}

// known reports whether enough is known of the name to answer for its addresses.
func (q *Query) known() bool {
	if q.recalled || !q.forAddress() {
		return q.recalled
	}
	if q.d.Spectrum {
		return q.answers(q.d)
	}
	if !q.d.Proxied() && !q.d.ByWildcard {
		return false
	}
	facts, d, ok := q.names.recall(q.owner, q.hash, q.born, q.d)
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

// Ask answers with the help of the backend.
func (q *Query) Ask(b Backend) Outcome {
	out := q.ask(b)
	out.Type = q.qtype
	return out
}

func (q *Query) ask(b Backend) Outcome {
	if out, ok := q.closed(b); ok {
		return out
	}
	if !q.inet() {
		rep := b.Ask(Ask{Name: q.name, Type: q.qtype})
		return q.conversation(b).pass(q.question, standing{unproxied, q.d}, &rep)
	}
	d, hangs := q.d, false
	if !q.decided && q.names.acts(q.owner) {
		if d.Proxied() || d.ByWildcard || q.names.undecidedAbove(q.owner, d) {
			d, hangs = q.conversation(b).settleUntold(q.owner, d)
		}
	}
	if d.Proxied() || hangs || d.Spectrum {
		c := q.conversation(b)
		out := c.answer(q.question, d, hangs)
		out.Void = c.signed && out.Verdict == Substituted
		return out
	}
	rep := b.Ask(Ask{Name: q.name, Type: q.qtype})
	if out, ok := passPlain(q.question, q.req, d, &rep, q.names.Serials); ok {
		if len(rep.Msg.Answer) > 0 {
			q.spare()
		}
		return out
	}
	c := q.conversation(b)
	again := rep // so that the other path allocates nothing
	out := c.unproxied(q.question, d, false, c.heard(&again))
	out.Void = c.signed && out.Verdict == Substituted
	return out
}

// conversation begins the questioning of a backend about the query.
func (q *Query) conversation(b Backend) *conversation {
	c := &conversation{req: q.req, asked: q.owner, names: q.names, b: b, born: q.born, left: maxQuestions}
	if q.tried {
		c.tried = q.owner
	}
	return c
}

// spare has it remembered that the name in question is not proxied, so that the map
// need not be looked into again to let the backend's answer pass. What decides is the
// map alone: it holds for as long as that is in force.
func (q *Query) spare() {
	if !q.decided && q.forAddress() && !q.names.undecidedAbove(q.owner, q.d) {
		q.names.Memory.Add(q.owner, q.hash, q.born, presence.Known{Snapshot: q.names.Snapshot, Decision: q.d}, false, inForce{})
	}
}
