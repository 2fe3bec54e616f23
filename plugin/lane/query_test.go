package lane

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// packed returns the packet of a question, changed by change if that is not nil.
func packed(t testing.TB, name string, qtype uint16, change func(*dns.Msg)) []byte {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, qtype)
	m.Id = 7
	if change != nil {
		change(m)
	}
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// cookie adds what dig adds.
func cookie(m *dns.Msg) {
	m.SetEdns0(1232, false)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"}}
}

// cut takes the last octet off, and says so in the length of the options.
func cut(wire []byte) []byte {
	wire = wire[:len(wire)-1]
	wire[len(wire)-12]--
	return wire
}

func TestParse(t *testing.T) {
	opt := func(size uint16, do bool) func(*dns.Msg) {
		return func(m *dns.Msg) { m.SetEdns0(size, do) }
	}
	for _, tc := range []struct {
		name   string
		packet []byte
		want   string // the name, "" if it is none for the lane
		size   int
		do     bool
	}{
		{"A", packed(t, "www.example.org.", dns.TypeA, nil), "www.example.org.", 512, false},
		{"AAAA in capitals", packed(t, "WwW.Example.ORG.", dns.TypeAAAA, nil), "www.example.org.", 512, false},
		{"EDNS", packed(t, "www.example.org.", dns.TypeA, opt(1232, false)), "www.example.org.", 1232, false},
		{"EDNS with DO", packed(t, "www.example.org.", dns.TypeA, opt(4096, true)), "www.example.org.", 4096, true},
		{"a small EDNS buffer", packed(t, "www.example.org.", dns.TypeA, opt(100, false)), "www.example.org.", 512, false},
		{"an underscore", packed(t, "_a-b.example.org.", dns.TypeA, nil), "_a-b.example.org.", 512, false},
		{"the longest label", packed(t, strings.Repeat("a", 63)+".org.", dns.TypeA, nil), strings.Repeat("a", 63) + ".org.", 512, false},
		{"another type", packed(t, "www.example.org.", dns.TypeHTTPS, nil), "", 0, false},
		{"another class", packed(t, "www.example.org.", dns.TypeA, func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), "", 0, false},
		{"the root", packed(t, ".", dns.TypeA, nil), "", 0, false},
		{"an escape", packed(t, `a\.b.example.org.`, dns.TypeA, nil), "", 0, false},
		{"an asterisk", packed(t, "*.example.org.", dns.TypeA, nil), "", 0, false},
		{"a response", packed(t, "www.example.org.", dns.TypeA, func(m *dns.Msg) { m.Response = true }), "", 0, false},
		{"NOTIFY", packed(t, "www.example.org.", dns.TypeA, func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), "", 0, false},
		{"TC", packed(t, "www.example.org.", dns.TypeA, func(m *dns.Msg) { m.Truncated = true }), "", 0, false},
		{"two questions", packed(t, "www.example.org.", dns.TypeA, func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), "", 0, false},
		{"an answer", packed(t, "www.example.org.", dns.TypeA, func(m *dns.Msg) { m.Answer = []dns.RR{new(dns.ANY)} }), "", 0, false},
		{"a cookie", packed(t, "www.example.org.", dns.TypeA, cookie), "www.example.org.", 1232, false},
		{"a cookie that is cut", cut(packed(t, "www.example.org.", dns.TypeA, cookie)), "", 0, false},
		{"an EDNS option", packed(t, "www.example.org.", dns.TypeA, func(m *dns.Msg) {
			m.SetEdns0(1232, false)
			m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_NSID{Code: dns.EDNS0NSID}}
		}), "", 0, false},
		{"another EDNS version", packed(t, "www.example.org.", dns.TypeA, func(m *dns.Msg) {
			m.SetEdns0(1232, false)
			m.IsEdns0().SetVersion(1)
		}), "", 0, false},
		{"octets behind it", append(packed(t, "www.example.org.", dns.TypeA, nil), 0), "", 0, false},
		{"one octet less", packed(t, "www.example.org.", dns.TypeA, nil)[:32], "", 0, false},
		{"nothing", nil, "", 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var buf [256]byte
			q, ok := parse(tc.packet, &buf, true)
			if !ok {
				if tc.want != "" {
					t.Fatalf("%x is left to CoreDNS", tc.packet)
				}
				return
			}
			if got := string(q.name); got != tc.want || q.size != tc.size || q.do() != tc.do {
				t.Errorf("parse() = %q, size %d, DO %t, want %q, %d, %t", got, q.size, q.do(), tc.want, tc.size, tc.do)
			}
		})
	}
}

// FuzzParse holds parse to what miekg/dns reads of the same packet.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"000701000001000000000000037777770765786d706c65036f72670000010001",
		"00070100000100000000000103777777076578616d706c65036f726700001c0001000029100000008000" + "0000",
	} {
		wire, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Add(packed(f, "www.example.org.", dns.TypeA, cookie))
	f.Add(packed(f, "www.example.org.", dns.TypeAAAA, func(m *dns.Msg) { m.SetEdns0(1232, true) }))
	f.Fuzz(func(t *testing.T, wire []byte) {
		var buf [256]byte
		q, ok := parse(wire, &buf, true)
		if !ok {
			return
		}
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil {
			t.Fatalf("the lane takes a packet that is none: %v", err)
		}
		asked := m.Question[0]
		family := map[uint16]mapset.Family{dns.TypeA: mapset.IPv4, dns.TypeAAAA: mapset.IPv6}[asked.Qtype]
		switch opt := m.IsEdns0(); {
		case len(m.Question) != 1, len(m.Answer)+len(m.Ns) > 0, m.Response, m.Opcode != dns.OpcodeQuery:
			t.Errorf("the lane takes %v", m)
		case fqdn.Canonical(asked.Name) != fqdn.Name(q.name), asked.Qclass != dns.ClassINET, family != q.family, asked.Qtype != q.qtype():
			t.Errorf("the lane reads %s %v of %v", q.name, q.family, asked)
		case (opt != nil) != (q.opt != nil), opt != nil && (opt.Do() != q.do() || slices.ContainsFunc(opt.Option, func(o dns.EDNS0) bool { return o.Option() != dns.EDNS0COOKIE })):
			t.Errorf("the lane reads OPT % x of %v", q.opt, opt)
		}
	})
}
