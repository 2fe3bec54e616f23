package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// screen is the one place that decides what of a backend's response may leave.
// It passes the response on as it is if nothing in it is of a proxied owner;
// else it passes a copy with the substitutions of R9, R11 and R15, or withholds
// it. d is the decision for the owner in question.
func (c *conversation) screen(q question, d mapset.Decision, m *dns.Msg) Outcome {
	if !d.Proxied() && plain(q, m, c.names.Serials) {
		return Outcome{Msg: m, Decision: d}
	}
	s := screener{c: c, q: q, d: d, shown: d, cut: cutOf(m)}
	answer, ok := s.section(m.Answer, s.inAnswer)
	if !ok {
		return c.withhold(s.shown, ReasonAnswer)
	}
	ns, ok := s.section(m.Ns, s.inAnswer)
	if !ok {
		return c.withhold(s.shown, ReasonAuthority)
	}
	extra, ok := s.section(m.Extra, s.inAdditional)
	if !ok {
		return c.withhold(s.shown, ReasonAdditional)
	}
	if !s.changed {
		return Outcome{Msg: m, Decision: s.shown}
	}
	cp := *m
	cp.Answer, cp.Ns, cp.Extra = s.voided(answer), s.voided(ns), s.voided(extra)
	return Outcome{Msg: &cp, Verdict: s.verdict, Decision: s.shown}
}

// plain recognises the common response about an unproxied owner that needs no
// closer look: addresses at the owner as asked, name servers or an SOA, no
// additional records but OPT.
func plain(q question, m *dns.Msg, serials bool) bool {
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Name != q.name {
			return false
		}
		switch h.Rrtype {
		case dns.TypeHTTPS, dns.TypeSVCB, dns.TypeSOA:
			return false
		}
	}
	for _, rr := range m.Ns {
		switch rr.Header().Rrtype {
		case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeHTTPS, dns.TypeSVCB:
			return false
		case dns.TypeSOA:
			if serials {
				return false
			}
		}
	}
	for _, rr := range m.Extra {
		if rr.Header().Rrtype != dns.TypeOPT {
			return false
		}
	}
	return true
}

// screener carries what is known while the records of one message are judged.
type screener struct {
	c       *conversation
	q       question
	d       mapset.Decision // for the owner in question
	shown   mapset.Decision // to the operator: of the last owner substituted
	cut     fqdn.Name       // of a referral; its glue is left alone
	done    []fqdn.Name     // owners whose additional addresses are in place
	void    []rrset         // whose signatures no longer hold
	changed bool
	verdict Verdict
}

type rrset struct {
	owner fqdn.Name
	rtype uint16
}

// section judges each record of a section. It returns rrs itself if every one
// of them may leave as it is, and false if one may not leave at all.
func (s *screener) section(rrs []dns.RR, judge func(dns.RR, fqdn.Name) judgement) ([]dns.RR, bool) {
	var out []dns.RR // nil as long as every record may stay
	for i, rr := range rrs {
		j := judge(rr, fqdn.Canonical(rr.Header().Name))
		if j.bar {
			return nil, false
		}
		if !j.replace {
			if out != nil {
				out = append(out, rr)
			}
			continue
		}
		if out == nil {
			out = append(make([]dns.RR, 0, len(rrs)+len(j.with)), rrs[:i]...)
		}
		out = append(out, j.with...)
		s.changed = true
		if rr.Header().Rrtype != dns.TypeSOA {
			s.verdict = Substituted
		}
	}
	if out == nil {
		return rrs, true
	}
	return out, true
}

// judgement is what becomes of one record. The zero judgement lets it stay.
type judgement struct {
	bar     bool // no rule lets it leave
	replace bool // with what stands in with, which may be nothing
	with    []dns.RR
}

// inAnswer judges a record of the answer or authority section.
func (s *screener) inAnswer(rr dns.RR, owner fqdn.Name) judgement {
	switch t := rr.Header().Rrtype; {
	case isAddress(t):
		d := s.of(owner)
		return judgement{bar: d.Proxied() && !isMapped(rr, d)}
	case t == dns.TypeHTTPS || t == dns.TypeSVCB:
		return s.service(rr, owner)
	case t == dns.TypeRRSIG:
		return judgement{replace: s.signsSubstituted(rr, owner)}
	case t == dns.TypeSOA:
		counted := s.c.names.counted(rr)
		if counted == rr {
			return judgement{}
		}
		s.void = append(s.void, rrset{owner, t})
		return judgement{replace: true, with: []dns.RR{counted}}
	}
	return judgement{}
}

// isMapped reports whether a record has one of the mapped addresses, as another
// server block puts them in the place of the backend's.
func isMapped(rr dns.RR, d mapset.Decision) bool {
	switch rr := rr.(type) {
	case *dns.A:
		return slices.ContainsFunc(d.IPs(mapset.IPv4), rr.A.Equal)
	case *dns.AAAA:
		return slices.ContainsFunc(d.IPs(mapset.IPv6), rr.AAAA.Equal)
	}
	return false
}

// inAdditional judges a record of the additional section: the addresses of a
// proxied owner are replaced, both families at the place of the first (R11),
// and glue stays as it is (R12).
func (s *screener) inAdditional(rr dns.RR, owner fqdn.Name) judgement {
	t := rr.Header().Rrtype
	if s.isGlue(owner) {
		return judgement{}
	}
	if t != dns.TypeA && t != dns.TypeAAAA {
		return s.inAnswer(rr, owner)
	}
	d := s.of(owner)
	if !d.Proxied() {
		return judgement{}
	}
	if slices.Contains(s.done, owner) {
		return judgement{replace: true}
	}
	s.done = append(s.done, owner)
	s.shown = d
	name := rr.Header().Name
	with := records(name, d, mapset.IPv4, s.c.names.TTL)
	if s.c.answersIPv6(name, owner, d) {
		with = append(with, records(name, d, mapset.IPv6, s.c.names.TTL)...)
	}
	return judgement{replace: true, with: with}
}

// of decides for the owner of a record.
func (s *screener) of(owner fqdn.Name) mapset.Decision {
	if owner == s.q.owner {
		return s.d
	}
	for _, t := range s.c.spared {
		if t.owner == owner {
			return t.d
		}
	}
	return s.c.existing(owner)
}

// signsSubstituted reports whether a signature covers what is substituted at
// its owner (R15). Those of service records are judged after the records.
func (s *screener) signsSubstituted(rr dns.RR, owner fqdn.Name) bool {
	sig, ok := rr.(*dns.RRSIG)
	return ok && isAddress(sig.TypeCovered) && s.of(owner).Proxied()
}

// isGlue reports whether owner lies at or below the zone cut that the response
// refers to: its addresses are those of the child zone's servers.
func (s *screener) isGlue(owner fqdn.Name) bool {
	if s.cut == "" || !owner.In(s.cut) {
		return false
	}
	return isGlue(s.cut, s.c.existing(owner))
}

// isGlue reports whether a name at or below a zone cut, for which d decides, has
// its addresses left alone (R12). It has not if the map has the child zone: what
// is proxied there never leaves, nor by way of the parent.
func isGlue(cut fqdn.Name, d mapset.Decision) bool {
	return d.Zone() == "" || cut != d.Zone() && cut.In(d.Zone())
}

// cutOf returns the zone cut of a referral, or "". The NS of a positive answer
// are those of its own zone.
func cutOf(m *dns.Msg) fqdn.Name {
	if !isReferral(m) {
		return ""
	}
	for _, rr := range m.Answer {
		if t := rr.Header().Rrtype; t != dns.TypeCNAME && t != dns.TypeDNAME && t != dns.TypeRRSIG {
			return ""
		}
	}
	for _, rr := range m.Ns {
		if rr.Header().Rrtype == dns.TypeNS {
			return fqdn.Canonical(rr.Header().Name)
		}
	}
	return ""
}

// voided drops the signatures of RRsets that were changed.
func (s *screener) voided(rrs []dns.RR) []dns.RR {
	if len(s.void) == 0 {
		return rrs
	}
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool {
		sig, ok := rr.(*dns.RRSIG)
		return ok && slices.Contains(s.void, rrset{fqdn.Canonical(sig.Hdr.Name), sig.TypeCovered})
	})
}
