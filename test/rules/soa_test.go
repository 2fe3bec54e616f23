package rules

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// A serial that is counted up by a reload (R18) is no address that is substituted:
// it shows neither in the metrics nor in the labels. The signature over the SOA as
// the backend has it is dropped (R15), wherever the SOA stands.
func TestR18_CountedSerialElsewhere(t *testing.T) {
	port := server.FreePort(t)
	files := map[string]string{"maps.yaml": server.Version(1), "db.example.org": "@ 60 IN SOA ns h 7 7200 3600 1209600 300\n@ 60 IN NS ns\nwww 60 IN A 10.66.0.1\nplain 60 IN A 198.51.100.1\n"}
	server.Place(t, files)
	server.SignFile(t, "db.example.org", "example.org")
	c := server.Start(t, `example.org {
		metadata
		prometheus 127.0.0.1:`+port+`
		log . "said {name} {type} proxied={/addressmap/proxied}"
		addressmap maps.yaml {
			reload 100ms
		}
		transfer {
			to *
		}
		file db.example.org
	}`, nil)
	asked := func(name string, qtype uint16) *dns.Msg {
		m := new(dns.Msg).SetQuestion(name, qtype)
		m.SetEdns0(4096, true)
		return c.Ask(t, "udp", m)
	}
	serial := func(rrs []dns.RR) uint32 {
		for _, rr := range rrs {
			if soa, ok := rr.(*dns.SOA); ok {
				return soa.Serial
			}
		}
		t.Fatalf("no SOA in %v", rrs)
		return 0
	}
	server.WriteFile(t, "maps.yaml", server.Version(2))
	server.Eventually(t, "the serial goes up", func() bool { return serial(asked("example.org.", dns.TypeSOA).Answer) == 8 })

	before := server.Scrape(t, port)
	for _, q := range []struct {
		name  string
		qtype uint16
	}{{"example.org.", dns.TypeSOA}, {"plain.example.org.", dns.TypeTXT}, {"missing.example.org.", dns.TypeA}} {
		m := asked(q.name, q.qtype)
		if got := serial(append(m.Answer, m.Ns...)); got != 8 {
			t.Errorf("%v: the serial is %d, want 8", q, got)
		}
		for _, rr := range append(m.Answer, m.Ns...) {
			if sig, ok := rr.(*dns.RRSIG); ok && sig.TypeCovered == dns.TypeSOA {
				t.Errorf("%v: %v is over another SOA", q, sig)
			}
		}
		server.Eventually(t, "a line about "+q.name, func() bool { return len(c.Log.Lines("said "+q.name+" ")) > 0 })
		for _, line := range c.Log.Lines("said " + q.name + " ") {
			if !strings.HasSuffix(line, "proxied=false") {
				t.Errorf("got %q", line)
			}
		}
	}
	for name, v := range server.Scrape(t, port) {
		if strings.HasPrefix(name, "responses_total") && v != before[name] {
			t.Errorf("%s went from %v to %v", name, before[name], v)
		}
	}
}
