package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

const (
	flatMap = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [flat]}]}
`
	flatZone = `
$TTL 3600
@      IN SOA   ns hostmaster 1 7200 3600 1209600 300
flat   IN CNAME hidden.example.net.
alias  IN CNAME target.example.net.
`
)

// An alias is kept from being chased on whichever address the query comes in: a
// server block may have several ports and addresses, however they are written.
func TestR5_EveryListener(t *testing.T) {
	c := server.Start(t, fmt.Sprintf(`example.org:%s example.org:%s {
		bind 127.0.0.1 0:0:0:0:0:0:0:1
		addressmap maps.yaml
		file db.example.org example.org
	}`, server.FreePort(t), server.FreePort(t)), map[string]string{"maps.yaml": flatMap, "db.example.org": flatZone})
	servers := c.Instance.Servers()
	if len(servers) != 4 {
		t.Fatalf("want 4 listeners, got %d", len(servers))
	}
	for _, s := range servers {
		client := dns.Client{Net: "tcp", Timeout: server.Patience}
		m, _, err := client.Exchange(new(dns.Msg).SetQuestion("flat.example.org.", dns.TypeA), s.Addr().String())
		if err != nil {
			t.Errorf("%v: %v", s.Addr(), err)
			continue
		}
		if got := server.Printed(m, nil); !strings.Contains(got, "flat.example.org. 300 IN A 192.0.2.1") {
			t.Errorf("%v: %s", s.Addr(), got)
		}
	}
	if lines := c.Log.Lines("panic"); len(lines) > 0 {
		t.Error(lines)
	}
}
