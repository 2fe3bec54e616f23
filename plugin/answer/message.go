package answer

import (
	"net"
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// response is a message and the question it repeats, in one piece of memory.
type response struct {
	msg      dns.Msg
	question [1]dns.Question
}

// replyTo starts a response to a request, with the AA and RA of the backend's reply.
func replyTo(req *dns.Msg, p Presence) *dns.Msg {
	r := &response{question: [1]dns.Question{req.Question[0]}}
	r.msg.Id = req.Id
	r.msg.Response = true
	r.msg.Opcode = req.Opcode
	r.msg.RecursionDesired = req.RecursionDesired
	r.msg.CheckingDisabled = req.CheckingDisabled
	r.msg.Question = r.question[:]
	r.msg.Authoritative, r.msg.RecursionAvailable = p.Authoritative, p.RecursionAvailable
	return &r.msg
}

// presenceIn returns what a reply shows of a name that has an address or an alias.
func presenceIn(rep *Reply, isAlias bool) Presence {
	if rep.Msg == nil {
		return Presence{Exists: true, Authoritative: true, Alias: isAlias}
	}
	return Presence{
		Exists:             true,
		Alias:              isAlias,
		Authoritative:      rep.Msg.Authoritative,
		RecursionAvailable: rep.Msg.RecursionAvailable,
		Wildcard:           rep.Wildcard,
	}
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
// (RFC 2308, section 2.2) and nothing else: what signs on line needs just that. A
// backend that has no SOA gives none (R27).
func (c *conversation) nodata(q question, d mapset.Decision, ex *existence) Outcome {
	soa, f := c.soa(q, ex)
	if !f.known() {
		return c.undecided(d, f)
	}
	m := replyTo(c.req, ex.presence)
	if soa != nil {
		m.Ns = []dns.RR{c.names.counted(soa)}
	}
	return Outcome{Released: release(m), Verdict: Substituted, Decision: d}
}

// soa looks up the SOA of the backend's zone that the owner is in, which may lie
// above or below that of the map, from the owner upwards. That of a reply with an
// alias may be of the zone behind the alias. It is nil if the backend has none, and
// the finding unknown if a question failed.
func (c *conversation) soa(q question, ex *existence) (*dns.SOA, finding) {
	if m := ex.rep.Msg; m != nil && len(m.Answer) == 0 {
		if soa := soaIn(m.Ns, q.owner); soa != nil {
			return soa, present
		}
	}
	for at, ok := q.owner, true; ok && (c.names.acts(at) || c.names.Snapshot.Declares(at)); at, ok = at.Parent() {
		rep := c.ask(string(at), dns.TypeSOA, false)
		f := findingOf(&rep, at, dns.TypeSOA)
		if rep.Msg != nil && f != alias {
			for _, section := range [2][]dns.RR{rep.Msg.Answer, rep.Msg.Ns} {
				if soa := soaIn(section, q.owner); soa != nil {
					return negative(soa), present
				}
			}
		}
		if !rep.silent() && !f.known() {
			return nil, f
		}
	}
	return nil, empty
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

// undecided answers where an inner question that the answer depends on failed or was
// truncated (R23).
func (c *conversation) undecided(d mapset.Decision, f finding) Outcome {
	if f != truncated || !c.x.Datagram() {
		return c.withhold(d, ReasonUndecided)
	}
	m := replyTo(c.req, Presence{})
	m.Truncated = true
	return Outcome{Released: release(m), Verdict: Truncated, Decision: d}
}

// withhold answers with [Failure].
func (c *conversation) withhold(d mapset.Decision, reason string) Outcome {
	return Outcome{Released: Failure(c.req, reason), Verdict: Withheld, Reason: reason, Decision: d}
}

// Failure is the response in place of one that is withheld for a reason: SERVFAIL, to
// clients that speak EDNS with an Extended DNS Error (RFC 8914).
func Failure(req *dns.Msg, reason string) Released {
	m := new(dns.Msg)
	m.SetRcode(req, dns.RcodeServerFailure)
	if req.IsEdns0() == nil {
		return release(m)
	}
	text := "withheld, it might hold the address of an origin"
	switch reason {
	case ReasonUnlisted:
		text = "the map does not know this zone"
	case ReasonClosed:
		text = "the part of the map that may hold this name is refused"
	}
	m.SetEdns0(dns.DefaultMsgSize, false)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeOther, ExtraText: "addressmap: " + text}}
	return release(m)
}

// Refusal is a response with the rcode REFUSED and nothing else.
func Refusal(req *dns.Msg) Released {
	m := new(dns.Msg)
	m.SetRcode(req, dns.RcodeRefused)
	return release(m)
}

// has reports whether the answer holds a record of type t at owner. m may be nil.
func has(m *dns.Msg, owner fqdn.Name, t uint16) bool {
	if m == nil {
		return false
	}
	for _, rr := range m.Answer {
		if h := rr.Header(); h.Rrtype == t && h.Class == dns.ClassINET && fqdn.Canonical(h.Name) == owner {
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

func without(rrs []dns.RR, t uint16) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool { return rr.Header().Rrtype == t })
}

// withoutText returns an OPT record with the options of a backend's that may leave
// where a proxied name is in play: COOKIE, NSID, ECS, and errors (RFC 8914) without
// their text. It returns opt itself if nothing has to go.
func withoutText(opt *dns.OPT) *dns.OPT {
	out, same := make([]dns.EDNS0, 0, len(opt.Option)), true
	for _, option := range opt.Option {
		switch o := option.(type) {
		case *dns.EDNS0_COOKIE, *dns.EDNS0_NSID, *dns.EDNS0_SUBNET:
			out = append(out, option)
		case *dns.EDNS0_EDE:
			if o.ExtraText != "" {
				option, same = &dns.EDNS0_EDE{InfoCode: o.InfoCode}, false
			}
			out = append(out, option)
		default:
			same = false
		}
	}
	if same {
		return opt
	}
	return &dns.OPT{Hdr: opt.Hdr, Option: out}
}
