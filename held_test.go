package addressmap

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/file"
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
		e := &exchange{ResponseWriter: new(test.ResponseWriter)}
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
	h := heldBy(f)
	for name, want := range map[string]bool{
		"example.org.": true, "ns.example.org.": true, "v6.example.org.": true, "upper.example.org.": true,
		"a.deep.example.org.": true, "own.wild.example.org.": true, `a\.dot.example.org.`: true, "www.sub.example.org.": true,

		"nope.example.org.": false, "mail.example.org.": false, "deep.example.org.": false,
		"flat.example.org.": false, "loop.example.org.": false, "both.example.org.": false,
		"any.wild.example.org.": false, "cut.example.org.": false, "ns.cut.example.org.": false, "a.b.cut.example.org.": false,
		"moved.example.org.": false, "a.moved.example.org.": false, "signed.example.org.": false,
		"in.sub.example.org.": false, "sub.example.org.": false, "example.net.": false, ".": false,
	} {
		got := h.WithAddress(fqdn.Name(name)) != nil
		if got != want {
			t.Errorf("%s: an address is seen: %t, want %t", name, got, want)
		}
		if got && !saysAddress(t, f, name) {
			t.Errorf("%s: an address is seen that file does not answer with", name)
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
		h := heldBy(f)
		for range 100 {
			n := name()
			if h.WithAddress(fqdn.Canonical(n)) == nil {
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
	h, z := heldBy(f), f.Z["example.org."]
	first := h.WithAddress("ns.example.org.")
	if first == nil || !first.Current() || h.WithAddress("v6.example.org.") != first {
		t.Fatal("a zone in which nothing changes has one version")
	}
	expire := func(expired bool) {
		z.Lock()
		z.Expired = expired
		z.Unlock()
	}
	expire(true)
	if first.Current() || h.WithAddress("ns.example.org.") != nil {
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
	if again := h.WithAddress("ns.example.org."); again == nil || again == first || !again.Current() {
		t.Error("a zone that was read again has another version")
	}
	z.Lock()
	z.Apex, z.Tree = file.Apex{}, nil
	z.Unlock()
	if h.WithAddress("ns.example.org.") != nil {
		t.Error("an empty zone is looked into")
	}
}

// Only the zones of file itself can be looked into, and only if nothing comes before
// it that may answer.
func TestHeld_OnlyOfFile(t *testing.T) {
	f := fileOf(t, map[string]string{"example.org.": heldZoneText})
	lookup := f
	lookup.ZoneLookupFunc = func(string) (string, *file.Zone, bool) { return "", nil, false }
	for what, c := range map[string]struct {
		next plugin.Handler
		want bool
	}{
		"file":                  {f, true},
		"transfer before it":    {&transfer.Transfer{Next: f}, true},
		"transfer and no more":  {&transfer.Transfer{}, false},
		"another plugin":        {answers(t), false},
		"nothing":               {nil, false},
		"file that looks it up": {lookup, false},
	} {
		if got := heldBy(c.next) != nil; got != c.want {
			t.Errorf("%s: can be looked into: %t, want %t", what, got, c.want)
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
		"looked into":  {heldBy(f), false, map[string]int{"www": 0, "plain": 1, "flat": 1, "x.wild": 1}},
		"not":          {nil, false, map[string]int{"www": 1, "plain": 1, "flat": 1, "x.wild": 1}},
		"presence off": {heldBy(f), true, map[string]int{"www": 1, "plain": 1, "flat": 1, "x.wild": 1}},
	} {
		for name, want := range c.want {
			a := newHandler(t, counting, nil)
			if !c.off {
				remembering(t, a)
			}
			a.scope.Zones, asked = c.zones, 0
			e := &exchange{ResponseWriter: new(test.ResponseWriter)}
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

// A zone that is signed in its file is warned of, once, also if the only query is for a
// name that file has: what is looked into must not hide it (R17).
func TestR17_HeldZoneIsWarnedOf(t *testing.T) {
	c := start(t, "example.org {\n bind 127.0.0.1\n addressmap maps.yaml\n file db.example.org\n}\n", map[string]string{
		"maps.yaml": stubMap,
		"db.example.org": "$ORIGIN example.org.\n@ 60 IN SOA ns h 1 3600 600 86400 5\nwww 60 IN A 10.66.0.1\n" +
			"www 60 IN RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA\n",
	})
	for range 3 {
		req := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
		req.SetEdns0(1232, true)
		if m := c.ask(t, "udp", req); len(m.Answer) != 2 {
			t.Fatalf("got\n%v", m)
		}
	}
	eventually(t, "a warning", func() bool { return len(c.log.lines("is signed in its file")) == 1 })
}
