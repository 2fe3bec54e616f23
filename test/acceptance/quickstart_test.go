package acceptance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the quick start must answer, in dig's words. The origins of its zones
// are all in the prefixes of hidden.
var quickstart = []struct {
	name, question, status string
	answer                 []string
}{
	{"R2 zone map, A", "www.example.org A", "NOERROR",
		[]string{"www.example.org. 300 IN A 203.0.113.10", "www.example.org. 300 IN A 203.0.113.11"}},
	{"R2 zone map, AAAA though the origin has only A", "www.example.org AAAA", "NOERROR",
		[]string{"www.example.org. 300 IN AAAA 2001:db8:100::10"}},
	{"R2 apex", "example.org AAAA", "NOERROR", []string{"example.org. 300 IN AAAA 2001:db8:100::10"}},
	{"R2 account map, A though the origin has only AAAA", "blog.example.net A", "NOERROR",
		[]string{"blog.example.net. 300 IN A 203.0.113.80"}},
	{"R2 account map, AAAA", "blog.example.net AAAA", "NOERROR",
		[]string{"blog.example.net. 300 IN AAAA 2001:db8:100::80"}},
	{"R2 anycast, A", "www.example.com A", "NOERROR",
		[]string{"www.example.com. 300 IN A 192.0.2.1", "www.example.com. 300 IN A 192.0.2.2"}},
	{"R2 anycast, AAAA", "www.example.com AAAA", "NOERROR", []string{"www.example.com. 300 IN AAAA 2001:db8::1"}},
	{"R2 over TCP", "+tcp www.example.org AAAA", "NOERROR",
		[]string{"www.example.org. 300 IN AAAA 2001:db8:100::10"}},
	{"R2 owner spelled as asked", "wWw.ExAmPlE.oRg AAAA", "NOERROR",
		[]string{"wWw.ExAmPlE.oRg. 300 IN AAAA 2001:db8:100::10"}},
	{"R5 CNAME out of reach, A", "assets.example.org A", "NOERROR",
		[]string{"assets.example.org. 300 IN A 203.0.113.10", "assets.example.org. 300 IN A 203.0.113.11"}},
	{"R5 CNAME out of reach, AAAA", "assets.example.org AAAA", "NOERROR",
		[]string{"assets.example.org. 300 IN AAAA 2001:db8:100::10"}},
	{"R5 CNAME in the zone", "news.example.net A", "NOERROR", []string{"news.example.net. 300 IN A 203.0.113.80"}},
	{"R6 CNAME", "assets.example.org CNAME", "NOERROR", nil},
	{"R6 TXT", "assets.example.org TXT", "NOERROR", nil},
	{"R8 wildcard", "boots.shop.example.org AAAA", "NOERROR",
		[]string{"boots.shop.example.org. 300 IN AAAA 2001:db8:100::10"}},
}

// The same names asked for what is not replaced: as the backend has it.
var untouched = []string{
	"mail.example.org A",         // R1
	"mail.example.org AAAA",      // R1, NODATA
	"example.com A",              // R1, a zone with another name proxied
	"nothing.example.org A",      // R1, NXDOMAIN
	"nothing.example.net A",      // R4, NXDOMAIN under `proxied: all`
	"nothing.example.net AAAA",   // R4
	"Status.Shop.example.org A",  // R8, exists by itself
	"api.shop.example.org A",     // R8, an exception
	"blog.example.net TXT",       // R13
	"example.org MX",             // R13, with an address in additional
	"example.org NS",             // with glue
	"example.org SOA",            //
	"+tcp nothing.example.com A", //
}

func TestQuickstart(t *testing.T) {
	needs(t, dnsutils)
	for name, build := range map[string]func() (string, error){"own binary": coredns, "by plugin.cfg": configured} {
		t.Run(name, func(t *testing.T) {
			binary, err := build()
			if err != nil {
				t.Fatal(err)
			}
			checkQuickstart(t, binary)
		})
	}
}

func checkQuickstart(t *testing.T, binary string) {
	mapped := serve(t, binary, "quickstart")
	plain := serve(t, binary, "quickstart",
		edit{"Corefile", "addressmap maps.yaml", ""},
		edit{"Corefile", "198.51.100.253", newSilence(t).addr})

	for _, tc := range quickstart {
		t.Run(tc.name, func(t *testing.T) {
			r := mapped.ask(t, tc.question)
			if r.status != tc.status || !slices.Equal(r.answer, tc.answer) {
				t.Errorf("want %s %q\ngot  %s %q", tc.status, tc.answer, r.status, r.answer)
			}
			if name := strings.TrimPrefix(tc.question, "+tcp "); !strings.HasPrefix(r.question, strings.Fields(name)[0]+". ") {
				t.Errorf("want the question echoed as asked, got %q", r.question)
			}
			if hidden.MatchString(r.all()) {
				t.Errorf("origin data left:\n%s", r.all())
			}
			checkNegative(t, r)
			// The case must be one in which the plugin matters.
			without, err := plain.dig(strings.Fields("+tries=1 +time=1 " + tc.question)...)
			if err == nil && parseDig(without).equal(r) {
				t.Errorf("want another answer without the plugin, got the same %q", r)
			}
		})
	}
	for _, question := range untouched {
		t.Run(question, func(t *testing.T) {
			if want, got := plain.ask(t, question), mapped.ask(t, question); !got.equal(want) {
				t.Errorf("want %q\ngot  %q", want, got)
			}
		})
	}
}

// checkNegative holds the shape of R2 and R6: nothing but the answer, or
// nothing but the zone's SOA.
func checkNegative(t *testing.T, r reply) {
	t.Helper()
	if len(r.additional) > 0 {
		t.Errorf("want nothing in additional, got %q", r.additional)
	}
	if len(r.answer) > 0 {
		if len(r.authority) > 0 {
			t.Errorf("want nothing in authority, got %q", r.authority)
		}
		return
	}
	if len(r.authority) != 1 || !strings.Contains(r.authority[0], " IN SOA ") {
		t.Errorf("want the zone's SOA in authority, got %q", r.authority)
	}
}

// The README shows dig's output: it must be what comes out.
func TestQuickstart_READMEShowsWhatHappens(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, binary, "quickstart")
	shown := 0
	for _, part := range strings.Split(string(readme), "\n$ dig @127.0.0.1 -p 1053 ")[1:] {
		line, rest, _ := strings.Cut(part, "\n")
		args, _, _ := strings.Cut(line, "#")
		want, _, _ := strings.Cut(rest, "```")
		want, _, _ = strings.Cut(want, "$ ")
		got, err := s.dig(strings.Fields(args)...)
		if err != nil {
			t.Fatalf("dig %s: %v\n%s", args, err, got)
		}
		if strings.TrimRight(got, "\n") != strings.TrimRight(want, "\n") {
			t.Errorf("README.md: dig %s\nwant\n%s\ngot\n%s", args, want, got)
		}
		shown++
	}
	if shown == 0 {
		t.Error("want dig commands in README.md, found none")
	}
}
