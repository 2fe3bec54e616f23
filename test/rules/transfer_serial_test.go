package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// follows is RFC 1982's "newer than", as a client has it.
func follows(a, b uint32) bool { return int32(a-b) > 0 }

const serialCorefile = `example.org {
    transfer {
        to *
    }
    addressmap maps.yaml
    file db.example.org {
        reload 10ms
    }
}
`

// serialZone is a zone file with this serial and some records.
func serialZone(serial uint32, records ...string) string {
	return fmt.Sprintf("@ 3600 IN SOA ns hostmaster %d 7200 3600 1209600 300\nwww 3600 IN A 10.66.0.1\n%s\n", serial, strings.Join(records, "\n"))
}

// serialMap is a map with these addresses for all names.
func serialMap(addresses ...string) string {
	return fmt.Sprintf("anycast: [%s]\naccounts:\n  - {id: acme, zones: [{name: example.org, proxied: all}]}\n", strings.Join(addresses, ", "))
}

// A client that has the serial, or a newer one, gets the SOA; any other gets the
// zone, also if the two cannot be compared (RFC 1982, RFC 1995).
func TestR18_IXFR(t *testing.T) {
	const half = 1 << 31
	for _, current := range []uint32{1, 10, half, 1<<32 - 1, 0} {
		t.Run(fmt.Sprint(current), func(t *testing.T) {
			// The map counts the backend's serial up by two.
			c := server.Start(t, serialCorefile, map[string]string{"maps.yaml": serialMap("192.0.2.1"), "db.example.org": serialZone(current - 2)})
			for i, address := range []string{"192.0.2.2", "192.0.2.3"} {
				server.WriteFile(t, "maps.yaml", serialMap(address))
				want := current - 2 + uint32(i) + 1
				server.Eventually(t, fmt.Sprintf("serial %d", want), func() bool { return c.Serial(t, "example.org.") == want })
			}
			for _, tc := range []struct {
				client uint32
				whole  bool
			}{
				{current, false}, {current + 1, false}, {current + half - 1, false},
				{current + half, true}, {current + half + 1, true}, {current - 1, true}, {current - 2, true},
			} {
				if tc.client == 0 {
					continue // the transfer plugin takes that for AXFR
				}
				m := c.Ask(t, "tcp", new(dns.Msg).SetIxfr("example.org.", tc.client, "ns.example.org.", "hostmaster.example.org."))
				if got := server.SerialOf(t, m.Answer[0]); got != current {
					t.Errorf("client %d: want serial %d, got %d", tc.client, current, got)
				}
				if whole := len(m.Answer) == 3; whole != tc.whole || !whole && len(m.Answer) != 1 {
					t.Errorf("client %d: want the zone %t, got\n%s", tc.client, tc.whole, m)
				}
				server.NoOriginData(t, m)
			}
		})
	}
}

// The serial is the same wherever an SOA is told, also through plugins that keep
// or sign answers.
func TestR18_SerialInAnswers(t *testing.T) {
	for name, before := range map[string]string{"plain": "", "cache": "cache", "dnssec": "dnssec {\nkey file Kexample.org\n}", "both": "cache\ndnssec {\nkey file Kexample.org\n}"} {
		t.Run(name, func(t *testing.T) {
			server.Place(t, map[string]string{"maps.yaml": serialMap("192.0.2.1"), "db.example.org": serialZone(7, "text 3600 IN TXT text", "flat 3600 IN CNAME hidden.example.net.")})
			server.NewKey(t, "example.org")
			c := server.Start(t, strings.Replace(serialCorefile, "{", "{\n"+before, 1), nil)
			for i, address := range []string{"192.0.2.2", "192.0.2.3", "192.0.2.4"} {
				server.WriteFile(t, "maps.yaml", serialMap(address))
				want := 7 + uint32(i) + 1
				server.Eventually(t, fmt.Sprintf("a transfer with serial %d", want), func() bool {
					rrs, err := c.Transfer("example.org")
					if err != nil {
						t.Fatal(err)
					}
					if a, b := server.SerialOf(t, rrs[0]), server.SerialOf(t, rrs[len(rrs)-1]); a != b {
						t.Fatalf("the first SOA has %d, the last %d", a, b)
					}
					return server.SerialOf(t, rrs[0]) == want
				})
				label := string(rune('a' + i)) // not asked before: cache need not ask again
				for _, q := range []struct {
					name  string
					qtype uint16
				}{
					{label + ".example.org.", dns.TypeA}, {label + ".example.org.", dns.TypeTXT},
					{"www.example.org.", uint16(300 + i)}, {"text.example.org.", uint16(300 + i)}, {"flat.example.org.", uint16(300 + i)},
				} {
					for _, do := range []bool{false, true} {
						req := new(dns.Msg).SetQuestion(q.name, q.qtype)
						req.SetEdns0(4096, do)
						m := c.Ask(t, "udp", req)
						at := slices.IndexFunc(m.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA })
						if at < 0 || server.SerialOf(t, m.Ns[at]) != want {
							t.Errorf("want serial %d in\n%s", want, m)
						}
					}
				}
			}
			if !strings.Contains(before, "cache") {
				if got := c.Serial(t, "example.org."); got != 10 {
					t.Errorf("want serial 10, got %d", got)
				}
			}
		})
	}
}

// Map and zone change in any order, at once, and around the end of the number
// space. What a client sees next is never older, and other content always has a
// newer serial.
func TestR18_SerialRisesInEveryOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	zone, address, extra := uint32(1<<32-20), 1, 0
	texts := func() (string, string) {
		return serialMap(fmt.Sprintf("192.0.2.%d", address)), serialZone(zone, fmt.Sprintf("extra%d 3600 IN TXT text", extra))
	}
	m, z := texts()
	c := server.Start(t, serialCorefile, map[string]string{"maps.yaml": m, "db.example.org": z})
	var last []dns.RR
	look := func() bool {
		rrs, err := c.Transfer("example.org")
		if err != nil {
			t.Fatal(err)
		}
		if last != nil {
			now, before := server.SerialOf(t, rrs[0]), server.SerialOf(t, last[0])
			same := fmt.Sprint(rrs[1:len(rrs)-1]) == fmt.Sprint(last[1:len(last)-1])
			if now != before && !follows(now, before) || !same && now == before {
				t.Fatalf("serial %d after %d:\n%v\nafter\n%v", now, before, rrs, last)
			}
		}
		last = rrs
		text := fmt.Sprint(rrs)
		return strings.Contains(text, fmt.Sprintf("192.0.2.%d ", address)) && strings.Contains(text, fmt.Sprintf("extra%d.", extra))
	}
	var serials []uint32
	for range 40 {
		kind := random.IntN(4)
		if kind != 0 {
			address = 1 + address%250
		}
		if kind != 1 {
			zone, extra = zone+1+uint32(random.IntN(3)), extra+1
		}
		m, z := texts()
		switch kind {
		case 0:
			server.WriteFile(t, "db.example.org", z)
		case 1:
			server.WriteFile(t, "maps.yaml", m)
		case 2:
			server.WriteFile(t, "maps.yaml", m)
			server.WriteFile(t, "db.example.org", z)
		case 3:
			server.WriteFile(t, "db.example.org", z)
			server.WriteFile(t, "maps.yaml", m)
		}
		server.Eventually(t, fmt.Sprintf("address %d and record %d", address, extra), look)
		serials = append(serials, server.SerialOf(t, last[0]))
	}
	t.Log("serials:", serials)
	if first, end := serials[0], serials[len(serials)-1]; end > first {
		t.Errorf("want the serials to go past the end of the number space, got %d to %d", first, end)
	}
}
