package server

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// Version returns a map that answers www.example.org with three addresses, of which each
// ends in the number of the version.
func Version(n int) string {
	return fmt.Sprintf(`
anycast: [192.0.2.%[1]d, 198.51.100.%[1]d, 203.0.113.%[1]d]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [www]}]}
`, n)
}

// VersionOf returns the number of the version that an answer is wholly from.
func VersionOf(m *dns.Msg) (int, error) {
	n := 0
	for i, rr := range m.Answer {
		a, ok := rr.(*dns.A)
		if !ok || a.A[0] == 10 || i > 0 && int(a.A[3]) != n {
			return 0, fmt.Errorf("mixed or foreign:\n%v", m)
		}
		n = int(a.A[3])
	}
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) != 3 {
		return 0, fmt.Errorf("no whole answer:\n%v", m)
	}
	return n, nil
}

// ReloadCorefile serves maps.yaml, a [Version], over the zone file in [ReloadFiles].
const ReloadCorefile = `example.org {
	addressmap maps.yaml {
		reload 100ms
	}
	file db.example.org
}
`

// ReloadFiles are version 1 of the map and the zone file of [ReloadCorefile].
var ReloadFiles = map[string]string{
	"maps.yaml":      Version(1),
	"db.example.org": "@ 60 IN SOA ns h 1 7200 3600 1209600 300\nwww 60 IN A 10.66.0.1\n",
}

// Failing returns a Corefile like [ReloadCorefile] that fails to load after addressmap was
// set up.
func Failing(corefile string) string {
	return strings.Replace(corefile, "file db.example.org", "file db.example.org {\n\tnonsense\n}", 1)
}
