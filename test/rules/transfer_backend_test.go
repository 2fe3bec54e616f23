package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

const (
	backendMap  = "anycast: [192.0.2.1]\naccounts:\n  - {id: acme, zones: [{name: example.org, proxied: all}]}\n"
	backendZone = "@ 3600 IN SOA ns hostmaster 10 7200 3600 1209600 300\nwww 3600 IN A 10.66.0.1\nflat 3600 IN CNAME hidden.example.net.\n"
	backendWant = `example.org. 3600 IN SOA ns.example.org. hostmaster.example.org. 10 7200 3600 1209600 300
flat.example.org. 300 IN A 192.0.2.1
www.example.org. 300 IN A 192.0.2.1
`
)

// Every plugin that transfers zones is asked by way of this one.
func TestR18_Backends(t *testing.T) {
	hidden := server.Start(t, "example.org {\ntransfer {\nto *\n}\nfile db.example.org\n}\n", map[string]string{"db.example.org": backendZone})
	for name, backend := range map[string]string{
		"file":                          "file db.example.org",
		"auto":                          "auto {\ndirectory zones\n}",
		"secondary":                     "secondary {\ntransfer from " + hidden.Addr("tcp") + "\n}",
		"the first of two that have it": "auto {\ndirectory others\n}\nfile db.example.org",
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"maps.yaml": backendMap, "db.example.org": backendZone, "zones/db.example.org": backendZone,
				"others/db.example.org": strings.Replace(backendZone, "www", "other", 1)}
			c := server.Start(t, "example.org {\ntransfer {\nto *\n}\naddressmap maps.yaml\n"+backend+"\n}\n", files)
			var rrs []dns.RR
			server.Eventually(t, "a transfer", func() (ok bool) {
				var err error
				rrs, err = c.Transfer("example.org")
				return err == nil
			})
			// file stands before auto in CoreDNS's list.
			if got := server.TransferText(t, rrs, nil); got != backendWant {
				t.Errorf("want\n%s\ngot\n%s", backendWant, got)
			}
		})
	}
}

// A zone that auto loses and forward still has is not transferred any more.
func TestR18_ZoneGoes(t *testing.T) {
	upstream := listenForTransfers(t)
	c := server.Start(t, "example.org {\ntransfer {\nto *\n}\naddressmap maps.yaml\nauto {\ndirectory zones\nreload 10ms\n}\nforward . "+upstream+" {\nforce_tcp\n}\n}\n",
		map[string]string{"maps.yaml": backendMap, "zones/db.example.org": backendZone})
	if rrs, err := c.Transfer("example.org"); err != nil || server.TransferText(t, rrs, nil) != backendWant {
		t.Fatalf("%v\n%v", err, rrs)
	}
	if err := os.Remove(filepath.Join("zones", "db.example.org")); err != nil {
		t.Fatal(err)
	}
	server.Eventually(t, "a refusal", func() bool {
		rrs, err := c.Transfer("example.org")
		server.NoOriginData(t, &dns.Msg{Question: make([]dns.Question, 1), Answer: rrs})
		return err != nil && strings.Contains(err.Error(), "rcode: 5")
	})
}

// listenForTransfers runs a server that transfers the zone to anybody, over UDP
// too, and returns its address.
func listenForTransfers(t *testing.T) string {
	t.Helper()
	udp, tcp := server.Listen(t)
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		parser := dns.NewZoneParser(strings.NewReader(backendZone), "example.org.", "")
		for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
			m.Answer = append(m.Answer, rr)
		}
		m.Answer = append(m.Answer, m.Answer[0])
		w.WriteMsg(m)
	})
	for _, server := range []*dns.Server{{PacketConn: udp, Handler: handler}, {Listener: tcp, Handler: handler}} {
		go server.ActivateAndServe()
		t.Cleanup(func() { server.Shutdown() })
	}
	return tcp.Addr().String()
}

// forward passes transfers on as it does any query. What comes back is withheld.
func TestR18_Forward(t *testing.T) {
	upstream := listenForTransfers(t)
	for name, before := range map[string]string{"without transfer": "", "with transfer": "transfer {\nto *\n}\n", "transfer of another": "transfer example.net {\nto *\n}\n"} {
		t.Run(name, func(t *testing.T) {
			block := ". {\n" + before + "addressmap maps.yaml%s\nforward . " + upstream + " {\nforce_tcp\n}\n}\n"
			files := map[string]string{"maps.yaml": backendMap}
			plain := server.Start(t, strings.Replace(fmt.Sprintf(block, ""), "addressmap maps.yaml\n", "", 1), files)
			for _, network := range []string{"udp", "tcp"} {
				if network == "udp" && strings.HasPrefix(before, "transfer") {
					continue // which is refused by the transfer plugin
				}
				if m := plain.Ask(t, network, new(dns.Msg).SetAxfr("example.org.")); len(m.Answer) == 0 {
					t.Fatalf("want forward by itself to pass a transfer on over %s: the test shows nothing without\n%s", network, m)
				}
			}
			for _, mode := range []string{"", " {\ntransfer refuse\n}"} {
				c := server.Start(t, fmt.Sprintf(block, mode), files)
				for _, network := range []string{"udp", "tcp"} {
					for _, zone := range []string{"example.org.", "eXample.oRg.", "www.example.org.", "org.", "."} {
						for _, m := range []*dns.Msg{new(dns.Msg).SetAxfr(zone), new(dns.Msg).SetIxfr(zone, 1, "ns.example.org.", "hostmaster.example.org.")} {
							resp := c.Ask(t, network, m)
							server.NoOriginData(t, resp)
							if resp.Rcode != dns.RcodeRefused || len(resp.Answer) > 0 {
								t.Errorf("want %s %v over %s refused, got\n%s", zone, m.Question, network, resp)
							}
						}
					}
				}
			}
		})
	}
}

// With the tsig plugin, a transfer of many messages is signed throughout, and
// whoever has no key, or another, gets nothing.
func TestR18_TSIG(t *testing.T) {
	const name, key = "xfr.key.", "c2VjcmV0IG9mIHRoZSB0ZXN0"
	var zone strings.Builder
	zone.WriteString(backendZone)
	for i := range 5000 {
		fmt.Fprintf(&zone, "n%d 3600 IN A 10.66.%d.%d\n", i, i/250, i%250)
	}
	c := server.Start(t, "example.org {\ntsig {\nsecret "+name+" "+key+"\nrequire all\n}\ntransfer {\nto *\n}\naddressmap maps.yaml\nfile db.example.org\n}\n",
		map[string]string{"maps.yaml": backendMap, "db.example.org": zone.String()})
	ask := func(m *dns.Msg, secret string) ([]dns.RR, error) {
		tr := new(dns.Transfer)
		if secret != "" {
			m.SetTsig(name, dns.HmacSHA256, 300, 0)
			m.Extra[len(m.Extra)-1].(*dns.TSIG).TimeSigned = uint64(time.Now().Unix())
			tr.TsigSecret = map[string]string{name: secret}
		}
		return server.ReceiveTransfer(tr, c.Addr("tcp"), m)
	}
	for _, m := range []func() *dns.Msg{
		func() *dns.Msg { return new(dns.Msg).SetAxfr("example.org.") },
		func() *dns.Msg {
			return new(dns.Msg).SetIxfr("example.org.", 9, "ns.example.org.", "hostmaster.example.org.")
		},
	} {
		rrs, err := ask(m(), key)
		if err != nil || len(rrs) != 5004 {
			t.Errorf("want 5004 records, got %d: %v", len(rrs), err)
		}
		server.NoOriginData(t, &dns.Msg{Question: make([]dns.Question, 1), Answer: rrs})
		for _, wrong := range []string{"", "YW5vdGhlciBzZWNyZXQ="} {
			if rrs, err := ask(m(), wrong); err == nil || len(rrs) > 0 {
				t.Errorf("want nothing with the key %q, got %d records, %v", wrong, len(rrs), err)
			}
		}
	}
	if rrs, err := ask(new(dns.Msg).SetIxfr("example.org.", 10, "ns.example.org.", "hostmaster.example.org."), key); err != nil || len(rrs) != 1 {
		t.Errorf("want the SOA alone, got %v, %v", rrs, err)
	}
}

// IXFR over UDP is for the transfer plugin to refuse: nothing leaves.
func TestR18_OverUDP(t *testing.T) {
	c := server.Start(t, serialCorefile, map[string]string{"maps.yaml": serialMap("192.0.2.1"), "db.example.org": serialZone(7)})
	for _, m := range []*dns.Msg{new(dns.Msg).SetAxfr("example.org."), new(dns.Msg).SetIxfr("example.org.", 1, "ns.", "h.")} {
		if resp := c.Ask(t, "udp", m); resp.Rcode != dns.RcodeRefused || len(resp.Answer) > 0 {
			t.Errorf("want it refused, got\n%s", resp)
		}
	}
}

// A transfer that the transfer plugin does not allow is refused, whatever the map
// says.
func TestR18_NotAllowed(t *testing.T) {
	c := server.Start(t, strings.Replace(serialCorefile, "to *", "to 192.0.2.99", 1), map[string]string{"maps.yaml": serialMap("192.0.2.1"), "db.example.org": serialZone(7)})
	rrs, err := c.Transfer("example.org")
	if err == nil || len(rrs) > 0 {
		t.Errorf("want it refused, got %v, %v", rrs, err)
	}
}
