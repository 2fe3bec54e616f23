package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

const recallMap = `
anycast: [192.0.2.1]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [www, "*.wild"]}, {name: example.net, proxied: [www]}]}
`

// recalling returns names with a memory that forgets nothing by itself.
func recalling(t *testing.T, text string, tells bool) *Names {
	t.Helper()
	names := testNames(t, text, tells)
	names.Backend = Remembering(t, names.Backend)
	return names
}

// twice asks a backend for A as often as it takes to remember the name, and once more.
func twice(t *testing.T, names *Names, x Exchange, name string) (last Outcome) {
	t.Helper()
	for range 3 {
		last = respond(new(dns.Msg).SetQuestion(name, dns.TypeA), names, x)
	}
	return last
}

// What is remembered of the decision holds for the snapshot that made it, and for no
// other, also if nobody says that the map has changed.
func TestRecall_DecidedOnTheSnapshot(t *testing.T) {
	names := recalling(t, recallMap, true)
	b := &script{tb: t, replies: map[string]string{"www.example.org. A": "www.example.org. 60 IN A 10.66.0.1"}}
	if out := twice(t, names, b, "www.example.org."); !strings.Contains(out.Msg().String(), "192.0.2.1") || len(b.asked) != 2 {
		t.Fatalf("asked %v, got\n%v", b.asked, out.Msg())
	}
	for text, want := range map[string]string{
		strings.Replace(recallMap, "192.0.2.1", "192.0.2.9", 1): "192.0.2.9",
		strings.Replace(recallMap, "www, ", "", 1):              "10.66.0.1",
	} {
		names.Snapshot = testNames(t, text, true).Snapshot
		if out := twice(t, names, b, "www.example.org."); !strings.Contains(out.Msg().String(), want) || strings.Contains(out.Msg().String(), "192.0.2.1\n") {
			t.Errorf("want %s, got\n%v", want, out.Msg())
		}
	}
}

// An alias that leads out of the zones that the directive acts for has its target
// answered from the map. Who asks for the target by its own name gets what the
// backend has.
func TestRecall_OutsideTheActingZones(t *testing.T) {
	names := recalling(t, recallMap, false)
	names.Acting = fqdn.NewZones(fqdn.NewSet("example.org."))
	b := &script{tb: t, replies: map[string]string{
		"alias.example.org. A":   "alias.example.org. 60 IN CNAME www.example.net.",
		"www.example.net. A":     "www.example.net. 60 IN A 10.66.0.1",
		"www.example.net. CNAME": "| ; example.net. 60 IN SOA ns.example.net. h.example.net. 1 2 3 4 5",
	}}
	if out := twice(t, names, b, "alias.example.org."); !strings.Contains(out.Msg().String(), "192.0.2.1") {
		t.Fatalf("the target of the alias is not answered from the map:\n%v", out.Msg())
	}
	if out := twice(t, names, b, "www.example.net."); !strings.Contains(out.Msg().String(), "10.66.0.1") {
		t.Errorf("a name that the directive does not act for is answered from the map:\n%v", out.Msg())
	}
}

// A wildcard's mark covers a name for as long as that is what the backend says, in
// answers to other questions as well.
func TestRecall_WildcardOnlyForAddresses(t *testing.T) {
	names := recalling(t, recallMap, true)
	b := &script{tb: t, replies: map[string]string{
		"a.wild.example.org. A and wildcard":   "from *.wild.example.org.; a.wild.example.org. 60 IN A 10.66.0.1",
		"a.wild.example.org. TXT and wildcard": "a.wild.example.org. 60 IN TXT x",
	}}
	if out := twice(t, names, b, "a.wild.example.org."); !strings.Contains(out.Msg().String(), "192.0.2.1") {
		t.Fatalf("got\n%v", out.Msg())
	}
	out := respond(new(dns.Msg).SetQuestion("a.wild.example.org.", dns.TypeTXT), names, b)
	if out.Decision.Proxied() {
		t.Errorf("a name that exists by itself now is taken for one of the wildcard:\n%v", out.Msg())
	}
}

// A name that was answered from a wildcard is remembered as such, also where the question for
// its HTTPS record came first: the address map of the wildcard answers in each place.
func TestRecall_WildcardOfAService(t *testing.T) {
	names := recalling(t, `
accounts:
  - id: acme
    prefixes: [203.0.113.0/24]
    zones: [{name: example.org, proxied: all}]
    address_maps:
      - {enabled: true, ips: [203.0.113.30], memberships: [{kind: name, identifier: "*.example.org"}]}
      - {enabled: true, ips: [203.0.113.70], memberships: [{kind: account, identifier: acme}]}
`, true)
	names.ALPN = []string{"h2"}
	address := "w.example.org. 60 IN A 10.66.0.1"
	b := &script{tb: t, replies: map[string]string{
		"w.example.org. HTTPS and wildcard": "from *.example.org.; | ; example.org. 60 IN SOA ns.example.org. h.example.org. 1 2 3 4 5",
		"w.example.org. A and wildcard":     "from *.example.org.; " + address,
		"w.example.org. A":                  address,
	}}
	for _, qtype := range []uint16{dns.TypeHTTPS, dns.TypeHTTPS, dns.TypeHTTPS, dns.TypeANY, dns.TypeA} {
		out := respond(new(dns.Msg).SetQuestion("w.example.org.", qtype), names, b)
		if text := out.Msg().String(); !strings.Contains(text, "203.0.113.30") || strings.Contains(text, "203.0.113.70") {
			t.Fatalf("got\n%v", out.Msg())
		}
	}
}

// decided reports whether it is remembered what the map says of a name.
func decided(names *Names, name string) bool {
	q := NewQuery(new(dns.Msg).SetQuestion(name, dns.TypeA), *names)
	return q.known.Final
}

// That a name is not proxied is remembered until the map changes, and of names alone
// that the backend has: anybody can ask for others.
func TestSpared_UntilTheMapChanges(t *testing.T) {
	names := recalling(t, recallMap, true)
	b := &script{tb: t, replies: map[string]string{
		"plain.example.org. A": "plain.example.org. 60 IN A 10.66.0.1",
		"gone.example.org. A":  "NXDOMAIN",
	}}
	for name, want := range map[string]bool{"plain.example.org.": true, "gone.example.org.": false} {
		twice(t, names, b, name)
		if got := decided(names, name); got != want {
			t.Errorf("the decision for %s is remembered: %t", name, got)
		}
	}
	if len(b.asked) != 6 {
		t.Errorf("asked %v, want each time", b.asked)
	}
	names.Snapshot = testNames(t, strings.Replace(recallMap, "www, ", "www, plain, ", 1), true).Snapshot
	if decided(names, "plain.example.org.") {
		t.Error("what was decided on another snapshot counts")
	}
	if out := twice(t, names, b, "plain.example.org."); !strings.Contains(out.Msg().String(), "192.0.2.1") {
		t.Errorf("a name that has become proxied is answered with\n%v", out.Msg())
	}
}

// Names below a wildcard of the map are not spared: whether it covers them depends on the
// backend.
func TestSpared_NotBelowAWildcard(t *testing.T) {
	names := recalling(t, strings.Replace(recallMap, `"*.wild"`, `{name: "*.wild", proxied: false}`, 1), true)
	b := &script{tb: t, replies: map[string]string{"x.wild.example.org. A and wildcard": "x.wild.example.org. 60 IN A 10.66.0.1"}}
	if twice(t, names, b, "x.wild.example.org."); decided(names, "x.wild.example.org.") {
		t.Error("the decision is remembered")
	}
}

// That a name is not proxied for who asks for it says nothing of whether the backend
// has it, which counts where an alias leads there.
func TestSpared_IsNotKnownToExist(t *testing.T) {
	names := recalling(t, recallMap, false)
	names.Acting = fqdn.NewZones(fqdn.NewSet("example.org."))
	b := &script{tb: t, replies: map[string]string{
		"alias.example.org. A":   "alias.example.org. 60 IN CNAME www.example.net.",
		"www.example.net. A":     "www.example.net. 60 IN A 10.66.0.1",
		"www.example.net. CNAME": "| ; example.net. 60 IN SOA ns.example.net. h.example.net. 1 2 3 4 5",
	}}
	if twice(t, names, b, "www.example.net."); !decided(names, "www.example.net.") {
		t.Fatal("the decision is not remembered")
	}
	b.replies["www.example.net. A"] = "NXDOMAIN"
	b.replies["www.example.net. AAAA"], b.replies["www.example.net. CNAME"] = "NXDOMAIN", "NXDOMAIN"
	if out := twice(t, names, b, "alias.example.org."); strings.Contains(out.Msg().String(), "192.0.2.1") {
		t.Errorf("the target of the alias is answered though the backend does not have it:\n%v", out.Msg())
	}
}
