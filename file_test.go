package addressmap

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/dynupdate"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/hosts"
	"github.com/coredns/coredns/plugin/pkg/fall"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// fileOf is the plugin file with these zones.
func fileOf(t testing.TB, zones map[string]string) file.File {
	t.Helper()
	f := file.File{Zones: file.Zones{Z: make(map[string]*file.Zone)}}
	for apex, text := range zones {
		z, err := file.Parse(strings.NewReader(text), apex, "db", 0)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		f.Z[apex], f.Names = z, append(f.Names, apex)
	}
	return f
}

// saysAddress reports whether a plugin answers with an address of the owner, and
// with authority.
func saysAddress(t testing.TB, h plugin.Handler, name string) bool {
	t.Helper()
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		e := &exchange{Context: context.Background(), ResponseWriter: new(test.ResponseWriter)}
		rcode, err := h.ServeDNS(context.Background(), e, new(dns.Msg).SetQuestion(name, qtype))
		if err != nil || rcode != dns.RcodeSuccess || e.msg == nil || !e.msg.Authoritative || e.msg.Rcode != dns.RcodeSuccess {
			continue
		}
		for _, rr := range e.msg.Answer {
			if h := rr.Header(); h.Rrtype == qtype && fqdn.Canonical(h.Name) == fqdn.Canonical(name) {
				return true
			}
		}
	}
	return false
}

// address returns the version of the zone in which an address of the name is seen.
func address(z *memoryZones, name fqdn.Name) answer.Version {
	if p, version := z.Look(name); p.Exists && !p.Alias {
		return version
	}
	return nil
}

// saysAlias reports whether a plugin answers with an alias of the owner's own.
func saysAlias(t testing.TB, h plugin.Handler, name string) bool {
	t.Helper()
	e := &exchange{Context: context.Background(), ResponseWriter: new(test.ResponseWriter)}
	if _, err := h.ServeDNS(context.Background(), e, new(dns.Msg).SetQuestion(name, dns.TypeCNAME)); err != nil || e.msg == nil || !e.msg.Authoritative {
		return false
	}
	return len(e.msg.Answer) > 0 && e.msg.Answer[0].Header().Rrtype == dns.TypeCNAME
}

const heldZoneText = `
$ORIGIN example.org.
@        60 IN SOA ns h 1 3600 600 86400 5
@        60 IN NS  ns
@        60 IN A   10.66.0.1
ns       60 IN A   10.66.0.2
v6       60 IN AAAA 2001:db8:66::1
UPPER    60 IN A   10.66.0.3
mail     60 IN MX  10 ns
a.deep   60 IN A   10.66.0.4
flat     60 IN CNAME ns
loop     60 IN CNAME loop
both     60 IN A   10.66.0.5
both     60 IN CNAME ns
*.wild   60 IN A   10.66.0.6
own.wild 60 IN A   10.66.0.7
cut      60 IN NS  ns.cut
cut      60 IN A   10.66.0.8
ns.cut   60 IN A   10.66.0.9
a.b.cut  60 IN A   10.66.0.10
moved    60 IN DNAME example.net.
moved    60 IN A   10.66.0.11
a.moved  60 IN A   10.66.0.12
signed   60 IN A   10.66.0.13
signed   60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA
a\.dot   60 IN A   10.66.0.14
in.sub   60 IN A   10.66.0.15
`

const heldSubText = `
$ORIGIN sub.example.org.
@   60 IN SOA ns h 1 3600 600 86400 5
www 60 IN A   10.66.0.20
`

// A look into file's zones sees an address only where file would answer with it.
func TestHeld_SeesWhatFileAnswers(t *testing.T) {
	f := fileOf(t, map[string]string{"example.org.": heldZoneText, "sub.example.org.": heldSubText})
	h := zonesOf([]plugin.Handler{named(pluginName), f})
	for name, want := range map[string]bool{
		"example.org.": true, "ns.example.org.": true, "v6.example.org.": true, "upper.example.org.": true,
		"a.deep.example.org.": true, "own.wild.example.org.": true, `a\.dot.example.org.`: true, "www.sub.example.org.": true,

		"nope.example.org.": false, "mail.example.org.": false, "deep.example.org.": false,
		"flat.example.org.": false, "loop.example.org.": false, "both.example.org.": false,
		"any.wild.example.org.": false, "cut.example.org.": false, "ns.cut.example.org.": false, "a.b.cut.example.org.": false,
		"moved.example.org.": false, "a.moved.example.org.": false, "signed.example.org.": false,
		"in.sub.example.org.": false, "sub.example.org.": false, "example.net.": false, ".": false,
	} {
		got := address(h, fqdn.Name(name)) != nil
		if got != want {
			t.Errorf("%s: an address is seen: %t, want %t", name, got, want)
		}
		if got && !saysAddress(t, f, name) {
			t.Errorf("%s: an address is seen that file does not answer with", name)
		}
	}
	for name, want := range map[string]bool{
		"flat.example.org.": true, "loop.example.org.": true, "both.example.org.": true,
		"ns.example.org.": false, "any.wild.example.org.": false, "nope.example.org.": false,
	} {
		if p, _ := h.Look(fqdn.Name(name)); p.Alias != want || want && !p.Exists {
			t.Errorf("%s: got %+v, want an alias: %t", name, p, want)
		}
	}
}

// R12: the name servers of a zone cut are seen, and nothing else below it.
func TestR12_GlueInMemory(t *testing.T) {
	z := zonesOf([]plugin.Handler{named(pluginName), fileOf(t, map[string]string{"example.org.": heldZoneText})})
	for name, want := range map[string]bool{
		"ns.cut.example.org.": true, "a.b.cut.example.org.": false, "cut.example.org.": false, "ns.example.org.": false, "nope.example.org.": false, "ns.example.net.": false,
	} {
		if got := z.IsGlue(fqdn.Name(name)); got != want {
			t.Errorf("%s is glue: %t, want %t", name, got, want)
		}
	}
}

// R6: what stands beside an alias is seen, though file does not answer with it.
func TestR6_BesideInMemory(t *testing.T) {
	text := heldZoneText + "@ 60 IN MX 10 ns\nflat 60 IN TXT x\n*.alias 60 IN CNAME ns\n*.alias 60 IN TXT y\n"
	z := zonesOf([]plugin.Handler{named(pluginName), fileOf(t, map[string]string{"example.org.": text})})
	for _, c := range []struct {
		owner fqdn.Name
		qtype uint16
		want  string
	}{
		{"flat.example.org.", dns.TypeTXT, "FLAT.example.org.\t60\tIN\tTXT\t\"x\""},
		{"*.alias.example.org.", dns.TypeTXT, "FLAT.example.org.\t60\tIN\tTXT\t\"y\""},
		{"flat.example.org.", dns.TypeMX, ""},
		{"example.org.", dns.TypeMX, ""}, // is no alias
		{"nope.example.org.", dns.TypeTXT, ""},
	} {
		got := ""
		for _, rr := range z.Beside(c.owner, c.qtype, "FLAT.example.org.") {
			got += rr.String()
		}
		if got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.owner, dns.TypeToString[c.qtype], got, c.want)
		}
	}
}

// Whatever a zone is made of.
func TestHeld_Random(t *testing.T) {
	const zones, records = 300, 25
	rng := rand.New(rand.NewPCG(5, 5))
	labels := []string{"a", "b", "*", "B"}
	name := func() string {
		var b strings.Builder
		for range rng.IntN(4) {
			b.WriteString(labels[rng.IntN(len(labels))] + ".")
		}
		return b.String() + "example.org."
	}
	data := []string{"A 10.66.0.1", "A 10.66.0.2", "AAAA 2001:db8:66::1", "TXT x", "CNAME a.example.org.", "NS a.example.org.", "DNAME b.example.org."}
	seen := 0
	for range zones {
		text := "example.org. 60 IN SOA ns.example.org. h.example.org. 1 3600 600 86400 5\n"
		for range records {
			text += name() + " 60 IN " + data[min(rng.IntN(3*len(data)), rng.IntN(len(data)))] + "\n"
		}
		f := fileOf(t, map[string]string{"example.org.": text})
		h := zonesOf([]plugin.Handler{named(pluginName), f})
		for range 100 {
			n := name()
			if p, _ := h.Look(fqdn.Canonical(n)); p.Alias && !saysAlias(t, f, n) {
				t.Fatalf("%s: an alias is seen that file does not answer with, in\n%s", n, text)
			}
			if address(h, fqdn.Canonical(n)) == nil {
				continue
			}
			if seen++; !saysAddress(t, f, n) {
				t.Fatalf("%s: an address is seen that file does not answer with, in\n%s", n, text)
			}
		}
	}
	if seen < zones {
		t.Errorf("only %d addresses were seen", seen)
	}
}

// What was seen holds until file reads the zone again, and not while it would refuse
// to answer.
func TestHeld_Versions(t *testing.T) {
	f := fileOf(t, map[string]string{"example.org.": heldZoneText})
	h, z := zonesOf([]plugin.Handler{named(pluginName), f}), f.Z["example.org."]
	first := address(h, "ns.example.org.")
	if first == nil || !first.Current() || address(h, "v6.example.org.") != first {
		t.Fatal("a zone in which nothing changes has one version")
	}
	expire := func(expired bool) {
		z.Lock()
		z.Expired = expired
		z.Unlock()
	}
	expire(true)
	if first.Current() || address(h, "ns.example.org.") != nil {
		t.Error("an expired zone is looked into")
	}
	expire(false)
	next := fileOf(t, map[string]string{"example.org.": heldZoneText}).Z["example.org."]
	z.Lock()
	z.Apex, z.Tree = next.Apex, next.Tree // as the plugin does it
	z.Unlock()
	if first.Current() {
		t.Error("the version of a zone that was read again is current")
	}
	if again := address(h, "ns.example.org."); again == nil || again == first || !again.Current() {
		t.Error("a zone that was read again has another version")
	}
	z.Lock()
	z.Apex, z.Tree = file.Apex{}, nil
	z.Unlock()
	if address(h, "ns.example.org.") != nil {
		t.Error("an empty zone is looked into")
	}
}

// Only the zones of file itself can be looked into, and only if nothing comes before
// it that may answer.
func TestHeld_OnlyOfFile(t *testing.T) {
	f := fileOf(t, map[string]string{"example.org.": heldZoneText})
	for what, c := range map[string]struct {
		next []plugin.Handler
		want bool
	}{
		"file":                    {[]plugin.Handler{f}, true},
		"transfer before it":      {[]plugin.Handler{&transfer.Transfer{Next: f}, f}, true},
		"hosts before it":         {[]plugin.Handler{hosts.Hosts{Hostsfile: &hosts.Hostsfile{Origins: []string{"."}}, Fall: fall.Root}, f}, true},
		"hosts that fall nowhere": {[]plugin.Handler{hosts.Hosts{Hostsfile: &hosts.Hostsfile{Origins: []string{"."}}}, f}, false},
		"template before it":      {[]plugin.Handler{named("template"), f}, false},
		"forward after it":        {[]plugin.Handler{f, named("forward")}, true},
		"another plugin":          {[]plugin.Handler{answers(t)}, false},
		"nothing":                 {nil, false},
	} {
		z := zonesOf(append([]plugin.Handler{named(pluginName)}, c.next...))
		if got := z.RevealsWildcard("ns.example.org.") && address(z, "ns.example.org.") != nil; got != c.want {
			t.Errorf("%s: can be looked into: %t, want %t", what, got, c.want)
		}
	}
}

// R8: a backend tells where it holds the closest zone and does not fall through for the
// name, whatever else stands in the block.
func TestR8_WhoTellsWildcards(t *testing.T) {
	f := fileOf(t, map[string]string{"example.org.": heldZoneText, "sub.example.org.": heldSubText})
	f.Fall.SetZonesFromArgs([]string{"sub.example.org."})
	update := &dynupdate.DynUpdate{Zone: "example.net."}
	for _, c := range []struct {
		name     fqdn.Name
		handlers []plugin.Handler
		want     bool
	}{
		{"x.example.org.", []plugin.Handler{f}, true},
		{"x.sub.example.org.", []plugin.Handler{f}, false}, // falls through
		{"x.example.net.", []plugin.Handler{f}, false},     // not its zone
		{"x.example.org.", []plugin.Handler{f, named("forward")}, true},
		{"x.example.net.", []plugin.Handler{f, update, named("forward")}, true},
		{"x.example.net.", []plugin.Handler{f, named("forward"), update}, false},
		{"x.example.org.", []plugin.Handler{named("somethingelse"), f}, false},
	} {
		z := zonesOf(append([]plugin.Handler{named(pluginName)}, c.handlers...))
		if got := z.RevealsWildcard(c.name); got != c.want {
			t.Errorf("%s behind %d plugins: tells %t, want %t", c.name, len(c.handlers), got, c.want)
		}
	}
}

// A name that file has is answered without file, also for the first time. Nobody
// else's answer is made without it.
func TestPresence_FileIsNotAsked(t *testing.T) {
	f := fileOf(t, map[string]string{"example.org.": "$ORIGIN example.org.\n@ 60 IN SOA ns h 1 3600 600 86400 5\nwww 60 IN A 10.66.0.1\nplain 60 IN A 10.66.0.2\nflat 60 IN CNAME www\n*.wild 60 IN A 10.66.0.3\n"})
	asked := 0
	counting := test.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		asked++
		return f.ServeDNS(ctx, w, r)
	})
	for what, c := range map[string]struct {
		zones answer.Zones
		off   bool
		want  map[string]int // :: name → how often file is asked
	}{
		"looked into":  {zonesOf([]plugin.Handler{named(pluginName), f}), false, map[string]int{"www": 0, "plain": 1, "flat": 0, "x.wild": 1}},
		"not":          {answer.Opaque{}, false, map[string]int{"www": 2, "plain": 1, "flat": 1, "x.wild": 2}},
		"presence off": {zonesOf([]plugin.Handler{named(pluginName), f}), true, map[string]int{"www": 1, "plain": 1, "flat": 1, "x.wild": 1}},
	} {
		for name, want := range c.want {
			a := newHandler(t, counting, nil)
			if !c.off {
				remembering(t, a)
			}
			a.scope.Backend, asked = a.backend(c.zones), 0
			e := &exchange{Context: context.Background(), ResponseWriter: new(test.ResponseWriter)}
			if _, err := a.ServeDNS(served(t), e, new(dns.Msg).SetQuestion(name+".example.org.", dns.TypeA)); err != nil {
				t.Fatal(err)
			}
			proxied := name != "plain"
			if got := fmt.Sprint(e.msg); strings.Contains(got, "192.0.2.1") != proxied || strings.Contains(got, "10.66.") == proxied {
				t.Errorf("%s: %s is answered with\n%s", what, name, got)
			}
			if asked != want {
				t.Errorf("%s: asked %d times about %s, want %d", what, asked, name, want)
			}
		}
	}
}
