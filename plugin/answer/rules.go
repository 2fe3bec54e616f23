package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// plain recognises the common response about an unproxied owner, of which every
// record passes by the first glance: records at the owner as asked, name servers or
// an SOA of an authority section, no additional records but OPT.
func plain(q question, m *dns.Msg, serials bool) bool {
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Name != q.name {
			return false
		}
		switch h.Rrtype {
		case dns.TypeHTTPS, dns.TypeSVCB, dns.TypeSOA, dns.TypeCNAME:
			return false
		}
	}
	for _, rr := range m.Ns {
		switch rr.Header().Rrtype {
		case dns.TypeNS, dns.TypeDS, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeRRSIG:
		case dns.TypeSOA:
			if serials {
				return false
			}
		default:
			return false
		}
	}
	for _, rr := range m.Extra {
		if rr.Header().Rrtype != dns.TypeOPT {
			return false
		}
	}
	return true
}

// inAnswer judges a record of the answer section. A record at an owner that the
// question does not lead to is dropped where it may not leave.
func (g *gate) inAnswer(rr dns.RR, owner fqdn.Name) ruling {
	if g.q.qtype == dns.TypeANY && g.reaches && owner != g.q.owner && !(rr.Header().Rrtype == dns.TypeDNAME && g.q.owner.In(owner)) {
		return ruling{fate: dropped} // R28
	}
	r := g.inAny(rr, owner)
	if r.fate != withheld {
		return r
	}
	if _, on := g.chain[owner]; !on || g.q.qtype == dns.TypeCNAME && owner != g.q.owner {
		return ruling{fate: dropped}
	}
	return r
}

// inAuthority judges a record of the authority section, without which an answer is
// right, if it is not one of those that say why there is none.
func (g *gate) inAuthority(rr dns.RR, owner fqdn.Name) ruling {
	if isAddress(rr.Header().Rrtype) && g.s.kind == proxied || g.q.qtype == dns.TypeANY && g.reaches {
		return ruling{fate: dropped} // R28: it would be of what is behind the alias
	}
	return g.optional(rr, owner)
}

// optional judges a record without which the answer is right.
func (g *gate) optional(rr dns.RR, owner fqdn.Name) ruling {
	r := g.inAny(rr, owner)
	if r.fate == withheld {
		return ruling{fate: dropped}
	}
	return r
}

// inAny judges a record of the answer or authority section. Of a name that nothing but
// the alias of a proxied one leads to, none leaves: its owner would tell.
func (g *gate) inAny(rr dns.RR, owner fqdn.Name) ruling {
	if _, hidden := g.hidden[owner]; hidden {
		if _, on := g.chain[owner]; !on {
			return ruling{fate: dropped}
		}
	}
	switch t := rr.Header().Rrtype; t {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
		return g.address(rr, owner)
	case dns.TypeHTTPS, dns.TypeSVCB:
		return g.service(rr, owner)
	case dns.TypeSOA:
		return g.soa(rr, owner)
	case dns.TypeRRSIG:
		return g.signature(rr, owner)
	case dns.TypeNS, dns.TypeDS, dns.TypeDNSKEY, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM:
		return ruling{fate: passed} // they are about the zone, never about the address of a name
	case dns.TypeDNAME:
		if g.q.owner.In(owner) || g.of(owner).kind == unproxied && (leadsOn(g.chain, owner) || !leadsOn(g.hidden, owner)) {
			return ruling{fate: passed} // an alias for the names below its owner, not of its owner
		}
	case dns.TypeOPT, dns.TypeTSIG:
		return ruling{fate: dropped} // out of place
	default:
		return g.other(owner, t)
	}
	return ruling{fate: withheld}
}

// leadsOn reports whether a DNAME at owner makes an alias of one of the names.
func leadsOn(names fqdn.Set, owner fqdn.Name) bool {
	for name := range names {
		if name.In(owner) {
			return true
		}
	}
	return false
}

// address judges an A, AAAA or CNAME record.
func (g *gate) address(rr dns.RR, owner fqdn.Name) ruling {
	switch s := g.of(owner); s.kind {
	case unproxied:
		return ruling{fate: passed}
	case proxied, elsewhere:
		if isMapped(rr, s.d) || g.rep.gated(owner) {
			return ruling{fate: passed}
		}
		g.shown = s.d
	}
	return ruling{fate: withheld}
}

// other judges a record of any other type: at a proxied owner it leaves if it was
// asked for, of which the caller saw that it is not made up from an alias (R6, R13).
func (g *gate) other(owner fqdn.Name, t uint16) ruling {
	switch g.of(owner).kind {
	case unproxied:
		return ruling{fate: passed}
	case proxied, elsewhere:
		if owner == g.q.owner && t == g.q.qtype || g.rep.gated(owner) {
			return ruling{fate: passed}
		}
	}
	return ruling{fate: withheld}
}

// soa lets the SOA of a zone out, with the serial that is shown to the world (R18).
func (g *gate) soa(rr dns.RR, owner fqdn.Name) ruling {
	counted := g.c.names.counted(rr)
	if counted == rr {
		return ruling{fate: passed}
	}
	g.void = append(g.void, rrset{owner, dns.TypeSOA})
	return ruling{fate: replaced, with: []dns.RR{counted}}
}

// signature lets a signature out that covers nothing which is substituted at its owner
// (R15). Those of service records are judged after the records.
func (g *gate) signature(rr dns.RR, owner fqdn.Name) ruling {
	sig, ok := rr.(*dns.RRSIG)
	if !ok {
		return ruling{fate: withheld}
	}
	if isAddress(sig.TypeCovered) && g.of(owner).kind != unproxied && !g.rep.gated(owner) {
		return ruling{fate: dropped}
	}
	return ruling{fate: passed}
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

// inAdditional judges a record of the additional section, without which every answer
// is right: the addresses of a proxied owner are replaced, both families at the place
// of the first (R11), and glue stays as it is (R12).
func (g *gate) inAdditional(rr dns.RR, owner fqdn.Name) ruling {
	switch t := rr.Header().Rrtype; {
	case t == dns.TypeOPT, t == dns.TypeTSIG:
		return ruling{fate: passed} // judged when all else is
	case g.q.qtype == dns.TypeANY && g.reaches:
		return ruling{fate: dropped} // R28
	case g.s.kind == proxied && !g.isGlue(owner) && !g.isNamed(owner):
		return ruling{fate: dropped} // nothing in the message needs it
	case (t == dns.TypeA || t == dns.TypeAAAA) && g.isGlue(owner):
		return ruling{fate: passed}
	case t == dns.TypeA || t == dns.TypeAAAA:
		if s := g.of(owner); s.kind == proxied && rr.Header().Class == dns.ClassINET && !isMapped(rr, s.d) && !g.rep.gated(owner) {
			if !g.isNamed(owner) {
				return ruling{fate: dropped} // nothing in the message needs it
			}
			return g.substitute(rr.Header().Name, owner, s)
		}
	}
	return g.optional(rr, owner)
}

// isNamed reports whether the answer or authority section names an owner as where a
// service is.
func (g *gate) isNamed(owner fqdn.Name) bool {
	_, ok := g.named()[owner]
	return ok
}

// named returns the owners that records of the answer and authority section name as
// where a service is: those whose addresses an additional section is for (RFC 1035,
// section 3.3, and the documents of each type).
func (g *gate) named() fqdn.Set {
	if g.targets != nil {
		return g.targets
	}
	g.targets = make(fqdn.Set)
	for _, section := range [2][]dns.RR{g.rep.Msg.Answer, g.rep.Msg.Ns} {
		for _, rr := range section {
			to := ""
			switch rr := rr.(type) {
			case *dns.NS:
				to = rr.Ns
			case *dns.MX:
				to = rr.Mx
			case *dns.SRV:
				to = rr.Target
			case *dns.NAPTR:
				to = rr.Replacement
			case *dns.PTR:
				to = rr.Ptr
			case *dns.KX:
				to = rr.Exchanger
			case *dns.AFSDB:
				to = rr.Hostname
			case *dns.RT:
				to = rr.Host
			case *dns.SVCB, *dns.HTTPS:
				if to = svcbOf(rr).Target; to == "." {
					to = rr.Header().Name
				}
			}
			if to != "" {
				g.targets[fqdn.Canonical(to)] = struct{}{}
			}
		}
	}
	return g.targets
}

// maxMapped bounds the addresses of the map in one additional section: those of a
// thousand names would be made, and then cut off.
const maxMapped = 1024

// substitute puts the addresses of a proxied owner in the place of its first.
func (g *gate) substitute(name string, owner fqdn.Name, s standing) ruling {
	if _, done := g.done[owner]; done {
		return ruling{fate: replaced}
	}
	if g.addrsLeft -= (len(s.d.Octets(mapset.IPv4)) / mapset.IPv4.Size()) + len(s.d.Octets(mapset.IPv6))/mapset.IPv6.Size(); g.addrsLeft < 0 {
		return ruling{fate: dropped}
	}
	if g.done == nil {
		g.done = make(fqdn.Set)
	}
	g.done[owner] = struct{}{}
	g.shown, g.substituted = s.d, true
	with := records(name, s.d, mapset.IPv4, g.c.names.TTL)
	if f, _ := g.c.answersIPv6(name, owner, s.d); f == present {
		with = append(with, records(name, s.d, mapset.IPv6, g.c.names.TTL)...)
	}
	return ruling{fate: replaced, with: with}
}

// opt lets the OPT record out as the backend has it where the whole message leaves so,
// else without the texts of errors, which can name the
// servers behind an alias (R30).
func (g *gate) opt(rr dns.RR) ruling {
	opt, ok := rr.(*dns.OPT)
	if !ok {
		return ruling{fate: dropped}
	}
	if g.s.kind == unproxied && len(g.hidden) == 0 && !g.reaches && !g.changed {
		return ruling{fate: passed}
	}
	cp := withoutText(opt)
	if cp == opt {
		return ruling{fate: passed}
	}
	return ruling{fate: replaced, with: []dns.RR{cp}}
}

// isGlue reports whether owner is a name server of the zone cut that the response
// refers to, and lies at or below the cut: its addresses are those of the child zone's
// servers. What the backend has in memory tells of other responses.
func (g *gate) isGlue(owner fqdn.Name) bool {
	if g.cut != "" && owner.In(g.cut) {
		for _, rr := range g.rep.Msg.Ns {
			if ns, ok := rr.(*dns.NS); ok && fqdn.Canonical(ns.Hdr.Name) == g.cut && fqdn.Canonical(ns.Ns) == owner {
				return true
			}
		}
	}
	return g.c.names.Backend.IsGlue(owner)
}

// cutOf returns the zone cut that a message refers to, or "". A message is no referral
// (R12) that fails, is authoritative, answers at or below the cut, or names one that
// does not enclose the name that the aliases of the question lead to. Nobody refers to
// the servers of the root.
func cutOf(q question, m *dns.Msg) fqdn.Name {
	if m.Authoritative || m.Rcode != dns.RcodeSuccess || !isReferral(m) {
		return ""
	}
	cut := fqdn.Name("")
	for _, rr := range m.Ns {
		if h := rr.Header(); h.Rrtype == dns.TypeNS && h.Class == dns.ClassINET {
			cut = fqdn.Canonical(h.Name)
			break
		}
	}
	last := q.owner
	for range m.Answer {
		if to := aliasIn(m, last); to != "" {
			last = fqdn.Canonical(to)
		}
	}
	if cut == "" || cut == "." || !last.In(cut) ||
		slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return fqdn.Canonical(rr.Header().Name).In(cut) }) {
		return ""
	}
	return cut
}

// of returns the standing of the owner of a record.
func (g *gate) of(owner fqdn.Name) standing {
	if owner == g.q.owner {
		return g.s
	}
	return g.c.standingOf(owner)
}
