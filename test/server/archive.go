package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// CorefileOf returns the Corefile among the files of an archive. If there is none, it
// serves every zone file by the plugin file, behind addressmap with maps.yaml, and with
// drains.yaml if that is among them.
func CorefileOf(files map[string]string) string {
	if text, ok := files["Corefile"]; ok {
		return text
	}
	var zones []string
	for name := range files {
		if zone, ok := strings.CutPrefix(name, "db."); ok {
			zones = append(zones, zone)
		}
	}
	slices.Sort(zones)
	text := strings.Join(zones, " ") + " {\n    addressmap maps.yaml"
	if _, drains := files["drains.yaml"]; drains {
		text += " {\n        drains drains.yaml\n    }"
	}
	text += "\n"
	for _, zone := range zones {
		text += fmt.Sprintf("    file db.%s %s\n", zone, zone)
	}
	return text + "}\n"
}

// NoOriginData fails the test if a message contains origin data: what the one rule above
// all forbids. Origin data is every address in 10.66.0.0/16 and 2001:db8:66::/48, and
// every name with "hidden" in it.
func NoOriginData(t *testing.T, m *dns.Msg) {
	t.Helper()
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			text := strings.ToLower(rr.String())
			for _, secret := range []string{"10.66.", "2001:db8:66:", "hidden"} {
				if at := strings.Index(text, secret); at >= 0 && !strings.Contains(strings.ToLower(m.Question[0].Name), secret) {
					t.Errorf("ORIGIN DATA LEAVES in the response to %v:\n%s", m.Question, m)
				}
			}
		}
	}
}

// AddressesOf returns the rcode and the IPv4 addresses that a name is answered with.
func (s *Server) AddressesOf(t *testing.T, name string) string {
	t.Helper()
	m := s.Lookup(t, name, dns.TypeA)
	NoOriginData(t, m)
	return Addresses(m)
}

// Addresses returns the rcode of a response and the IPv4 addresses in its answer.
func Addresses(m *dns.Msg) string {
	out := dns.RcodeToString[m.Rcode]
	for _, rr := range m.Answer {
		if a, ok := rr.(*dns.A); ok {
			out += " " + a.A.String()
		}
	}
	return out
}
