package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// finding is what a reply says of the records of one type at one owner.
type finding uint8

// The findings. The zero finding is that the reply says nothing that an answer may
// depend on.
const (
	failed    finding = iota // no reply, a failure, or an answer to something else
	truncated                // the records may be where the reply was cut
	absent                   // the name does not exist
	empty                    // the name has no such record
	referred                 // the name lies below a zone cut
	alias                    // the name has a CNAME
	present                  // the name has such records
)

// known reports whether an answer may depend on the finding.
func (f finding) known() bool { return f != failed && f != truncated }

// findingOf reads a reply to a question about records of type t at owner. A record that is
// there counts whatever the rcode is, which is that of the name behind an alias (RFC
// 6604), and wherever the reply is cut.
func findingOf(rep *Reply, owner fqdn.Name, t uint16) finding {
	m := rep.Msg
	switch {
	case m == nil, m.Opcode != dns.OpcodeQuery:
		return failed
	case len(m.Question) != 1 || m.Question[0].Qtype != t || fqdn.Canonical(m.Question[0].Name) != owner:
		return failed
	case has(m, owner, dns.TypeCNAME):
		return alias
	case has(m, owner, t):
		return present
	case t == dns.TypeSOA && m.Rcode == dns.RcodeSuccess && soaIn(m.Answer, owner) != nil:
		return present // etcd answers SOA at any name with that of its zone
	case m.Truncated:
		return truncated
	case len(m.Answer) > 0:
		return failed
	case m.Rcode == dns.RcodeNameError:
		return absent
	case m.Rcode != dns.RcodeSuccess:
		return failed
	case isReferral(m):
		return referred
	}
	return empty
}

// answersTo reports whether a message repeats a question of the request's class.
func answersTo(m *dns.Msg, q question, req *dns.Msg) bool {
	if len(m.Question) != 1 {
		return false
	}
	got := &m.Question[0]
	return got.Qtype == q.qtype && got.Qclass == req.Question[0].Qclass &&
		(got.Name == q.name || fqdn.Canonical(got.Name) == q.owner)
}
