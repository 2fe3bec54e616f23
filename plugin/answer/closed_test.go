package answer

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// closedMap is in force beside documents that are refused.
const closedMap = `
anycast: [192.0.2.1]
accounts:
  - id: acme
    zones:
      - {name: example.org, proxied: [www]}
      - {name: in.shut.example.org, proxied: [www]}
`

// What documents hold of which no version is in force is closed, and nothing else (R26).
func TestR26_BesideClosedZones(t *testing.T) {
	zones := &mapset.Closed{Zones: fqdn.NewSet("example.net.", "shut.example.org.", "example.com.")}
	rest := &mapset.Closed{Rest: true}
	for _, c := range []struct {
		gateCase
		closed *mapset.Closed
		reason string
	}{
		{gateCase{"with unlisted refuse", "www.example.net. MX unlisted", nil, "SERVFAIL withheld"}, zones, ReasonClosed},
		{gateCase{"of a zone that the directive does not act for", "www.example.com. A", []string{"www.example.com. A", "www.example.com. 60 IN CNAME x.example.com.; x.example.com. 60 IN A 198.51.100.1"}, "NOERROR passed | www.example.com. CNAME x.example.com.; x.example.com. A 198.51.100.1"}, zones, ""},
		{gateCase{"behind an alias", "alias.example.org. MX", []string{"alias.example.org. MX", "alias.example.org. 60 IN CNAME x.example.com.; x.example.com. 60 IN A 10.66.0.1"}, "SERVFAIL withheld"}, zones, ReasonClosed},
		{gateCase{"behind an alias, of no known zone", "alias.example.org. MX", []string{"alias.example.org. MX", "alias.example.org. 60 IN CNAME x.example.net.; x.example.net. 60 IN A 10.66.0.1"}, "SERVFAIL withheld"}, rest, ReasonClosed},
		{gateCase{"an apex that is not closed", "example.org. SOA", []string{"example.org. SOA", scriptSOA + "; |; |; example.org. 60 IN A 198.51.100.2"}, "NOERROR passed | example.org. SOA; | | example.org. A 198.51.100.2"}, zones, ""},
		{gateCase{"below a closed zone, in force", "www.in.shut.example.org. TXT", []string{"www.in.shut.example.org. TXT", "www.in.shut.example.org. 60 IN TXT text"}, "NOERROR passed | www.in.shut.example.org. TXT text"}, zones, ""},
	} {
		t.Run(c.question+" "+c.why, func(t *testing.T) {
			names := testNames(t, closedMap, true)
			names.Snapshot = names.Snapshot.Beside(c.closed)
			names.Home = fqdn.NewSet("example.org.", "example.net.")
			backend := &script{tb: t, replies: make(map[string]string)}
			var asked []string
			for i := 0; i < len(c.dialogue); i += 2 {
				asked = append(asked, c.dialogue[i])
				backend.replies[c.dialogue[i]] = c.dialogue[i+1]
			}
			f := strings.Fields(c.question)
			names.RefuseUnlisted = slices.Contains(f, "unlisted")
			out := respond(new(dns.Msg).SetQuestion(f[0], dns.StringToType[f[1]]), names, backend)
			if got := toldText(out); got != c.want || out.Reason != c.reason {
				t.Errorf("got  %s, %q\nwant %s, %q", got, out.Reason, c.want, c.reason)
			}
			if !slices.Equal(backend.asked, asked) {
				t.Errorf("asked %q\nwant  %q", backend.asked, asked)
			}
		})
	}
	names := testNames(t, closedMap, true)
	names.Snapshot = names.Snapshot.Beside(zones)
	for apex, want := range map[fqdn.Name]bool{"example.com.": false, "example.net.": true, "example.org.": true, "in.shut.example.org.": false} {
		if got := names.ClosesTransfer(apex); got != want {
			t.Errorf("ClosesTransfer(%s) = %t", apex, got)
		}
	}
}
