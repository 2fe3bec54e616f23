package answer

import (
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/presence"
)

// overUDP is a client that keeps what would be sent to it.
type overUDP struct {
	test.ResponseWriter
	wire []byte
}

func (*overUDP) RemoteAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5353} }

func (c *overUDP) WriteMsg(m *dns.Msg) (err error) {
	c.wire, err = m.Pack()
	return err
}

const wireMap = `
anycast: [192.0.2.1]
accounts:
  - id: acme
    zones:
      - {name: example.org, proxied: ["@", www, 'a\.b', flat]}
    prefixes: [203.0.113.0/24, 2001:db8:100::/48]
    address_maps:
      - {enabled: true, ips: [203.0.113.10, "2001:db8:100::10", 203.0.113.11], memberships: [{kind: account, identifier: acme}]}
`

// What is packed here is what the server would have made of the message, but for
// names being compressed.
func TestPacked_LikeTheServer(t *testing.T) {
	names := testNames(t, wireMap, true)
	memory := presence.New(1 << 40)
	t.Cleanup(memory.Close)
	names.Memory = memory.View()
	rng := rand.New(rand.NewPCG(1, 1))
	var buf [dns.MinMsgSize]byte // with what the answer before has left in it
	for range 20_000 {
		req := new(dns.Msg).SetQuestion(pick(rng, "example.org.", "wWw.example.org.", `a\.b.example.org.`), pick(rng, dns.TypeA, dns.TypeAAAA))
		req.RecursionDesired, req.CheckingDisabled, req.AuthenticatedData = pick(rng, true, false), pick(rng, true, false), pick(rng, true, false)
		req.Zero = pick(rng, true, false)
		if pick(rng, true, false) {
			req.SetEdns0(pick[uint16](rng, 0, 512, 1232, 65535), pick(rng, true, false))
			o := req.IsEdns0()
			o.Hdr.Ttl |= pick[uint32](rng, 0, 0x4000, 0x00010000, 0xff000000, 0x1)
		}
		q := QueryOf(req)
		q.Look(names)
		facts := presence.Facts{Exists: true, Authoritative: pick(rng, true, false), RecursionAvailable: pick(rng, true, false)}
		for range 2 {
			names.Memory.Add(q.owner, q.hash, q.born, presence.Known{Facts: facts}, true, nil)
		}
		if !q.Recall(names) {
			t.Fatal("the name is not known")
		}
		ttl := pick[uint32](rng, 0, 300, 1<<31-1)
		got := unpacked(t, q.Packed(ttl, &buf))
		client := new(overUDP)
		if err := request.NewScrubWriter(req, client).WriteMsg(q.Recalled(ttl)); err != nil {
			t.Fatal(err)
		}
		if want := unpacked(t, client.wire); got.String() != want.String() || got.Id != want.Id || got.Zero != want.Zero {
			t.Fatalf("asked\n%v\ngot\n%v\nwant\n%v", req, got, want)
		}
	}
}

func unpacked(t *testing.T, wire []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		t.Fatalf("%v: %x", err, wire)
	}
	return m
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// What the server would look at, or cut, is left to it.
func TestPacked_LeftToTheServer(t *testing.T) {
	many := make([]string, 20)
	for i := range many {
		many[i] = "192.0.2." + string(rune('1'+i/10)) + string(rune('0'+i%10))
	}
	names := testNames(t, "anycast: ["+strings.Join(many, ", ")+"]\naccounts:\n  - {id: acme, zones: [{name: example.org, proxied: all}]}\n", true)
	long := strings.Repeat("a.", 100) + "example.org."
	query := func(name string, extra ...dns.RR) []byte {
		req := new(dns.Msg).SetQuestion(name, dns.TypeA)
		req.Extra = extra
		q := QueryOf(req)
		q.Look(names)
		q.facts = &found
		return q.Packed(300, new([dns.MinMsgSize]byte))
	}
	cookie := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}, Option: []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"}}}
	a := &dns.A{Hdr: dns.RR_Header{Name: "x.", Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(192, 0, 2, 1)}
	if query("www.example.org.") == nil {
		t.Error("an answer that there is room for is left to the server")
	}
	for what, got := range map[string][]byte{
		"no room":                   query(long),
		"an option":                 query("www.example.org.", cookie),
		"no OPT":                    query("www.example.org.", a),
		"more in the additional":    query("www.example.org.", new(dns.OPT), a),
		"a name that is not packed": query(`\`),
	} {
		if got != nil {
			t.Errorf("%s: packed as %x", what, got)
		}
	}
}

// Packing takes no memory but the buffer.
func TestPacked_Allocates(t *testing.T) {
	names := testNames(t, wireMap, true)
	q := QueryOf(new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA))
	q.Look(names)
	q.facts = &found
	var buf [dns.MinMsgSize]byte
	if n := testing.AllocsPerRun(100, func() { q.Packed(300, &buf) }); n != 0 {
		t.Errorf("packing allocates %v times", n)
	}
	if wire := q.Packed(300, &buf); !slices.Equal(wire[len(wire)-4:], []byte{203, 0, 113, 11}) {
		t.Errorf("packed as %x", wire)
	}
}

// BenchmarkPacked is what is saved: octets made at once, beside a message that the
// server measures and packs.
func BenchmarkPacked(b *testing.B) {
	names := testNames(b, wireMap, true)
	req := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	q := QueryOf(req)
	q.Look(names)
	q.facts = &found
	b.Run("octets", func(b *testing.B) {
		var buf [dns.MinMsgSize]byte
		b.ReportAllocs()
		for b.Loop() {
			q.Packed(300, &buf)
		}
	})
	b.Run("message", func(b *testing.B) {
		client := new(overUDP)
		w := request.NewScrubWriter(req, client)
		b.ReportAllocs()
		for b.Loop() {
			_ = w.WriteMsg(q.Recalled(300)) // TestPacked_LikeTheServer looks at the error
		}
	})
}
