package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Ask answers with the help of the backend.
func (q *Query) Ask(b Backend) Outcome {
	var first *Reply
	if q.inet() && !q.d.Proxied() && !q.d.ByWildcard {
		rep := b.Ask(q.names.ask(q.name, q.qtype, q.d))
		if rep.Msg != nil && !rep.Chased && !hasAlias(rep.Msg) && plain(q.question, rep.Msg, q.names.Serials) {
			if len(rep.Msg.Answer) > 0 {
				q.spare()
			}
			return Outcome{Msg: rep.Msg, Decision: q.d, Type: q.qtype}
		}
		first = &rep
	}
	c := &conversation{req: q.req, names: q.names, b: b, born: q.born, wide: !q.names.Tells && q.names.acts(q.owner)}
	if q.tried {
		c.tried = q.owner
	}
	var out Outcome
	if q.inet() {
		out = c.answer(q.question, q.d, c.heard(first))
		out.Void = c.signed && out.Verdict == Substituted
	} else {
		out = c.pass(q.question, q.d)
	}
	out.Type = q.qtype
	return out
}

// pass asks the backend a query of a class of which the map says nothing, and lets
// nothing of the reply out that would not leave otherwise.
func (c *conversation) pass(q question, d mapset.Decision) Outcome {
	rep := c.b.Ask(Ask{Name: q.name, Type: q.qtype})
	if rep.Msg == nil {
		return c.nothing(d, &rep)
	}
	return c.screen(q, d, rep.Msg)
}

// nothing is the outcome if the backend wrote no message.
func (c *conversation) nothing(d mapset.Decision, rep *Reply) Outcome {
	if rep.Malformed {
		return c.withhold(d, ReasonMalformed)
	}
	return Outcome{Rcode: rep.Rcode, Err: rep.Err, Decision: d}
}

// conversation is the questioning of the backend about one request.
type conversation struct {
	req   *dns.Msg
	names Names
	b     Backend
	depth int // aliases followed
	// wide: what the map says holds for names of other server blocks as well. A
	// backend that is not of the kind of file follows aliases to them without
	// asking their block.
	wide bool

	born  uint32    // when the query was asked, by the clock of the memory
	tried fqdn.Name // of which it is known that it is not remembered

	signed bool   // the backend has signatures
	spared []told // names that turned out not to be proxied
}

// lookup decides for a name that the reply to the question leads to.
func (c *conversation) lookup(name fqdn.Name) mapset.Decision {
	if c.wide {
		return c.names.Snapshot.Lookup(name)
	}
	return c.names.Lookup(name)
}

// existing decides for the owner of a record in the reply.
func (c *conversation) existing(name fqdn.Name) mapset.Decision {
	if c.wide {
		return c.names.Snapshot.Lookup(name)
	}
	return c.names.existing(name)
}

// told is what was decided for an owner once the backend told the wildcard that
// it answered from.
type told struct {
	owner fqdn.Name
	d     mapset.Decision
}

// maxDepth bounds the aliases followed from owner to owner, as file does.
const maxDepth = 8

// answer takes the path that the decision asks for. rep is the backend's reply
// to q, nil if it was not asked yet.
func (c *conversation) answer(q question, d mapset.Decision, rep *Reply) Outcome {
	switch {
	case d.Spectrum:
		return c.spectrum(q, d, rep)
	case !d.Proxied() && !d.ByWildcard:
		return c.unproxied(q, d, rep)
	case q.qtype == dns.TypeA, q.qtype == dns.TypeAAAA, q.qtype == dns.TypeANY:
		return c.addresses(q, d, rep)
	case q.qtype == dns.TypeRRSIG:
		return c.signatures(q, d, rep)
	}
	return c.own(q, d, rep)
}

// addresses answers A, AAAA and ANY at a proxied owner (R2 to R5, R14). Whether
// the owner has an address is all that the answer needs of the backend.
func (c *conversation) addresses(q question, d mapset.Decision, reply *Reply) Outcome {
	if reply == nil {
		if rep, d, ok := c.recall(q, d); ok {
			return c.mapped(q, d, &rep)
		}
	}
	first, asked := firstOf(q, d), d
	rep := c.askUnless(reply, q.name, first, d)
	if d = c.from(q, d, &rep); !d.Proxied() {
		return c.unproxied(q, d, reuse(&rep, first == q.qtype))
	}
	if first == dns.TypeA && nodata(rep.Msg) {
		v6 := c.ask(q.name, dns.TypeAAAA, d)
		if q.qtype != dns.TypeA || hasAddress(v6.Msg, q.owner) {
			rep = v6
		}
	}
	if !c.names.Tells && nodata(rep.Msg) {
		// etcd has no address record at an alias that leads to no address.
		if alias := c.ask(q.name, dns.TypeCNAME, d); has(alias.Msg, q.owner, dns.TypeCNAME) {
			rep = alias
		}
	}
	if !hasAddress(rep.Msg, q.owner) {
		return c.asBackend(q, d, &rep) // R4, R12, R23
	}
	if q.qtype == dns.TypeAAAA && d.NeedsAAAA() && has(rep.Msg, q.owner, dns.TypeCNAME) {
		return c.nodata(q, d, &rep) // R3: whether the target has one is not waited for
	}
	c.remember(q, d, &rep, asked.Named())
	return c.mapped(q, d, &rep)
}

// mapped answers with the mapped addresses, or NODATA if there are none.
func (c *conversation) mapped(q question, d mapset.Decision, rep *Reply) Outcome {
	f := mapset.IPv4
	if q.qtype == dns.TypeAAAA || q.qtype == dns.TypeANY && !d.Answers(f) {
		f = mapset.IPv6
	}
	if !d.Answers(f) || q.qtype == dns.TypeANY && f == mapset.IPv6 && !c.answersIPv6(q.name, q.owner, d) {
		return c.nodata(q, d, rep)
	}
	m := c.reply(rep)
	m.Answer = records(q.name, d, f, c.names.TTL)
	return Outcome{Msg: m, Verdict: Substituted, Decision: d}
}

// spectrum answers for the name of a Spectrum application (R24): its addresses
// do not depend on the backend.
func (c *conversation) spectrum(q question, d mapset.Decision, reply *Reply) Outcome {
	switch q.qtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeANY:
		return c.mapped(q, d, nil)
	case dns.TypeRRSIG:
		return c.signatures(q, d, reply)
	}
	return c.own(q, d, reply)
}

// own answers any other type at a proxied owner: the backend's records of that
// type at that owner, never its CNAME nor what is behind it (R6, R13).
func (c *conversation) own(q question, d mapset.Decision, reply *Reply) Outcome {
	rep := c.askUnless(reply, q.name, q.qtype, d)
	if d = c.from(q, d, &rep); !d.Proxied() {
		return c.unproxied(q, d, &rep)
	}
	m := rep.Msg
	if m == nil || len(m.Answer) == 0 {
		return c.without(q, d, &rep)
	}
	if !has(m, q.owner, dns.TypeCNAME) {
		if q.qtype == dns.TypeSRV && !c.names.Tells && c.isAlias(q, d) {
			return c.nodata(q, d, &rep)
		}
		return c.screen(q, d, m)
	}
	var kept []dns.RR
	for _, rr := range m.Answer {
		if h := rr.Header(); h.Rrtype == q.qtype && q.qtype != dns.TypeCNAME && fqdn.Canonical(h.Name) == q.owner {
			kept = append(kept, rr)
		}
	}
	if len(kept) == 0 {
		return c.without(q, d, &rep)
	}
	out := c.reply(&rep)
	out.Answer = kept
	return substituted(c.screen(q, d, out), d)
}

// isAlias reports whether the backend has an alias at a proxied owner where it has
// records of another type as well: etcd makes an SRV record of the same service,
// with the target of the alias (R6).
func (c *conversation) isAlias(q question, d mapset.Decision) bool {
	return slices.ContainsFunc([]uint16{dns.TypeCNAME, dns.TypeA, dns.TypeAAAA}, func(t uint16) bool {
		return has(c.ask(q.name, t, d).Msg, q.owner, dns.TypeCNAME)
	})
}

// without answers for a proxied owner that has no record of the type.
func (c *conversation) without(q question, d mapset.Decision, rep *Reply) Outcome {
	if q.qtype == dns.TypeHTTPS && len(c.names.ALPN) > 0 && c.hasAddress(q, d, rep) {
		return c.synthesize(q, d, rep) // R10
	}
	m := rep.Msg
	switch {
	case has(m, q.owner, dns.TypeCNAME):
		return c.nodata(q, d, rep)
	case d.Spectrum && m != nil && m.Rcode == dns.RcodeNameError:
		return c.nodata(q, d, rep) // R24: the name exists
	}
	return c.asBackend(q, d, rep)
}

// hasAddress reports whether the backend has an address or an alias at the
// owner, of which rep is the reply for another type.
func (c *conversation) hasAddress(q question, d mapset.Decision, rep *Reply) bool {
	switch {
	case has(rep.Msg, q.owner, dns.TypeCNAME):
		return true
	case d.Spectrum && rep.Msg != nil && rep.Msg.Rcode == dns.RcodeNameError:
		return true
	case !nodata(rep.Msg):
		return false
	case d.Spectrum:
		return true
	}
	for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
		if hasAddress(c.ask(q.name, t, d).Msg, q.owner) {
			return true
		}
	}
	return false
}

// signatures answers a query for RRSIG (R15): without those of what is
// substituted.
func (c *conversation) signatures(q question, d mapset.Decision, reply *Reply) Outcome {
	rep := c.askUnless(reply, q.name, q.qtype, d)
	if d = c.from(q, d, &rep); !d.Proxied() {
		return c.unproxied(q, d, &rep)
	}
	if rep.Msg == nil || len(rep.Msg.Answer) == 0 {
		return c.without(q, d, &rep)
	}
	var kept []dns.RR
	for _, rr := range rep.Msg.Answer {
		if sig, ok := rr.(*dns.RRSIG); ok && fqdn.Canonical(sig.Hdr.Name) == q.owner && !substitutable(sig.TypeCovered) {
			kept = append(kept, rr)
		}
	}
	if len(kept) == 0 {
		return c.nodata(q, d, &rep)
	}
	m := c.reply(&rep)
	m.Answer = kept
	return Outcome{Msg: m, Verdict: Substituted, Decision: d}
}

// asBackend passes on what the backend says of a proxied owner that has nothing
// to substitute. No answer belongs into such a response.
func (c *conversation) asBackend(q question, d mapset.Decision, rep *Reply) Outcome {
	if rep.Msg == nil {
		return c.nothing(d, rep)
	}
	if len(rep.Msg.Answer) > 0 {
		return c.withhold(d, ReasonAnswer)
	}
	m := rep.Msg
	if len(m.Question) != 1 || m.Question[0].Qtype != q.qtype || m.Rcode != dns.RcodeSuccess && m.IsEdns0() != nil {
		// The backend was asked something else; and why a resolver failed (RFC
		// 8914) can name the servers behind an alias.
		cp := *m
		cp.Question = []dns.Question{c.req.Question[0]}
		if m.Rcode != dns.RcodeSuccess {
			cp.Extra = withoutOPT(m.Extra)
		}
		m = &cp
	}
	return c.screen(q, d, m)
}

// askUnless asks about an owner unless the reply is there.
func (c *conversation) askUnless(reply *Reply, name string, qtype uint16, d mapset.Decision) Reply {
	if reply != nil {
		return *reply
	}
	return c.ask(name, qtype, d)
}

// ask asks about an owner without chasing aliases.
func (c *conversation) ask(name string, qtype uint16, d mapset.Decision) Reply {
	rep := c.b.Ask(c.names.ask(name, qtype, d))
	return *c.heard(&rep)
}

// heard takes note of a reply.
func (c *conversation) heard(rep *Reply) *Reply {
	if rep != nil && rep.Msg != nil {
		c.signed = c.signed || slices.ContainsFunc(rep.Msg.Answer, isSignature) || slices.ContainsFunc(rep.Msg.Ns, isSignature)
	}
	return rep
}

// from decides for the owner in question once the backend has replied. That it is
// not proxied after all holds for whatever else the backend says of it.
func (c *conversation) from(q question, d mapset.Decision, rep *Reply) mapset.Decision {
	if d = c.names.from(q.owner, d, rep.Wildcard); !d.Proxied() {
		c.spared = append(c.spared, told{q.owner, d})
	}
	return d
}

func reuse(rep *Reply, same bool) *Reply {
	if same {
		return rep
	}
	return nil
}

func substituted(o Outcome, d mapset.Decision) Outcome {
	if o.Verdict == Passed {
		o.Verdict, o.Decision = Substituted, d
	}
	return o
}
