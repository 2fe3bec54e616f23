package answer

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/presence"
)

// zoned is a backend with one zone, of which every name has an address. As long as
// nothing in it changes it has the same SOA record in memory.
type zoned struct {
	soa   *dns.SOA
	asked map[string]int // :: type → how often
}

func (z *zoned) Ask(a Ask) Reply {
	z.asked[dns.TypeToString[a.Type]]++
	m := new(dns.Msg).SetQuestion(a.Name, a.Type)
	m.Response, m.Authoritative = true, true
	if a.Type == dns.TypeSOA {
		m.Answer = []dns.RR{z.soa}
		return Reply{Msg: m}
	}
	m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: a.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: []byte{10, 66, 0, 1}}}
	m.Ns = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 60}, Ns: "ns.example.org."}}
	return Reply{Msg: m}
}

func versionSOA() *dns.SOA {
	return &dns.SOA{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: "ns.example.org.", Mbox: "h.example.org.", Serial: 1}
}

// Names of a zone in which nothing changes are asked about once: after that it is
// enough to see that nothing has. Once something has, they are asked about again.
func TestQuestionsToTheBackend_UnchangedZone(t *testing.T) {
	const hosts = 20
	text := "anycast: [192.0.2.1]\naccounts:\n  - id: acme\n    zones:\n      - name: example.org\n        proxied:\n"
	for i := range hosts {
		text += fmt.Sprintf("          - host%d\n", i)
	}
	names := testNames(t, text, true)
	memory := presence.New(32 * time.Millisecond)
	t.Cleanup(memory.Close)
	names.Memory, names.Versions = memory.View(), true
	backend := &zoned{versionSOA(), make(map[string]int)}
	// round asks for every host once.
	round := func() {
		for i := range hosts {
			out := respond(new(dns.Msg).SetQuestion(fmt.Sprintf("host%d.example.org.", i), dns.TypeA), names, &Options{TTL: 300}, backend)
			if out.Verdict != Substituted || len(out.Msg.Answer) != 1 || !out.Msg.Authoritative {
				t.Fatalf("host %d: got\n%v", i, out.Msg)
			}
		}
	}
	// settle asks until ten questions about the zone were enough, one after another.
	settle := func(what string) {
		deadline := time.Now().Add(20 * time.Second)
		for looks := 0; looks < 10; {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the names are asked about all the time: %v", what, backend.asked)
			}
			soa, a := backend.asked["SOA"], backend.asked["A"]
			round()
			switch {
			case backend.asked["A"] != a:
				looks = 0
			case backend.asked["SOA"] != soa:
				looks++
			}
		}
	}
	settle("at first")
	before := backend.asked["A"]
	backend.soa = versionSOA()
	deadline := time.Now().Add(20 * time.Second)
	for backend.asked["A"] < before+hosts {
		if round(); time.Now().After(deadline) {
			t.Fatalf("the zone has changed, and the names are not asked about: %v, before %d", backend.asked, before)
		}
	}
	settle("after a change")

	names.Memory, names.Versions = memory.View(), false
	backend.asked = make(map[string]int)
	for backend.asked["A"] < 3*hosts {
		if round(); time.Now().After(deadline) {
			t.Fatalf("a backend whose zones have no versions is not asked: %v", backend.asked)
		}
	}
	if n := backend.asked["SOA"]; n != 0 {
		t.Errorf("a backend whose zones have no versions was asked for %d", n)
	}
}
