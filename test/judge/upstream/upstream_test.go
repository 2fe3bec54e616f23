package upstream

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	_ "github.com/addressmap/addressmap/test/judge/opt"
)

const zone = `
example.org. 60 IN SOA ns. host. 1 2 3 4 5
www.example.org. 60 IN A 192.0.2.1
alias.example.org. 60 IN CNAME www.example.org.
*.wild.example.org. 60 IN TXT "wild"
x.ent.example.org. 60 IN A 192.0.2.2
cut.example.org. 60 IN NS ns.cut.example.org.
ns.cut.example.org. 60 IN A 192.0.2.3
old.example.org. 60 IN DNAME example.org.
`

func zones(t *testing.T) *Zones {
	var rrs []dns.RR
	p := dns.NewZoneParser(strings.NewReader(zone), "", "")
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		rrs = append(rrs, rr)
	}
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return New(rrs, false)
}

func TestZones_Answer(t *testing.T) {
	z := zones(t)
	for _, tc := range []struct {
		name       string
		qtype      uint16
		rcode      int
		an, ns, ex int
	}{
		{"www.example.org.", dns.TypeA, 0, 1, 0, 0},
		{"www.example.org.", dns.TypeTXT, 0, 0, 1, 0},
		{"alias.example.org.", dns.TypeA, 0, 2, 0, 0},
		{"alias.example.org.", dns.TypeCNAME, 0, 1, 0, 0},
		{"a.b.wild.example.org.", dns.TypeTXT, 0, 1, 0, 0},
		{"wild.example.org.", dns.TypeTXT, 0, 0, 1, 0},
		{"ent.example.org.", dns.TypeA, 0, 0, 1, 0},
		{"none.ent.example.org.", dns.TypeA, dns.RcodeNameError, 0, 1, 0},
		{"host.cut.example.org.", dns.TypeA, 0, 0, 1, 1},
		{"www.old.example.org.", dns.TypeA, 0, 3, 0, 0},
		{"example.com.", dns.TypeA, dns.RcodeRefused, 0, 0, 0},
	} {
		q := new(dns.Msg)
		m := z.Answer(q.SetQuestion(tc.name, tc.qtype))
		if m.Rcode != tc.rcode || len(m.Answer) != tc.an || len(m.Ns) != tc.ns || len(m.Extra) != tc.ex {
			t.Errorf("%s %s: want %d %d/%d/%d, got\n%v", tc.name, dns.Type(tc.qtype), tc.rcode, tc.an, tc.ns, tc.ex, m)
		}
	}
	if rrs := z.Transfer("example.org."); len(rrs) != 9 {
		t.Errorf("want 8 records and the SOA again, got %v", rrs)
	}
}

// Every kind of mistake changes the answer, or keeps it back.
func TestPlan_EveryKindSpoils(t *testing.T) {
	z := zones(t)
	for _, kind := range Kinds {
		if kind == "slow" {
			continue // that is in the waiting
		}
		p := &Plan{Kind: kind, Others: z.names["x.ent.example.org."], Text: "text", Lie: []byte{192, 0, 2, 9}}
		q := new(dns.Msg)
		q.SetQuestion("www.example.org.", dns.TypeA)
		right, err := z.Answer(q).Pack()
		if err != nil {
			t.Fatal(err)
		}
		m, octets := p.spoil(z.Answer(q), q, 1, true)
		if octets == nil && m != nil {
			if octets, err = m.Pack(); err != nil {
				t.Fatal(err)
			}
		}
		if string(octets) == string(right) {
			t.Errorf("%s: the answer is the right one", kind)
		}
	}
}
