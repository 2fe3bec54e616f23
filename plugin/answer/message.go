package answer

import (
	"net"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/presence"
)

// response is a message and the question it repeats, in one piece of memory.
type response struct {
	msg      dns.Msg
	question [1]dns.Question
}

// reply starts a response to the request, with the AA and RA of the backend's
// reply. An application that was answered without the backend is authoritative.
func (c *conversation) reply(rep *Reply) *dns.Msg { return replyTo(c.req, factsOf(rep)) }

func replyTo(req *dns.Msg, facts presence.Facts) *dns.Msg {
	r := &response{question: [1]dns.Question{req.Question[0]}}
	r.msg.Id = req.Id
	r.msg.Response = true
	r.msg.Opcode = req.Opcode
	r.msg.RecursionDesired = req.RecursionDesired
	r.msg.CheckingDisabled = req.CheckingDisabled
	r.msg.Question = r.question[:]
	r.msg.Authoritative, r.msg.RecursionAvailable = facts.Authoritative, facts.RecursionAvailable
	return &r.msg
}

// factsOf returns what of a reply is worth remembering. rep may be nil.
func factsOf(rep *Reply) presence.Facts {
	switch {
	case rep != nil && rep.Facts != nil:
		return *rep.Facts
	case rep != nil && rep.Msg != nil:
		return presence.Facts{
			Exists:             true,
			Authoritative:      rep.Msg.Authoritative,
			RecursionAvailable: rep.Msg.RecursionAvailable,
			Wildcard:           rep.Wildcard,
		}
	}
	return presence.Facts{Authoritative: true}
}

// records returns the address records of one family, in the map's order.
func records(name string, d mapset.Decision, f mapset.Family, ttl uint32) []dns.RR {
	octets, size := d.Octets(f), f.Size()
	out := make([]dns.RR, len(octets)/size)
	if f == mapset.IPv4 {
		rrs := make([]dns.A, len(out))
		for i := range rrs {
			ip := octets[i*size : (i+1)*size : (i+1)*size]
			rrs[i] = dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl, Rdlength: net.IPv4len}, A: ip}
			out[i] = &rrs[i]
		}
		return out
	}
	rrs := make([]dns.AAAA, len(out))
	for i := range rrs {
		ip := octets[i*size : (i+1)*size : (i+1)*size]
		rrs[i] = dns.AAAA{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: ttl, Rdlength: net.IPv6len}, AAAA: ip}
		out[i] = &rrs[i]
	}
	return out
}

// nodata answers that the owner has no record of the type, with the zone's SOA
// (RFC 2308, section 2.2) and nothing else: what signs on line needs just that.
func (c *conversation) nodata(q question, d mapset.Decision, rep *Reply) Outcome {
	m := c.reply(rep)
	if soa := c.soa(q, rep); soa != nil {
		m.Ns = []dns.RR{c.names.counted(soa)}
	}
	return Outcome{Msg: m, Verdict: Substituted, Decision: d}
}

// soa finds the SOA of the backend's zone that the owner is in, which may lie
// above or below that of the map. That of a reply with an alias may be of the zone
// behind the alias, so that the names above are asked about then.
func (c *conversation) soa(q question, rep *Reply) *dns.SOA {
	if rep != nil && rep.Msg != nil && len(rep.Msg.Answer) == 0 {
		if soa := soaIn(rep.Msg.Ns, q.owner); soa != nil {
			return soa
		}
	}
	at, ok := q.owner, true
	if rep != nil && has(rep.Msg, q.owner, dns.TypeCNAME) {
		at, ok = at.Parent()
	}
	for ; ok && (c.names.acts(at) || c.lookup(at).Zone() != ""); at, ok = at.Parent() {
		m := c.b.Ask(Ask{Name: string(at), Type: dns.TypeSOA}).Msg
		if m == nil || has(m, at, dns.TypeCNAME) {
			continue
		}
		for _, section := range [2][]dns.RR{m.Ns, m.Answer} {
			if soa := soaIn(section, q.owner); soa != nil {
				return negative(soa)
			}
		}
	}
	return nil
}

// negative returns an SOA as it stands in a negative answer: with the lesser of
// the two TTLs (RFC 2308, section 3).
func negative(soa *dns.SOA) *dns.SOA {
	if soa.Hdr.Ttl <= soa.Minttl {
		return soa
	}
	cp := *soa
	cp.Hdr.Ttl = soa.Minttl
	return &cp
}

func soaIn(rrs []dns.RR, owner fqdn.Name) *dns.SOA {
	for _, rr := range rrs {
		if soa, ok := rr.(*dns.SOA); ok && owner.In(fqdn.Canonical(soa.Hdr.Name)) {
			return soa
		}
	}
	return nil
}

// withhold answers with [Failure].
func (c *conversation) withhold(d mapset.Decision, reason string) Outcome {
	return Outcome{Msg: Failure(c.req), Verdict: Withheld, Reason: reason, Decision: d}
}

// Failure is the response in place of one that might hold an origin address:
// SERVFAIL, to clients that speak EDNS with an Extended DNS Error (RFC 8914).
func Failure(req *dns.Msg) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(req, dns.RcodeServerFailure)
	if req.IsEdns0() != nil {
		m.SetEdns0(dns.DefaultMsgSize, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{
			InfoCode:  dns.ExtendedErrorCodeOther,
			ExtraText: "addressmap: withheld, it might hold the address of an origin",
		}}
	}
	return m
}

// has reports whether the answer holds a record of type t at owner. m may be nil.
func has(m *dns.Msg, owner fqdn.Name, t uint16) bool {
	if m == nil {
		return false
	}
	for _, rr := range m.Answer {
		if h := rr.Header(); h.Rrtype == t && fqdn.Canonical(h.Name) == owner {
			return true
		}
	}
	return false
}

// hasAddress reports whether the answer holds an A, AAAA or CNAME at owner,
// whatever the rcode is: a failure is then one of the name behind the alias.
func hasAddress(m *dns.Msg, owner fqdn.Name) bool {
	if m == nil {
		return false
	}
	for _, rr := range m.Answer {
		if h := rr.Header(); isAddress(h.Rrtype) && fqdn.Canonical(h.Name) == owner {
			return true
		}
	}
	return false
}

func isAddress(t uint16) bool {
	return t == dns.TypeA || t == dns.TypeAAAA || t == dns.TypeCNAME
}

// substitutable reports whether records of type t may be substituted at a
// proxied owner, so that a signature over them is void.
func substitutable(t uint16) bool {
	return isAddress(t) || t == dns.TypeHTTPS || t == dns.TypeSVCB
}

// nodata reports whether m says that the name exists and has no such record.
func nodata(m *dns.Msg) bool {
	return m != nil && m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0 && !isReferral(m)
}

// isReferral reports whether m refers to the servers of a child zone.
func isReferral(m *dns.Msg) bool {
	ns := false
	for _, rr := range m.Ns {
		switch rr.Header().Rrtype {
		case dns.TypeSOA:
			return false
		case dns.TypeNS:
			ns = true
		}
	}
	return ns
}

func isSignature(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeRRSIG }

func withoutOPT(rrs []dns.RR) []dns.RR {
	var out []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			out = append(out, rr)
		}
	}
	return out
}
