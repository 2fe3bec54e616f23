package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// leak looks for secrets in the octets of one response.
func (c *Case) leak(q *query, raw []byte) Verdict {
	if c.World.index == nil || c.World.Options.Transfer == "origin" && q.transfer {
		return Verdict{}
	}
	hits := c.World.index.scan(raw)
	if len(hits) == 0 {
		return Verdict{}
	}
	known := map[*Secret]bool{}
	for _, h := range c.World.index.scan(c.Query) {
		known[h.secret] = true
	}
	l := walk(raw)
	for _, h := range hits {
		if known[h.secret] || c.mayLeave(q, raw, &l, h) {
			continue
		}
		place, rule := c.where(q, &l, h)
		return Verdict{Leak, rule, place, fmt.Sprintf("%s (data of %s) as %s at octet %d", h.secret, h.secret.Of, h.form, h.at), "it never leaves"}
	}
	return Verdict{}
}

// mayLeave says whether a rule lets the secret out at this place.
func (c *Case) mayLeave(q *query, raw []byte, l *layout, h hit) bool {
	s := h.secret
	for _, label := range s.KnownBy {
		if strings.Contains(strings.ToLower(q.name), label) {
			return true
		}
	}
	r := l.at(h.at)
	if r == nil {
		return false
	}
	if s.Told && !c.World.IsProxied(q.name) && !slices.ContainsFunc(l.records, c.substitute) {
		return true
	}
	if s.Public != "" && r.owner == s.Public {
		return true
	}
	if (r.rrtype == dns.TypeRRSIG || r.rrtype == dns.TypeDNSKEY) && h.form == "octets" {
		return true // chance: four octets of a signature
	}
	if q.transfer && c.mayTransfer(r, s) {
		return true
	}
	return s.Glue != "" && r.owner == s.Glue && (r.rrtype == dns.TypeA || r.rrtype == dns.TypeAAAA) &&
		h.at == r.rdata && (q.transfer || c.isGlue(raw, r))
}

// substitute says whether the record is one that takes the place of another, so
// that the response is not the backend's own any more.
func (c *Case) substitute(r record) bool {
	switch r.rrtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeHTTPS, dns.TypeSVCB:
		return c.World.IsProxied(r.owner)
	}
	return false
}

// mayTransfer says whether a transfer may hold the secret in this record: what
// unproxied owners have is transferred as it is, and each owner of the zone stands at
// its own records, mapped or not (R18).
func (c *Case) mayTransfer(r *record, s *Secret) bool {
	own := func(rr dns.RR) bool {
		t := rr.Header().Rrtype
		return t != dns.TypeCNAME && strings.Contains(strings.ToLower(rr.String()), s.Label)
	}
	if s.Label != "" && r.rrtype != dns.TypeCNAME && (c.Transfer == nil || slices.ContainsFunc(c.Transfer, own)) {
		return true
	}
	return (s.Label != "" || len(s.KnownBy) > 0) && !c.World.IsProxied(r.owner)
}

// isGlue says whether the record is glue by R12: beside a delegation to its
// owner, at or below the cut, with no answer from there.
func (c *Case) isGlue(raw []byte, r *record) bool {
	m := new(dns.Msg)
	if m.Unpack(raw) != nil || r.section != "additional" {
		return false
	}
	for _, rr := range m.Ns {
		ns, ok := rr.(*dns.NS)
		if !ok || !strings.EqualFold(ns.Ns, r.owner) || !dns.IsSubDomain(ns.Hdr.Name, r.owner) {
			continue
		}
		if !slices.ContainsFunc(m.Answer, func(a dns.RR) bool { return dns.IsSubDomain(ns.Hdr.Name, a.Header().Name) }) {
			return true
		}
	}
	// The address of a name server below a cut is glue wherever it is added.
	return !slices.ContainsFunc(m.Answer, func(a dns.RR) bool { return strings.EqualFold(a.Header().Name, r.owner) })
}

// where names the place of a leak and the rule that is broken.
func (c *Case) where(q *query, l *layout, h hit) (place, rule string) {
	r := l.at(h.at)
	switch {
	case r != nil:
		place = fmt.Sprintf("%s in %s section, asked for %s", dns.Type(r.rrtype), r.section, dns.Type(q.qtype))
	case h.at < l.questionEnd:
		place = "question section"
	case l.err != nil:
		place = "octets that are no record"
	default:
		place = "after the last record"
	}
	if h.secret.Rule != "" {
		return place, h.secret.Rule
	}
	switch {
	case q.malformed != "" || q.opcode != dns.OpcodeQuery:
		return place + ", opcode " + opcodeClass(q.opcode) + " " + q.malformed, "R21"
	case q.class != dns.ClassINET:
		return place + ", other class", "R25"
	case q.transfer:
		return place, "R18"
	case r == nil:
		return place, "one rule"
	}
	switch r.rrtype {
	case dns.TypeOPT:
		rule = "R30"
	case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
		rule = "R15"
	case dns.TypeHTTPS, dns.TypeSVCB:
		rule = "R9"
	case dns.TypeCNAME:
		rule = "R5"
	case dns.TypeSRV, dns.TypePTR, dns.TypeNAPTR, dns.TypeMX, dns.TypeTXT, dns.TypeDNAME:
		rule = "R6"
	default:
		rule = map[string]string{"answer": "R2", "authority": "one rule", "additional": "R11"}[r.section]
	}
	return place, rule
}
