package answer

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// anything is a backend that answers questions for addresses with one message and
// all others with another, whatever is in them.
type anything struct{ address, other []byte }

// Datagram implements [Exchange].
func (a anything) Datagram() bool { return true }

// Ask implements [Exchange].
func (a anything) Ask(q Ask) Reply {
	wire := a.other
	if q.Type == dns.TypeA || q.Type == dns.TypeAAAA {
		wire = a.address
	}
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return Reply{Malformed: true}
	}
	return Reply{Msg: m, Chased: !q.Chase}
}

// FuzzRespond holds the one rule above all: whatever a backend says, the address of
// a proxied name does not leave, in no section and no type.
func FuzzRespond(f *testing.F) {
	names := testNames(f, testMap, false)
	for _, seed := range []struct{ question, address, other string }{
		{"www.example.org. A", "www.example.org. 60 IN A 10.66.0.1", scriptSOA},
		{"flat.example.org. TXT", "flat.example.org. 60 IN CNAME hidden.example.com.", `flat.example.org. 60 IN CNAME hidden.example.com.; hidden.example.com. 60 IN TXT "x"`},
		{"alias.example.org. A", "alias.example.org. 60 IN CNAME www.example.org.; www.example.org. 60 IN A 10.66.0.1", scriptSOA},
		{"example.org. MX", "mail.example.net. 60 IN AAAA 2001:db8:66::1", "example.org. 60 IN MX 10 mail.example.net.; |; example.org. 60 IN NS ns.example.org.; +; mail.example.net. 60 IN A 10.66.0.1"},
		{"svc.example.com. HTTPS", "www.example.org. 60 IN A 10.66.0.1", `svc.example.com. 60 IN HTTPS 1 www.example.org. mandatory="ipv4hint" ipv4hint="10.66.0.1"`},
		{"www.sub.example.net. A", "|; sub.example.net. 60 IN NS ns.sub.example.net.; +; ns.sub.example.net. 60 IN A 10.66.0.1", ""},
		{"a.old.example.net. A", "old.example.net. 60 IN DNAME new.example.com.; a.old.example.net. 60 IN CNAME a.new.example.com.", ""},
		{"www.example.org. RRSIG", "", "www.example.org. 60 IN RRSIG A 13 3 60 20800101000000 20200101000000 1 example.org. aGlkZGVu"},
		{"www.example.org. ANY", "www.example.org. 60 IN A 10.66.0.1", "www.example.org. 60 IN A 10.66.0.1"},
		{"app.example.org. TXT", "", "NXDOMAIN"},
		{"any.wild.example.org. A", "any.wild.example.org. 60 IN A 10.66.0.1", ""},
	} {
		q := split(seed.question)
		f.Add(q.Name, q.Qtype, true, pack(f, seed.address), pack(f, seed.other))
	}
	names.ALPN = []string{"h2"}
	f.Fuzz(func(t *testing.T, name string, qtype uint16, inet bool, address, other []byte) {
		if _, ok := dns.IsDomainName(name); !ok {
			t.Skip()
		}
		req := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
		if !inet {
			req.Question[0].Qclass = dns.ClassCHAOS
		}
		out := respond(req, names, anything{address, other})
		if out.Msg() == nil {
			t.Fatalf("the backend wrote something, and nothing is answered: %+v", out)
		}
		for _, rr := range out.Msg().Answer {
			hold(t, names, out.Msg(), rr)
		}
		for _, rr := range out.Msg().Ns {
			hold(t, names, out.Msg(), rr)
		}
		for _, rr := range out.Msg().Extra {
			if !glue(names, out.Msg(), fqdn.Canonical(rr.Header().Name)) {
				hold(t, names, out.Msg(), rr)
			}
		}
	})
}

// hold complains if a record holds origin data.
func hold(t *testing.T, names *Names, m *dns.Msg, rr dns.RR) {
	owner := fqdn.Canonical(rr.Header().Name)
	proxied := names.Lookup(owner).Proxied()
	var ips []net.IP
	switch rr := rr.(type) {
	case *dns.A:
		ips = append(ips, rr.A)
	case *dns.AAAA:
		ips = append(ips, rr.AAAA)
	case *dns.CNAME:
		if proxied {
			t.Fatalf("the alias of a proxied name leaves: %v in\n%v", rr, m)
		}
	case *dns.HTTPS, *dns.SVCB:
		svcb := svcbOf(rr)
		if svcb.Target != "." {
			proxied = names.Lookup(fqdn.Canonical(svcb.Target)).Proxied()
		}
		for _, p := range svcb.Value {
			switch p := p.(type) {
			case *dns.SVCBIPv4Hint:
				ips = append(ips, p.Hint...)
			case *dns.SVCBIPv6Hint:
				ips = append(ips, p.Hint...)
			}
		}
	}
	if !proxied {
		return
	}
	for _, ip := range ips {
		addr, _ := netip.AddrFromSlice(ip)
		switch addr.Unmap().String() {
		case "192.0.2.1", "2001:db8::1", "203.0.113.7":
		default:
			t.Fatalf("%v leaves: %v in\n%v", addr, rr, m)
		}
	}
}

// glue reports whether an additional record at owner is glue of a referral.
func glue(names *Names, m *dns.Msg, owner fqdn.Name) bool {
	if !isReferral(m) {
		return false
	}
	for _, rr := range m.Ns {
		if cut := fqdn.Canonical(rr.Header().Name); rr.Header().Rrtype == dns.TypeNS && owner.In(cut) && names.Lookup(cut).Zone() != cut {
			return true
		}
	}
	return false
}

// split reads a question written as "owner TYPE".
func split(text string) dns.Question {
	name, qtype, _ := strings.Cut(text, " ")
	return dns.Question{Name: name, Qtype: dns.StringToType[qtype], Qclass: dns.ClassINET}
}

// pack packs a message as a script writes it, with additional records after "+".
func pack(tb testing.TB, text string) []byte {
	tb.Helper()
	text, extra, _ := strings.Cut(text, "+;")
	s := &script{tb: tb, replies: map[string]string{". A": text, ". TXT": extra}}
	m := s.Ask(Ask{Name: ".", Type: dns.TypeA}).Msg
	m.Extra = s.Ask(Ask{Name: ".", Type: dns.TypeTXT}).Msg.Answer
	wire, err := m.Pack()
	if err != nil {
		tb.Fatal(err)
	}
	return wire
}
