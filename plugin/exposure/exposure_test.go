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

const maps = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: a
    zones:
      - {name: example.org, proxied: [www, alias, byname, loop, {name: plain, proxied: false}]}
      - {name: sub.example.org, proxied: ["@"]}
      - {name: example.net, proxied: []}
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
@ 60 IN TXT "v=spf1 ip4:10.0.0.0/8 ip6:2001:db8::/32 ip4:10.66.1.0/24 ip4:nonsense mx -all"
@ 60 IN TXT "origin " "10.66.0" ".2, for " "us" ; ! alias
@ 60 IN TXT "v=spf1 include:_spf.example.com ~all"
old 60 IN SPF "v=spf1 ip4:10.66.0.1 -all" ; ! www
sub 60 IN A 10.66.0.1
`,
	"sub.example.org.": head + "@ 60 IN A 10.66.0.5\nmail 60 IN A 10.66.0.5 ; ! sub\n",
	"example.net.":     head + "mirror 60 IN A 10.66.0.1 ; ! www\nmirror 60 IN A 10.66.0.77\n",
}

func TestOf(t *testing.T) {
	doc, errs := mapfile.Parse("maps.yaml", []byte(maps))
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	snapshot, errs := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	var zones []Zone
	want := make(map[string]string) // :: place → proxied name
	for apex, text := range files {
		records, err := cloudflare.Records(apex, []byte(text), fqdn.Name(apex))
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, Zone{fqdn.Name(apex), apex, records})
		for i, line := range strings.Split(text, "\n") {
			if _, name, ok := strings.Cut(line, "; ! "); ok {
				want[fmt.Sprintf("%s:%d", apex, i+1)] = name + ".example.org."
			}
		}
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
