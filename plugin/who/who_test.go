package who_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/who"
)

const edge = `
anycast: [192.0.2.1, "2001:db8::1"]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24, {cidr: 198.51.100.0/24, advertised: false}, "2001:db8:100::/48"]
    static_ips: [192.0.2.77]
    zones:
      - {name: example.org, proxied: ["@", www, "*.dev", {name: v6, ipv6_only: true}, {name: off, proxied: false}]}
      - {name: shop.example.org, proxied: [deep]}
      - {name: example.net, proxied: all}
    address_maps:
      - {id: front, enabled: true, ips: [203.0.113.10, 203.0.113.11, "2001:db8:100::10"], memberships: [{kind: zone, identifier: example.org}]}
      - {id: all, enabled: true, ips: [203.0.113.10], memberships: [{kind: account, identifier: acme}]}
      - {id: old, ips: [203.0.113.10], memberships: [{kind: zone, identifier: example.org}]}
      - {id: gone, enabled: true, ips: [198.51.100.9, 203.0.113.99], memberships: []}
    spectrum_apps:
      - {dns: {name: ssh.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.10]}}
      - {dns: {name: game.example.org, type: CNAME}, edge_ips: {type: dynamic, connectivity: ipv4}}
  - id: globex
    delegated_prefixes: [203.0.113.128/25]
    zones:
      - {name: example.com, proxied: [www, api]}
    address_maps:
      - {id: lent, enabled: true, ips: [203.0.113.200], memberships: [{kind: zone, identifier: example.com}]}
`

func build(t testing.TB, text string) *mapset.Snapshot { return buildFor(t, text, mapset.Options{}) }

func buildFor(t testing.TB, text string, opt mapset.Options) *mapset.Snapshot {
	t.Helper()
	doc, errs := mapfile.Parse("maps.yaml", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s, errs := mapset.Build([]mapset.Source{{Doc: doc}}, opt)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return s
}

func parse(t testing.TB, text string) who.Query {
	t.Helper()
	q, err := who.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// summary is a report in few lines.
func summary(r *who.Report) string {
	var b strings.Builder
	n := r.Names
	fmt.Fprintf(&b, "%d names, %d zones, %d accounts, %d throughout; %d others, %d other family, %d none\n", n.All, n.Zones, n.Accounts, n.Throughout, n.WithOthers, n.OtherFamilyOnly, n.WithoutOthers)
	for _, s := range r.Space {
		fmt.Fprintf(&b, "%s %s of %s withdrawn=%t\n", s.Kind, s.Prefix, s.Account, s.Withdrawn)
	}
	for _, p := range r.Places {
		fmt.Fprintf(&b, "%s %s %d names", p.Kind, p.ID, p.Names)
		for _, o := range p.Passed {
			fmt.Fprintf(&b, "; %d %s by %s", o.Names, o.Reason, o.By)
		}
		if len(p.Withdrawn) > 0 {
			fmt.Fprintf(&b, "; withdrawn %v", p.Withdrawn)
		}
		b.WriteString("\n")
	}
	for _, a := range r.Accounts {
		for _, z := range a.Zones {
			fmt.Fprintf(&b, "%s %s %d %v %v\n", a.ID, z.Name, z.Names, z.Steps, z.List)
		}
	}
	return b.String()
}

func TestAsk(t *testing.T) {
	s := build(t, edge)
	for _, c := range []struct{ query, want string }{
		{"203.0.113.10", `
6 names, 3 zones, 1 accounts, 1 throughout; 3 others, 0 other family, 3 none
prefix 203.0.113.0/24 of acme withdrawn=false
address_map front 3 names; 2 not reached by spectrum
address_map all 2 names; 4 not reached by zone front; 2 not reached by spectrum
spectrum ssh.example.org. 1 names
address_map old 0 names
acme example.org. 4 [spectrum zone front] [*.dev.example.org. example.org. ssh.example.org. www.example.org.]
acme example.net. 1 [account all] []
acme shop.example.org. 1 [account all] [deep.shop.example.org.]
`},
		{"2001:db8:100::10", `
4 names, 1 zones, 1 accounts, 0 throughout; 0 others, 3 other family, 1 none
prefix 2001:db8:100::/48 of acme withdrawn=false
address_map front 4 names; 2 not reached by spectrum
acme example.org. 4 [zone front] [*.dev.example.org. example.org. v6.example.org. www.example.org.]
`},
		{"198.51.100.0/24", `
0 names, 0 zones, 0 accounts, 0 throughout; 0 others, 0 other family, 0 none
prefix 198.51.100.0/24 of acme withdrawn=true
address_map gone 0 names; withdrawn [198.51.100.9]
`},
		{"203.0.113.200", `
2 names, 1 zones, 1 accounts, 0 throughout; 0 others, 0 other family, 2 none
prefix 203.0.113.0/24 of acme withdrawn=false
delegated_prefix 203.0.113.128/25 of globex withdrawn=false
address_map lent 2 names
globex example.com. 2 [zone lent] [api.example.com. www.example.com.]
`},
		{"192.0.2.1", `
1 names, 1 zones, 1 accounts, 0 throughout; 0 others, 0 other family, 1 none
anycast  1 names; 4 not reached by zone front; 2 not reached by account all; 2 not reached by zone lent; 1 not reached by spectrum
acme example.org. 1 [spectrum] [game.example.org.]
`},
		{"192.0.2.77", `
0 names, 0 zones, 0 accounts, 0 throughout; 0 others, 0 other family, 0 none
static_ip 192.0.2.77 of acme withdrawn=false
`},
		{"10.0.0.0/8", `
0 names, 0 zones, 0 accounts, 0 throughout; 0 others, 0 other family, 0 none
`},
	} {
		if got := summary(who.Ask(s, parse(t, c.query), 0, "")); got != c.want[1:] {
			t.Errorf("%s: got\n%swant\n%s", c.query, got, c.want[1:])
		}
	}
}

// Of everything, all that is known is listed, and a limit lists the first names.
// TestAsk_GeneralAnycast: at a site, the general anycast answers for nobody, and is said to
// be there: a drain of the site falls back to it. An address of both is the site's.
func TestAsk_GeneralAnycast(t *testing.T) {
	text := "anycast: [192.0.2.1, 192.0.2.2]\nsites: {fra: {anycast: [192.0.2.2, 192.0.2.65]}}\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www]}]}]\n"
	for _, c := range []struct {
		opt         mapset.Options
		query, want string
	}{
		{mapset.Options{Site: "fra"}, "192.0.2.1", "general_anycast  0 names\n"},
		{mapset.Options{Site: "fra"}, "192.0.2.2", "anycast  1 names\nsite fra 0 names\n"},
		{mapset.Options{Site: "fra"}, "192.0.2.65", "anycast  1 names\nsite fra 0 names\n"},
		{mapset.Options{}, "192.0.2.1", "anycast  1 names\n"},
		{mapset.Options{}, "192.0.2.65", "site fra 0 names\n"},
	} {
		_, got, _ := strings.Cut(summary(who.Ask(buildFor(t, text, c.opt), parse(t, c.query), 0, "")), "\n")
		if got, _, _ = strings.Cut(got, "acme "); got != c.want {
			t.Errorf("%s at %q: got %q, want %q", c.query, c.opt.Site, got, c.want)
		}
	}
}

func TestAsk_Everything(t *testing.T) {
	s := build(t, edge)
	whole, first := who.Ask(s, parse(t, "0.0.0.0/0"), 0, ""), who.Ask(s, parse(t, "0.0.0.0/0"), 2, "")
	if whole.Names.All != 9 || whole.Names != first.Names || whole.Names.WithOthers != 0 {
		t.Errorf("%+v, with a limit %+v", whole.Names, first.Names)
	}
	for i, a := range whole.Accounts {
		for j, z := range a.Zones {
			want := z.List[:min(2, len(z.List))]
			if got := first.Accounts[i].Zones[j].List; !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want the first of %v", z.Name, got, z.List)
			}
		}
	}
	if _, err := json.Marshal(whole); err != nil {
		t.Error(err)
	}
}

func TestAsk_Together(t *testing.T) {
	s := build(t, edge)
	for name, want := range map[fqdn.Name]string{
		// All of ssh's addresses are front's too: who is on ssh's alone?
		"ssh.example.org.": "example.net. [], shop.example.org. [deep.shop.example.org.]",
		// front has more addresses than anybody: all others are on them alone.
		"www.example.org.":  "example.org. [*.dev.example.org. example.org. ssh.example.org. v6.example.org.], example.net. [], shop.example.org. [deep.shop.example.org.]",
		"www.example.com.":  "example.com. [api.example.com.]",
		"game.example.org.": "",
	} {
		r := who.Ask(s, who.Of(s.Lookup(name)), 0, name)
		var zones []string
		for _, a := range r.Accounts {
			for _, z := range a.Zones {
				zones = append(zones, fmt.Sprint(z.Name, " ", z.List))
			}
		}
		if got := strings.Join(zones, ", "); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.10": "203.0.113.10", "203.0.113.10/24": "203.0.113.0/24", "203.0.113.10/32": "203.0.113.10",
		"2001:DB8::1": "2001:db8::1", "[2001:db8::1]": "2001:db8::1", "0.0.0.0/0": "0.0.0.0/0", "::/0": "::/0",
	} {
		if q, err := who.Parse(text); err != nil || q.String() != want {
			t.Errorf("%s: got %s, %v, want %s", text, q, err, want)
		}
	}
	for text, want := range map[string]string{
		"::ffff:203.0.113.10":     "IPv4-mapped, which no answer is: write 203.0.113.10",
		"::ffff:203.0.113.10/120": "write 203.0.113.0/24",
		"::ffff:0.0.0.0/90":       "write one such as",
		"fe80::1%eth0":            "without the zone: fe80::1",
		"fe80::1%eth0/64":         "without the zone: fe80::1",
		"203.0.113.10:443":        "without the port: 203.0.113.10",
		"[2001:db8::1]:53":        "without the port: 2001:db8::1",
		"203.0.113.300":           "write one such as",
		"203.0.113.0/33":          "write one such as",
		"203.0.113":               "write one such as",
		"010.0.0.1":               "write one such as",
		"www.example.org":         "write one such as",
		"":                        "write one such as",
		"maps.yaml":               "write one such as",
	} {
		if _, err := who.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
