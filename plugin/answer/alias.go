package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// unproxied answers for an owner that is not proxied itself: with the backend's
// response (R1), or up to where its aliases reach a proxied owner (R7). rep is the
// backend's reply to q, nil if it was not asked yet.
func (c *conversation) unproxied(q question, d mapset.Decision, tentative bool, rep *Reply) Outcome {
	if rep == nil {
		asked := c.ask(q.name, q.qtype, tentative)
		rep = &asked
	}
	if out, ok := c.through(q, rep); ok {
		return out
	}
	if rep.Chased {
		c.chased = true
		asked := c.askBackend(Ask{Name: q.name, Type: q.qtype, Chase: true})
		rep = &asked
		if out, ok := c.through(q, rep); ok {
			return out
		}
	}
	return c.pass(q, standing{unproxied, d}, rep)
}

// through follows the aliases in a reply to the first owner that may be proxied.
// If it is, through answers with the aliases up to it and then for that owner,
// and reports true.
func (c *conversation) through(q question, rep *Reply) (Outcome, bool) {
	if rep.Msg == nil || q.qtype == dns.TypeCNAME || q.qtype == dns.TypeANY || aliases(rep.Msg.Answer) == 0 {
		return Outcome{}, false
	}
	if aliases(rep.Msg.Answer, rep.Msg.Ns, rep.Msg.Extra) > maxAliases {
		return c.withhold(c.names.Lookup(q.owner), ReasonLoop), true
	}
	chain, next, d, tentative := c.toProxied(q.owner, rep)
	if next.owner == "" {
		return Outcome{}, false
	}
	next.qtype = q.qtype
	if c.depth++; c.depth > maxDepth {
		return c.withhold(d, ReasonLoop), true
	}
	out := c.answer(next, d, tentative)
	switch {
	case out.Verdict == Withheld, out.Verdict == Truncated:
		return out, true
	case out.Verdict == Passed && !out.Decision.Proxied():
		return Outcome{}, false // a wildcard's mark that does not cover it
	case out.Verdict == Passed && tentative && (rep.Chased || c.chased):
		return Outcome{}, false // nothing to substitute: where the alias leads, another server block may answer
	case out.Verdict == Passed && !c.names.acts(next.owner) && (out.msg == nil || len(out.msg.Answer) == 0):
		return Outcome{}, false // the backend does not have it, another server block may
	}
	out.Released = c.join(presenceIn(rep, true), chain, out.Released)
	out.Rcode, out.Err, out.Verdict = 0, nil, Substituted
	return out, true
}

// toProxied walks the aliases of owner and returns the records up to the first
// owner that is proxied, or that the backend has to tell of, with what is known of
// it; the question is empty if there is none.
func (c *conversation) toProxied(owner fqdn.Name, rep *Reply) (chain []dns.RR, next question, d mapset.Decision, tentative bool) {
	answer := rep.Msg.Answer
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
			return nil, question{}, d, false
		}
		owner = fqdn.Canonical(target)
		if d, tentative = c.first(owner); !d.Proxied() && !tentative && c.strays(owner, rep) {
			d = c.outside(owner)
		}
		if d.Proxied() || tentative {
			return chain, question{name: target, owner: owner}, d, tentative
		}
	}
	return nil, question{}, d, false
}

// strays reports whether a reply has records of an owner that is proxied elsewhere,
// and no other directive answered for it.
func (c *conversation) strays(owner fqdn.Name, rep *Reply) bool {
	return !c.names.acts(owner) && !rep.gated(owner) && c.outside(owner).Proxied() &&
		slices.ContainsFunc(rep.Msg.Answer, func(rr dns.RR) bool {
			return isAddress(rr.Header().Rrtype) && fqdn.Canonical(rr.Header().Name) == owner
		})
}
