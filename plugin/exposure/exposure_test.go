package exposure

import (
	"fmt"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// A mark in a line that ends in a comment with "!" is an exposure, of the name behind it.
const document = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: a
    zones:
      - name: example.org
        proxied:
          - {name: www}
          - {name: alias}
          - {name: byname}
          - {name: loop}
          - {name: saas}
          - {name: edged}
          - {name: nowhere}
          - {name: "*.w"}
          - {name: ns.cut}
          - {name: exact.open}
          - {name: plain, proxied: false}
          - {name: x.w, proxied: false} # ! *.w
          - {name: "*.x.w", proxied: false} # ! *.w
          - {name: own.w, proxied: false}
          - {name: below.own.w, proxied: false}
          - {name: none, proxied: false}
      - {name: sub.example.org, proxied: ["@"]}
      - {name: example.net, proxied: []}
      - {name: 66.10.in-addr.arpa, proxied: []}
  - id: b
    zones:
      - {name: example.com, proxied: [www, theirs, "*", {name: x, proxied: false}]}
`

const head = "@ 60 IN SOA ns h 1 7200 3600 1209600 300\n"

// Each line that ends in a comment with "!" is an exposure, of the name behind it.
var files = map[string]string{
	"example.org.": head + `
www 60 IN A 10.66.0.1
www 60 IN AAAA 2001:db8:66::1
www 60 IN MX 10 plain ; ! www
www 60 IN HTTPS 1 . ipv4hint=10.66.0.1
alias 60 IN CNAME behind
behind 60 IN A 10.66.0.2 ; ! alias
byname 60 IN A 192.0.0.8 ; cf_tags=addressmap-origin:named.example.org
named 60 IN AAAA 2001:db8:66::3 ; ! byname
loop 60 IN CNAME loop2
loop2 60 IN CNAME loop
plain 60 IN A 10.66.0.1 ; ! www
plain 60 IN A 10.66.0.9
other 60 IN A 10.66.0.9
*.w 60 IN A 10.66.0.12
own.w 60 IN TXT x
saas 60 IN CNAME shop.saas.example.
saas2 60 IN CNAME shop.saas.example. ; ! saas
saas3 60 IN CNAME saas
saas4 60 IN CNAME saas2
saas5 60 IN CNAME other.saas.example.
saas6 60 IN MX 10 shop.saas.example. ; ! saas
saas7 60 IN HTTPS 0 shop.saas.example. ; ! saas
edged 60 IN A 192.0.2.1
edged2 60 IN A 192.0.2.1
nowhere 60 IN A 192.0.0.8
nowhere 60 IN AAAA 100::
nowhere2 60 IN AAAA 100::
cut 60 IN NS ns.cut ; ! ns.cut
ns.cut 60 IN A 10.66.0.14
*.open 60 IN A 10.66.0.15 ; ! exact.open
www 60 IN HTTPS 2 plain ; ! www
www 60 IN HTTPS 3 other ipv4hint=10.66.0.1 ; ! www
svc2 60 IN HTTPS 1 www ipv4hint=10.66.0.1
@ 60 IN TXT "v=spf1 a:plain.example.org -all" ; ! www
@ 60 IN TXT "v=spf1 +A:plain.example.org/28 -all" ; ! www
@ 60 IN TXT "v=spf1 a mx:other.example.org a:www.example.org a:saas3.example.org exists:plain.example.org -all"
@ 60 IN TXT "v=spf1 MX -all" ; ! www
plain 60 IN TXT "v=spf1 ?a" ; ! www
@ 60 IN TXT "v=spf1 a:shop.saas.example ~all" ; ! saas
@ 60 IN TXT "https://10.66.0.99:8443/x and [2001:db8:66::9]:443"
@ 60 IN TXT "see https://[2001:db8:66::1]:443." ; ! www
@ 60 IN URI 1 1 "http://10.66.0.1/" ; ! www
@ 60 IN CAA 0 iodef "mailto:a@10.66.0.1" ; ! www
@ 60 IN NAPTR 1 1 "s" "x" "" shop.saas.example. ; ! saas
@ 60 IN TXT "target=Shop.SaaS.example" ; ! saas
@ 60 IN TXT "v=spf1 a:other.example.org/28 -all" ; ! www
@ 60 IN TXT "v=spf1 a:other.example.org/32 a:named2/24//64 -all"
@ 60 IN TXT "v=spf1 a:v6.example.org//64 -all" ; ! www
v6 60 IN AAAA 2001:db8:66::77
cut2 60 IN NS www
local 60 IN A 127.0.0.1
loop 60 IN A 127.0.0.1
@ 60 IN APL 1:10.66.0.0/24 ; ! www
svc 60 IN HTTPS 1 . alpn=h2 ipv4hint=10.66.0.9,10.66.0.1 ; ! www
svc6 60 IN SVCB 1 . ipv6hint=2001:db8:66::1 ; ! www
hidden 60 IN HTTPS 1 . alpn=h2
@ 60 IN MX 10 www
@ 60 IN MX 10 other
@ 60 IN MX 10 tomail ; ! www
tomail 60 IN CNAME plain
_sip._tcp 60 IN SRV 1 1 5060 plain ; ! www
_sip._udp 60 IN SRV 1 1 5060 other
@ 60 IN TXT "v=spf1 ip4:10.66.0.1 -all" ; ! www
@ 60 IN TXT "v=spf1 +IP4:10.66.0.0/24 -all" ; ! www
@ 60 IN TXT "v=spf1 ip6:2001:db8:66::/64 -all" ; ! www
@ 60 IN TXT "v=spf1 ip4:10.0.0.0/8 ip6:2001:db8::/32 ip4:10.66.1.0/24 ip4:nonsense -all"
@ 60 IN TXT "origin " "10.66.0" ".2, for " "us" ; ! alias
@ 60 IN TXT "v=spf1 include:_spf.example.com ~all"
old 60 IN SPF "v=spf1 ip4:10.66.0.1 -all" ; ! www
sub 60 IN A 10.66.0.1
`,
	"sub.example.org.":    head + "@ 60 IN A 10.66.0.5\nmail 60 IN A 10.66.0.5 ; ! sub\n",
	"66.10.in-addr.arpa.": head + "1.0 60 IN PTR www.example.org. ; ! www\n1.0 60 IN PTR host.example.\n9.0 60 IN PTR www.example.org.\n",
	// Another account, which is not to learn whether it has the address of another's origin,
	// by an alias of one's name either.
	"example.com.": head + "www 60 IN A 10.66.0.30\nguess 60 IN A 10.66.0.1\n@ 60 IN MX 10 www.example.org.\ntheirs 60 IN CNAME www.example.org.\nguess2 60 IN TXT \"10.66.0.1\"\n@ 60 IN MX 10 plain.example.org.\n",
	"example.net.": head + "mirror 60 IN A 10.66.0.1 ; ! www\nmirror 60 IN A 10.66.0.77\n",
}

func TestOf(t *testing.T) {
	doc, errs := mapfile.Parse("maps.yaml", []byte(document))
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	snapshot, errs := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	var zones []Zone
	want := make(map[string]string) // :: place → proxied name
	wanted := func(file, text string) {
		for i, line := range strings.Split(text, "\n") {
			if _, name, ok := strings.Cut(line, " ! "); ok {
				want[fmt.Sprintf("%s:%d", file, i+1)] = name + ".example.org."
			}
		}
	}
	wanted("maps.yaml", document)
	marks := make(map[fqdn.Name][]mapfile.Mark)
	for _, a := range doc.Accounts {
		for _, z := range a.Zones {
			marks[z.Name] = z.Marks
		}
	}
	for apex, text := range files {
		records, err := cloudflare.Records(apex, []byte(text), fqdn.Name(apex))
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, Zone{fqdn.Name(apex), apex, records, "maps.yaml", marks[fqdn.Name(apex)]})
		wanted(apex, text)
	}
	for _, e := range Of(snapshot, zones) {
		at := fmt.Sprintf("%s:%d", e.File, e.Line)
		if want[at] != string(e.Hidden) {
			t.Errorf("%s: want one of %q, got %+v", at, want[at], e)
		}
		if !strings.Contains(e.Text, fmt.Sprintf("%q", e.Hidden)) || e.Remedy == "" {
			t.Errorf("%s: got %+v", at, e)
		}
		if strings.Contains(e.Text+e.Remedy, "66") {
			t.Errorf("%s: %q tells an address", at, e.Text)
		}
		delete(want, at)
	}
	for at, name := range want {
		t.Errorf("%s: nothing is said of the origin of %s", at, name)
	}
}
