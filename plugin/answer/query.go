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

// family returns that of the addresses in question.
func (q question) family() mapset.Family {
	if q.qtype == dns.TypeAAAA {
		return mapset.IPv6
	}
	return mapset.IPv4
}

// Query is a request's one question, and what is known of its name before the backend
// is asked.
type Query struct {
	question
	req   *dns.Msg
	names Names
	known Known
}

// NewQuery reads the one question of req and decides for its name. What the backend has
// there is looked up for addresses alone: no other answer can do without a question.
func NewQuery(req *dns.Msg, names Names) (q Query) {
	asked := &req.Question[0]
	q.req, q.names = req, names
	q.name, q.owner, q.qtype = asked.Name, fqdn.Canonical(asked.Name), asked.Qtype
	if q.forAddress() {
		q.known = names.Backend.Known(names, q.owner)
	} else {
		q.known.Decision = names.Lookup(q.owner)
	}
	return q
}

// forAddress reports whether addresses are asked for.
func (q *Query) forAddress() bool {
	return q.inet() && (q.qtype == dns.TypeA || q.qtype == dns.TypeAAAA)
}

// inet reports whether the class is IN.
func (q *Query) inet() bool { return q.req.Question[0].Qclass == dns.ClassINET }

// WithoutBackend answers a query that needs nothing of the backend: one that is
// refused, and one for addresses of a name of which enough is known.
func (q *Query) WithoutBackend() (Outcome, bool) {
	d := q.known.Decision
	if !q.inet() {
		if q.names.acts(q.owner) {
			return Outcome{Released: Refusal(q.req), Decision: d, Type: q.qtype}, true // R25
		}
		return Outcome{}, false
	}
	p, ok := q.presence()
	if !ok {
		if q.names.Refuses(q.owner) {
			return Outcome{Released: Failure(q.req, ReasonUnlisted), Verdict: Withheld, Reason: ReasonUnlisted, Decision: d, Type: q.qtype}, true // R29
		}
		return Outcome{}, false
	}
	m := replyTo(q.req, p)
	m.Answer = records(q.name, d, q.family(), q.names.TTL)
	return Outcome{Released: release(m), Verdict: Substituted, Decision: d, Type: q.qtype}, true
}

// presence returns what the backend has at the name in question, if no more than that is
// needed to answer.
func (q *Query) presence() (Presence, bool) {
	if !q.forAddress() {
		return Presence{}, false
	}
	return q.known.enough(q.qtype)
}

// enough returns what the backend has at a name, if no more than that is needed to answer
// for addresses. NODATA needs an SOA, and AAAA may depend on what the backend has.
func (k *Known) enough(qtype uint16) (Presence, bool) {
	p, d := k.Presence, k.Decision
	switch {
	case k.Final && p.Exists:
	case d.Spectrum:
		p = inMap
	default:
		return Presence{}, false
	}
	if qtype == dns.TypeAAAA {
		return p, d.Answers(mapset.IPv6) && !d.NeedsAAAA()
	}
	return p, d.Answers(mapset.IPv4)
}

// Mapped returns what decides for an owner, and what the backend has there, if no more is
// needed to answer a query for A or AAAA: with the addresses of the decision, as the rule
// "mapped" of the gate lets them out.
func (n Names) Mapped(owner fqdn.Name, qtype uint16) (mapset.Decision, Presence, bool) {
	k := n.Backend.Known(n, owner)
	p, ok := k.enough(qtype)
	return k.Decision, p, ok
}

// Ask answers with the help of the backend.
func (q *Query) Ask(x Exchange) Outcome {
	out := q.ask(x)
	out.Type = q.qtype
	return out
}

func (q *Query) ask(x Exchange) Outcome {
	moment := q.names.Backend.Now()
	if out, ok := q.closed(x, moment); ok {
		return out
	}
	d, tentative := q.known.Decision, false
	if !q.inet() {
		rep := x.Ask(Ask{Name: q.name, Type: q.qtype})
		return q.conversation(x, moment).pass(q.question, standing{unproxied, d}, &rep)
	}
	if !q.known.Final && q.names.acts(q.owner) {
		if d.Proxied() || d.ByWildcard || q.names.undecidedAbove(q.owner, d) {
			d, tentative = q.conversation(x, moment).complete(q.owner, d)
		}
	}
	if d.Proxied() || tentative || d.Spectrum {
		c := q.conversation(x, moment)
		out := c.answer(q.question, d, tentative)
		out.Void = c.signed && out.Verdict == Substituted
		return out
	}
	rep := x.Ask(Ask{Name: q.name, Type: q.qtype})
	if out, ok := passPlain(q.question, q.req, d, &rep, q.names.Serials); ok {
		if len(rep.Msg.Answer) > 0 {
			q.learnUnproxied(moment)
		}
		return out
	}
	c := q.conversation(x, moment)
	again := rep // so that the other path allocates nothing
	out := c.unproxied(q.question, d, false, c.heard(&again))
	out.Void = c.signed && out.Verdict == Substituted
	return out
}

// conversation begins the questioning of a backend about the query, at a moment.
func (q *Query) conversation(x Exchange, moment Moment) *conversation {
	return &conversation{req: q.req, asked: q.owner, names: q.names, x: x, moment: moment, left: maxQuestions,
		recalled: q.forAddress(), presence: q.known.Presence}
}

// learnUnproxied lets the backend learn that the name in question is not proxied, so
// that the map need not be looked into again to let its answer pass. Only names that
// the backend has are learned: anybody can ask for others. The map alone decides: that
// holds for as long as the snapshot is in force.
func (q *Query) learnUnproxied(asked Moment) {
	d := q.known.Decision
	if !q.known.Final && q.forAddress() && !q.names.undecidedAbove(q.owner, d) {
		q.names.Backend.Learn(q.names, q.owner, Known{Decision: d, Final: true}, false, asked)
	}
}
