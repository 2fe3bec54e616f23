package rules

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

const unproxiedZone = `
$TTL 3600
@        IN SOA   ns hostmaster 1 7200 3600 1209600 300
         IN NS    ns
         IN MX    10 mail
         IN A     198.51.100.1
ns       IN A     198.51.100.53
mail     IN A     198.51.100.2
         IN AAAA  2001:db8:5::2
alias    IN CNAME mail
chain    IN CNAME alias
out      IN CNAME www.example.net.
lost     IN CNAME missing
loop     IN CNAME loop2
loop2    IN CNAME loop
old      IN DNAME new
www.new  IN A     198.51.100.3
svc      IN HTTPS 1 mail alpn="h2" ipv4hint="198.51.100.2"
self     IN HTTPS 1 . alpn="h2" ipv6hint="2001:db8:5::3"
_x._tcp  IN SRV   0 0 1 mail
*.wild   IN A     198.51.100.4
         IN TXT   "wild"
own.wild IN TXT   "own"
sub      IN NS    ns.sub
ns.sub   IN A     198.51.100.5
x.ent    IN A     198.51.100.6
`

// R1 at large: a server with the plugin, none of the names proxied, says the same as
// one without, to every question about every name.
func TestR1_AsWithoutThePlugin(t *testing.T) {
	files := map[string]string{
		"db.example.org": unproxiedZone,
		"maps.yaml":      "anycast: [192.0.2.1]\naccounts:\n  - {id: acme, zones: [{name: example.org, proxied: [other]}]}\n",
	}
	server.Place(t, files)
	server.SignFile(t, "db.example.org", "example.org")
	with := server.Start(t, "example.org {\n\taddressmap maps.yaml\n\tfile db.example.org\n}\n", nil)
	without := server.Start(t, "example.org {\n\tfile db.example.org\n}\n", nil)
	names := []string{"", "ns.", "mail.", "MAIL.", "alias.", "chain.", "out.", "lost.", "loop.", "www.old.", "svc.", "self.", "_x._tcp.",
		"any.wild.", "own.wild.", "*.wild.", "wild.", "host.sub.", "sub.", "ent.", "x.ent.", "missing."}
	types := []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeMX, dns.TypeTXT, dns.TypeNS, dns.TypeSOA, dns.TypeSRV, dns.TypeHTTPS,
		dns.TypeANY, dns.TypeRRSIG, dns.TypeDS, dns.TypeNSEC, 65280}
	said := func(c *server.Server, m *dns.Msg) string {
		return server.Printed(c.Ask(t, "tcp", m), func([]dns.RR, *dns.RRSIG) string { return "" })
	}
	for _, name := range names {
		for _, qtype := range types {
			for _, do := range []bool{false, true} {
				m := new(dns.Msg).SetQuestion(name+"example.org.", qtype)
				if do {
					m.SetEdns0(4096, true)
				}
				if got, want := said(with, m), said(without, m); got != want {
					t.Errorf("%v DO %v\ngot:\n%s\nwant:\n%s", m.Question, do, got, want)
				}
			}
		}
	}
}
