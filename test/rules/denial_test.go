package rules

import (
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// The plugin dnssec does not ask which types a name has: its NSEC records list those of
// a fixed list, without HTTPS, CAA and, but for the apex, MX. Each answer validates, and
// yet a resolver that concludes from such an NSEC (RFC 8198) denies what is answered
// here, for as long as the SOA record of the same answer says. If this test fails
// because the types are there, the README need not warn of that any more.
func TestR16_OnlineDenialLacksTypes(t *testing.T) {
	const corefile = "example.org {\n bind 127.0.0.1\n dnssec {\n  key file Kexample.org\n }\n addressmap maps.yaml {\n  https\n }\n file db.example.org\n}\n"
	server.Place(t, map[string]string{"maps.yaml": zonesMap("example.org"), "db.example.org": `
@    60 IN SOA  ns hostmaster 1 7200 3600 1209600 300
www     IN A    10.66.0.1
www     IN CAA  0 issue "ca.example"
www     IN MX   10 mail
`})
	server.NewKey(t, "example.org")
	c := server.Start(t, corefile, nil)
	keys := c.Keyring(t, true)
	ask := func(qtype uint16) *dns.Msg {
		m := new(dns.Msg).SetQuestion("www.example.org.", qtype)
		m.SetEdns0(4096, true)
		r := c.Ask(t, "udp", m)
		keys.Validate(r)
		return r
	}

	r := ask(dns.TypeTXT)
	var nsec *dns.NSEC
	for _, rr := range r.Ns {
		if n, ok := rr.(*dns.NSEC); ok && n.Hdr.Name == "www.example.org." {
			nsec = n
		}
	}
	if nsec == nil {
		t.Fatalf("no NSEC in:\n%s", r)
	}
	if !slices.Contains(nsec.TypeBitMap, dns.TypeA) || !slices.Contains(nsec.TypeBitMap, dns.TypeAAAA) {
		t.Errorf("addresses are denied: %s", nsec)
	}
	if nsec.Hdr.Ttl != 60 {
		t.Errorf("the denial holds for %d s, want the 60 s of the SOA record", nsec.Hdr.Ttl)
	}
	for _, qtype := range []uint16{dns.TypeHTTPS, dns.TypeCAA, dns.TypeMX} {
		if got := server.RRset(ask(qtype).Answer, "www.example.org.", qtype); len(got) != 1 {
			t.Errorf("%s: want an answer, got %v", dns.TypeToString[qtype], got)
		}
		if slices.Contains(nsec.TypeBitMap, qtype) {
			t.Errorf("%s is no longer denied by %s", dns.TypeToString[qtype], nsec)
		}
	}
}
