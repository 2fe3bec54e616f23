package mapset_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

const covered = `
anycast: [192.0.2.7]
accounts:
  - id: acme
    static_ips: [192.0.2.1]
    zones:
      - {name: example.org, proxied: ["@", www, "*.wild", a.shop, {name: plain, proxied: false}]}
      - {name: sub.example.org, proxied: all}
      - {name: example.net, proxied: all}
      - {name: example.com}
    spectrum_apps:
      - {dns: {name: app.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [192.0.2.1]}}
      - {dns: {name: www.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [192.0.2.1]}}
      - {dns: {name: example.net, type: ADDRESS}, edge_ips: {type: static, ips: [192.0.2.1]}}
`

func names(list string) []fqdn.Name {
	var out []fqdn.Name
	for _, n := range strings.Fields(list) {
		out = append(out, fqdn.Canonical(n))
	}
	return out
}

func TestR29_Declares(t *testing.T) {
	snap := build(t, mapset.Options{}, covered)
	for name, want := range map[string]bool{
		"example.org.": true, "deep.down.example.org.": true, "example.com.": true,
		"example.edu.": false, "org.": false, ".": false, "xexample.org.": false,
	} {
		if got := snap.Declares(fqdn.Name(name)); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// Which names of a server block its directive leaves out.
func TestOutside(t *testing.T) {
	snap := build(t, mapset.Options{}, covered)
	for _, c := range []struct{ block, acting, want string }{
		{"example.org", "example.org", ""},
		{"example.org", ".", ""},
		{"example.org", "www.example.org", "*.wild.example.org a.shop.example.org app.example.org example.org sub.example.org"},
		{"example.org", "shop.example.org sub.example.org", "*.wild.example.org app.example.org example.org www.example.org"},
		{"example.org example.net", "example.org", "example.net"},
		{"example.org example.com", "example.org", ""},
		{"example.net", "x.example.net", "example.net"},
		{"www.example.net", "x.www.example.net", "www.example.net"},
		{"x.wild.example.org", "a.x.wild.example.org", "x.wild.example.org"},
		{"plain.example.org", "x.plain.example.org", ""},
		{"shop.example.org", "b.shop.example.org", "a.shop.example.org"},
		{".", "example.org", "example.net"},
		{"example.edu", "x.example.edu", ""},
	} {
		got := slices.Sorted(snap.Outside(fqdn.NewSet(names(c.block)...), fqdn.NewSet(names(c.acting)...)))
		if want := names(c.want); !slices.Equal(got, want) {
			t.Errorf("block %s, acting %s:\n got %q\nwant %q", c.block, c.acting, got, want)
		}
	}
	for n := range snap.Outside(fqdn.NewSet("."), fqdn.NewSet("shop.example.org.")) {
		_ = n // whoever has seen enough ends it
		break
	}
}
