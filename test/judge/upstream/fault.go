package upstream

import (
	"net"

	"github.com/miekg/dns"
)

// Kinds are the mistakes that the server can make.
var Kinds = []string{
	"servfail", "refused", "formerr", "notimp", "nxdomain", "tcempty", "tcdata", "tcudp",
	"silence", "wrongquestion", "othersanswer", "othersauthority", "othersextra",
	"ede", "edenoerror", "optopts", "second", "slow", "garbage",
}

// Plan is what the server does wrong, and with what.
type Plan struct {
	Kind   string
	Hits   func(name string, qtype uint16) bool
	Others []dns.RR // data of other proxied names
	Text   string   // the text of an EDE
	Lie    net.IP   // an address for the second answer
}

// spoil turns a right answer into the wrong one. A nil message is silence;
// octets take the place of a message that cannot be packed.
func (p *Plan) spoil(m *dns.Msg, r *dns.Msg, nth int, udp bool) (out *dns.Msg, octets []byte) {
	q := r.Question[0]
	fail := func(rcode int) *dns.Msg {
		e := new(dns.Msg)
		e.SetRcode(r, rcode)
		return e
	}
	switch p.Kind {
	case "servfail":
		return fail(dns.RcodeServerFailure), nil
	case "refused":
		return fail(dns.RcodeRefused), nil
	case "formerr":
		return fail(dns.RcodeFormatError), nil
	case "notimp":
		return fail(dns.RcodeNotImplemented), nil
	case "nxdomain":
		return fail(dns.RcodeNameError), nil
	case "tcempty", "tcudp":
		if p.Kind == "tcudp" && !udp {
			return m, nil
		}
		e := fail(dns.RcodeSuccess)
		e.Truncated, e.Authoritative = true, true
		return e, nil
	case "tcdata":
		m.Truncated = true
	case "silence":
		return nil, nil
	case "wrongquestion":
		m.Question[0].Name = "wrong." + q.Name
	case "othersanswer":
		m.Answer = append(m.Answer, p.Others...)
	case "othersauthority":
		m.Ns = append(m.Ns, p.Others...)
	case "othersextra":
		m.Extra = append(m.Extra, p.Others...)
	case "ede":
		e := fail(dns.RcodeServerFailure)
		p.opt(e, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeNoReachableAuthority, ExtraText: p.Text})
		return e, nil
	case "edenoerror":
		p.opt(m, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeStaleAnswer, ExtraText: p.Text})
	case "optopts":
		p.opt(m, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte(p.Text)}, &dns.EDNS0_LOCAL{Code: 65002, Data: p.Lie})
	case "second":
		if nth%2 == 1 {
			e := fail(dns.RcodeSuccess)
			e.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: p.Lie}}
			return e, nil
		}
	case "garbage":
		b, err := m.Pack()
		if err != nil || len(b) < 20 {
			return fail(dns.RcodeServerFailure), nil
		}
		return m, b[:len(b)-5]
	}
	return m, nil
}

func (p *Plan) opt(m *dns.Msg, options ...dns.EDNS0) {
	o := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}, Option: options}
	o.SetUDPSize(1232)
	m.Extra = append(m.Extra, o)
}
