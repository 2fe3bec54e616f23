package answer

import (
	"errors"
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// conversation is the questioning of the backend about one request.
type conversation struct {
	req    *dns.Msg
	asked  fqdn.Name // the name in question
	names  Names
	x      Exchange
	depth  int  // aliases followed
	chased bool // the backend was asked to follow them by itself
	left   int  // questions that may be asked

	moment   Moment   // when the questioning began
	recalled bool     // presence is what is known of the name in question
	presence Presence // see recalled

	signed  bool            // the backend has signatures
	decided []ownerDecision // names of which a reply told what decides
}

// wide reports whether the map holds for names of other server blocks as well: a
// backend that is not of the kind of file follows aliases to them without asking
// their block.
func (c *conversation) wide() bool { return !c.names.revealsWildcard(c.asked) && c.names.acts(c.asked) }

// maxQuestions bounds the questions to the backend for one query of a client.
const maxQuestions = 64

// maxDepth bounds the aliases followed from owner to owner, as file does.
const maxDepth = 8

// nothing is the outcome if the backend wrote no message.
func (c *conversation) nothing(d mapset.Decision, rep *Reply) Outcome {
	if rep.Malformed {
		return c.withhold(d, ReasonMalformed)
	}
	return Outcome{Rcode: rep.Rcode, Err: rep.Err, Decision: d}
}

// answer takes the path that the decision asks for: d and tentative are of
// [conversation.first].
func (c *conversation) answer(q question, d mapset.Decision, tentative bool) Outcome {
	switch {
	case d.Spectrum && (q.qtype == dns.TypeA || q.qtype == dns.TypeAAAA || q.qtype == dns.TypeANY):
		return c.answerMapped(q, d, &existence{found: present, presence: inMap}) // R24: whatever the backend has
	case !d.Proxied() && !tentative:
		return c.unproxied(q, d, false, nil)
	case q.qtype == dns.TypeA, q.qtype == dns.TypeAAAA, q.qtype == dns.TypeANY:
		return c.addresses(q, d, tentative)
	}
	return c.own(q, d, tentative)
}

// addresses answers A, AAAA and ANY at a proxied owner (R2 to R5, R14). Whether
// the owner has an address is all that the answer needs of the backend.
func (c *conversation) addresses(q question, d mapset.Decision, tentative bool) Outcome {
	ex, d := c.exists(q, d, tentative)
	if !d.Proxied() {
		if ex.qtype != q.qtype {
			return c.unproxied(q, d, false, nil)
		}
		rep := ex.rep
		return c.unproxied(q, d, false, &rep)
	}
	if !ex.has() {
		return c.without(q, d, &ex)
	}
	return c.answerMapped(q, d, &ex)
}

// answerMapped answers with the mapped addresses, or NODATA if there are none.
func (c *conversation) answerMapped(q question, d mapset.Decision, ex *existence) Outcome {
	f := mapset.IPv4
	if q.qtype == dns.TypeAAAA || q.qtype == dns.TypeANY && !d.Answers(f) {
		f = mapset.IPv6
	}
	if !d.Answers(f) {
		return c.nodata(q, d, ex)
	}
	if f == mapset.IPv6 && d.NeedsAAAA() {
		if ex.found == alias {
			return c.nodata(q, d, ex) // R3: whether the target has one is not waited for
		}
		switch f, rep := c.answersIPv6(q.name, q.owner, d); f {
		case present:
		case absent, empty, referred:
			return c.nodata(q, d, &existence{found: ex.found, presence: ex.presence, rep: rep})
		default:
			return c.undecided(d, f)
		}
	}
	m := replyTo(c.req, ex.presence)
	m.Answer = records(q.name, d, f, c.names.TTL)
	return Outcome{Released: release(m), Verdict: Substituted, Decision: d}
}

// without answers for a proxied owner of which the backend has no address: with what
// the backend says (R4, R12, R23), if the question was the one that failed.
func (c *conversation) without(q question, d mapset.Decision, ex *existence) Outcome {
	switch {
	case ex.found == truncated, ex.rep.Msg != nil && ex.rep.Msg.Truncated:
		return c.undecided(d, truncated)
	case ex.found == failed && (ex.qtype == dns.TypeCNAME || ex.qtype == dns.TypeAAAA && q.qtype != dns.TypeAAAA):
		return c.undecided(d, failed)
	}
	return c.asBackend(q, d, ex.rep)
}

// own answers any other type at a proxied owner: the backend's records of that
// type at that owner, never its CNAME nor what is behind it (R6, R13, R15).
func (c *conversation) own(q question, d mapset.Decision, tentative bool) Outcome {
	if !c.names.revealsWildcard(q.owner) {
		ex, now := c.aliasFirst(q, d, tentative)
		switch d, tentative = now, false; {
		case !d.Proxied():
			return c.unproxied(q, d, false, nil)
		case ex.found == alias:
			return c.beyondAlias(q, d, &ex)
		case !ex.found.known() && !(d.Spectrum && ex.rep.silent()):
			rep := c.ask(q.name, q.qtype, false)
			if f := findingOf(&rep, q.owner, q.qtype); f.known() {
				return c.undecided(d, ex.found) // an alias may be behind it
			}
			return c.without(q, d, &existence{found: failed, rep: rep, qtype: q.qtype})
		}
	}
	rep := c.ask(q.name, q.qtype, tentative)
	if tentative {
		d = c.withWildcard(q.owner, d, tentative, rep.Wildcard)
		c.decided = append(c.decided, ownerDecision{q.owner, d})
	}
	if !d.Proxied() {
		return c.unproxied(q, d, false, &rep)
	}
	f := findingOf(&rep, q.owner, q.qtype)
	if f == failed && c.names.revealsWildcard(q.owner) && q.qtype != dns.TypeCNAME {
		// R5: the aliases may end in a loop.
		if again := c.ask(q.name, dns.TypeCNAME, tentative); findingOf(&again, q.owner, dns.TypeCNAME) == alias {
			rep, f = again, alias
			rep.Msg = withType(rep.Msg, q.qtype)
		}
	}
	if d.Spectrum && rep.silent() {
		f = absent
	}
	switch f {
	case alias:
		if rrs := c.beside(q, rep.Wildcard); len(rrs) > 0 {
			m := replyTo(c.req, presenceIn(&rep, true))
			m.Question, m.Answer = rep.Msg.Question, rrs
			out := c.pass(q, standing{proxied, d}, &Reply{Msg: m})
			if out.Verdict == Passed {
				out.Verdict = Substituted
			}
			return out
		}
		return c.beyondAlias(q, d, &existence{found: alias, presence: presenceIn(&rep, true), rep: rep})
	case present:
		switch {
		case q.qtype == dns.TypeRRSIG:
			return c.signatures(q, d, &rep)
		case c.madeUp(q, rep.Msg):
			return c.nodata(q, d, &existence{found: alias, presence: presenceIn(&rep, true)})
		}
		return c.pass(q, standing{proxied, d}, &rep)
	case truncated:
		return c.undecided(d, f)
	case absent:
		if d.Spectrum { // R24: the name exists
			ex := existence{found: empty, presence: presenceIn(&rep, false), rep: rep}
			if c.synthesizes(q) {
				return c.synthesize(q, d, &ex)
			}
			return c.nodata(q, d, &ex)
		}
	case empty:
		if c.synthesizes(q) {
			return c.serviceOf(q, d, &rep)
		}
	}
	return c.asBackend(q, d, rep)
}

// aliasFirst asks whether a proxied owner is an alias, of which a reply for another
// type may not tell (R6). What could be made up from an alias is not believed until the
// address was asked for, too: etcd shows the alias there, if another service comes
// first.
func (c *conversation) aliasFirst(q question, d mapset.Decision, tentative bool) (existence, mapset.Decision) {
	switch q.qtype {
	case dns.TypeSOA, dns.TypeNS, dns.TypeDS, dns.TypeDNSKEY, dns.TypeCDS, dns.TypeCDNSKEY, dns.TypeRRSIG,
		dns.TypeTXT, dns.TypeSPF, dns.TypeMX, dns.TypeCAA, dns.TypeHTTPS, dns.TypeSVCB, dns.TypeTLSA, dns.TypeSSHFP:
	default:
		return c.exists(q, d, tentative)
	}
	if ex, now, ok := c.recall(q, d); ok {
		return ex, now
	}
	rep := c.ask(q.name, dns.TypeCNAME, tentative)
	f := findingOf(&rep, q.owner, dns.TypeCNAME)
	return existence{found: f, presence: presenceIn(&rep, f == alias), rep: rep, qtype: dns.TypeCNAME}, d
}

// madeUp reports whether a reply has SRV or PTR records that may be made up from an
// alias: those that lead elsewhere. What etcd makes from an address leads to a name at
// or below the owner.
func (c *conversation) madeUp(q question, m *dns.Msg) bool {
	return c.names.MakesUp && !c.names.revealsWildcard(q.owner) && slices.ContainsFunc(m.Answer, func(rr dns.RR) bool {
		switch rr := rr.(type) {
		case *dns.SRV:
			return !fqdn.Canonical(rr.Target).In(q.owner)
		case *dns.PTR:
			return !fqdn.Canonical(rr.Ptr).In(q.owner)
		}
		return false
	})
}

// beside returns the records of the type in question that stand beside the alias of a
// proxied owner, which the backend does not answer with (R6).
func (c *conversation) beside(q question, wildcard fqdn.Name) []dns.RR {
	if q.qtype == dns.TypeCNAME || q.qtype == dns.TypeRRSIG || !c.names.revealsWildcard(q.owner) {
		return nil
	}
	owner := q.owner
	if wildcard != "" {
		owner = wildcard
	}
	return c.names.Backend.Beside(owner, q.qtype, q.name)
}

// beyondAlias answers for a type that a proxied alias has no record of.
func (c *conversation) beyondAlias(q question, d mapset.Decision, ex *existence) Outcome {
	if c.synthesizes(q) {
		return c.synthesize(q, d, ex)
	}
	return c.nodata(q, d, ex)
}

// serviceOf answers HTTPS for a proxied owner whose backend says NODATA: with a
// record of the map if the owner has an address (R10).
func (c *conversation) serviceOf(q question, d mapset.Decision, rep *Reply) Outcome {
	if d.Spectrum {
		return c.synthesize(q, d, &existence{found: present, presence: presenceIn(rep, false), rep: *rep})
	}
	ex, d := c.exists(question{q.name, q.owner, dns.TypeA}, d, false)
	switch {
	case ex.has():
		ex.rep = *rep // whose SOA fits the question
		return c.synthesize(q, d, &ex)
	case !ex.found.known():
		return c.undecided(d, ex.found)
	}
	return c.asBackend(q, d, *rep)
}

// signatures answers a query for RRSIG (R15): without those of what is
// substituted.
func (c *conversation) signatures(q question, d mapset.Decision, rep *Reply) Outcome {
	kept := slices.DeleteFunc(slices.Clone(rep.Msg.Answer), func(rr dns.RR) bool {
		sig, ok := rr.(*dns.RRSIG)
		return !ok || fqdn.Canonical(sig.Hdr.Name) != q.owner || substitutable(sig.TypeCovered)
	})
	if len(kept) == 0 {
		return c.nodata(q, d, &existence{found: present, presence: presenceIn(rep, false), rep: *rep})
	}
	m := replyTo(c.req, presenceIn(rep, false))
	m.Question, m.Answer = rep.Msg.Question, kept
	out := c.pass(q, standing{proxied, d}, &Reply{Msg: m})
	if out.Verdict == Passed {
		out.Verdict = Substituted
	}
	return out
}

// asBackend passes on what the backend says of a proxied owner that has nothing
// to substitute. No answer belongs into such a response.
func (c *conversation) asBackend(q question, d mapset.Decision, rep Reply) Outcome {
	m := rep.Msg
	if m == nil {
		return c.nothing(d, &rep)
	}
	if len(m.Answer) > 0 {
		return c.withhold(d, ReasonAnswer)
	}
	if m.Truncated {
		return c.undecided(d, truncated)
	}
	return c.pass(q, standing{proxied, d}, &Reply{Msg: withType(m, q.qtype), Gated: rep.Gated})
}

// withType returns a message as if it answered a question of another type.
func withType(m *dns.Msg, qtype uint16) *dns.Msg {
	if len(m.Question) != 1 || m.Question[0].Qtype == qtype {
		return m
	}
	cp := *m
	cp.Question = []dns.Question{m.Question[0]}
	cp.Question[0].Qtype = qtype
	return &cp
}

// ask asks about an owner without chasing aliases.
func (c *conversation) ask(name string, qtype uint16, tentative bool) Reply {
	rep := c.askBackend(Ask{Name: name, Type: qtype, Wildcard: tentative})
	return *c.heard(&rep)
}

// errBudget stands for the reply to a question that is not asked any more.
var errBudget = errors.New("one query led to more questions to the backend than are asked")

// askBackend asks the backend unless this query has led to too many questions: a
// reply with many service records could cause any number, one after the other.
func (c *conversation) askBackend(a Ask) Reply {
	if c.left--; c.left < 0 {
		return Reply{Rcode: dns.RcodeServerFailure, Err: errBudget}
	}
	return c.x.Ask(a)
}

// heard takes note of a reply.
func (c *conversation) heard(rep *Reply) *Reply {
	if rep.Msg != nil {
		c.signed = c.signed || slices.ContainsFunc(rep.Msg.Answer, isSignature) || slices.ContainsFunc(rep.Msg.Ns, isSignature)
	}
	return rep
}
