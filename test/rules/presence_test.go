package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// A name that the backend has no more is gone after the lifetime, also while the
// other names of its zone stay remembered, and also if the zone's serial does not
// tell that it has changed.
func TestPresence_DeletedInTheBackend(t *testing.T) {
	const hosts = 20
	zone := func(serial, hosts int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "$ORIGIN example.org.\n@ 60 IN SOA ns h %d 3600 600 86400 5\n@ 60 IN NS ns\nns 60 IN A 198.51.100.53\n", serial)
		for i := range hosts {
			fmt.Fprintf(&b, "host%d 60 IN A 10.66.0.1\n", i)
		}
		return b.String()
	}
	var marks []string
	for i := range hosts {
		marks = append(marks, fmt.Sprintf("host%d", i))
	}
	maps := "anycast: [192.0.2.1]\naccounts:\n  - id: acme\n    zones:\n      - {name: example.org, proxied: [" + strings.Join(marks, ", ") + "]}\n"
	for what, c := range map[string]struct {
		reload string
		serial int
	}{
		"by serial": {"", 2},
		"by mtime":  {"reload_by_mtime", 1},
	} {
		t.Run(what, func(t *testing.T) {
			c1 := server.Start(t, "example.org {\n bind 127.0.0.1\n addressmap maps.yaml {\n presence 200ms\n }\n file db.example.org {\n reload 20ms\n "+c.reload+"\n }\n}\n",
				map[string]string{"maps.yaml": maps, "db.example.org": zone(1, hosts)})
			ask := func(host int) *dns.Msg { return c1.Lookup(t, fmt.Sprintf("host%d.example.org.", host), dns.TypeA) }
			answered := 0
			server.Eventually(t, "each name is asked for again and again", func() bool {
				for i := range hosts {
					if m := ask(i); len(m.Answer) != 1 {
						t.Fatalf("host%d is not answered:\n%v", i, m)
					}
				}
				answered++
				return answered > 50
			})
			server.WriteFile(t, "db.example.org", zone(c.serial, hosts-1))
			server.Eventually(t, "the deleted name is gone", func() bool {
				for i := range hosts - 1 {
					if m := ask(i); len(m.Answer) != 1 {
						t.Fatalf("host%d, which is there, is not answered:\n%v", i, m)
					}
				}
				return ask(hosts-1).Rcode == dns.RcodeNameError
			})
		})
	}
}

// A zone that is signed in its file is warned of, once, also if the only query is for a
// name that file has: what is looked into must not hide it (R17).
func TestR17_HeldZoneIsWarnedOf(t *testing.T) {
	c := server.Start(t, "example.org {\n bind 127.0.0.1\n addressmap maps.yaml\n file db.example.org\n}\n", map[string]string{
		"maps.yaml": "anycast: [192.0.2.1, 192.0.2.2]\naccounts:\n  - {id: acme, zones: [{name: example.org, proxied: [www]}]}\n",
		"db.example.org": "$ORIGIN example.org.\n@ 60 IN SOA ns h 1 3600 600 86400 5\nwww 60 IN A 10.66.0.1\n" +
			"www 60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA\n",
	})
	for range 3 {
		req := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
		req.SetEdns0(1232, true)
		if m := c.Ask(t, "udp", req); len(m.Answer) != 2 {
			t.Fatalf("got\n%v", m)
		}
	}
	server.Eventually(t, "a warning", func() bool { return len(c.Log.Lines("is signed in its file")) == 1 })
}
