package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// unproxied answers for an owner that is not proxied itself: with the backend's
// response (R1), or up to where its aliases reach a proxied owner (R7).
func (c *conversation) unproxied(q question, d mapset.Decision, rep *Reply) Outcome {
	if rep == nil {
		asked := c.ask(q.name, q.qtype, d)
		rep = &asked
	}
	if out, ok := c.through(q, rep); ok {
		return out
	}
	if rep.Chased {
		asked := c.b.Ask(Ask{Name: q.name, Type: q.qtype, Chase: true})
		rep = &asked
		if out, ok := c.through(q, rep); ok {
			return out
		}
	}
	if rep.Msg == nil {
		return c.nothing(d, rep)
	}
	return c.screen(q, d, rep.Msg)
}

// through follows the aliases in a reply to the first owner that may be proxied.
// If it is, through answers with the aliases up to it and then for that owner,
// and reports true.
func (c *conversation) through(q question, rep *Reply) (Outcome, bool) {
	if rep.Msg == nil || q.qtype == dns.TypeCNAME || q.qtype == dns.TypeANY || !hasAlias(rep.Msg) {
		return Outcome{}, false
	}
	chain, next := c.toProxied(q.owner, rep.Msg.Answer)
	if next.owner == "" {
		return Outcome{}, false
	}
	next.qtype = q.qtype
	d := c.lookup(next.owner)
	if c.depth++; c.depth > maxDepth {
		return c.withhold(d, ReasonLoop), true
	}
	out := c.answer(next, d, nil)
	switch {
	case out.Verdict == Withheld:
		return out, true
	case out.Verdict == Passed && !out.Decision.Proxied():
		return Outcome{}, false // a wildcard's mark that does not cover it
	case out.Verdict == Passed && !c.names.acts(next.owner):
		return Outcome{}, false // the backend does not have it, another server block may
	case out.Msg == nil:
		m := c.reply(rep)
		m.Rcode = dns.RcodeServerFailure
		m.Answer = chain
		return Outcome{Msg: m, Verdict: Substituted, Decision: out.Decision}, true
	}
	m := c.reply(rep)
	m.Rcode = out.Msg.Rcode // RFC 6604, section 3: that of the last name
	m.Answer = append(chain, out.Msg.Answer...)
	m.Ns = out.Msg.Ns
	m.Extra = withoutOPT(out.Msg.Extra)
	return Outcome{Msg: m, Verdict: Substituted, Decision: out.Decision}, true
}

// toProxied walks the aliases of owner and returns the records up to the first
// owner that is proxied, or that a wildcard decides for; the question is empty
// if there is none.
func (c *conversation) toProxied(owner fqdn.Name, answer []dns.RR) ([]dns.RR, question) {
	var chain []dns.RR
	for range answer {
		target := ""
		for _, rr := range answer {
			at := fqdn.Canonical(rr.Header().Name)
			switch rr := rr.(type) {
			case *dns.CNAME:
				if at != owner || target != "" {
					continue
				}
				target = rr.Target
			case *dns.DNAME:
				if at == owner || !owner.In(at) {
					continue
				}
			case *dns.RRSIG:
				if !(rr.TypeCovered == dns.TypeCNAME && at == owner || rr.TypeCovered == dns.TypeDNAME && at != owner && owner.In(at)) {
					continue
				}
			default:
				continue
			}
			chain = append(chain, rr)
		}
		if target == "" {
			return nil, question{}
		}
		owner = fqdn.Canonical(target)
		if d := c.lookup(owner); d.Proxied() || d.ByWildcard {
			return chain, question{name: target, owner: owner}
		}
	}
	return nil, question{}
}

func hasAlias(m *dns.Msg) bool {
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == dns.TypeCNAME {
			return true
		}
	}
	return false
}
