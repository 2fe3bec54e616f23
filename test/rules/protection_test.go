package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// shopMap is a map of which "shop" is protected. The zone of another account
// moves on beside it.
const shopMap = `
anycast: [192.0.2.1]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24]
    zones: [{name: example.org, proxied: [www]}]
    address_maps:
      - {id: shop, enabled: true, can_delete: false, can_modify_ips: false, ips: [203.0.113.10], memberships: [{kind: zone, identifier: example.org}]}
` + otherAccount

const otherAccount = `  - id: other
    static_ips: [198.51.100.1]
    zones: [{name: example.net, proxied: [www]}]
    address_maps: [{id: other, enabled: true, ips: [198.51.100.1], memberships: [{kind: account, identifier: other}]}]
`

// shopDocuments is the same map as a directory.
var shopDocuments = map[string]string{
	"maps/acme.yaml":  strings.TrimSuffix(shopMap, otherAccount),
	"maps/other.yaml": "accounts:\n" + otherAccount,
}

// edited returns the text with pairs of old and new replaced; each old must be
// there.
func edited(t *testing.T, text string, oldnew ...string) string {
	t.Helper()
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(text, oldnew[i]) {
			t.Fatalf("no %q in %s", oldnew[i], text)
		}
		text = strings.ReplaceAll(text, oldnew[i], oldnew[i+1])
	}
	return text
}

// guarded is a CoreDNS that runs on a map, seen as an operator sees it.
type guarded struct {
	*server.Server
	t       *testing.T
	name    string   // of the map
	options []string // of the directive
	port    string   // of the metrics
}

// guard starts CoreDNS on the map of this name, with options.
func guard(t *testing.T, name string, files map[string]string, options ...string) *guarded {
	t.Helper()
	server.Place(t, files)
	server.WriteFile(t, "db", "@ 60 IN SOA ns h 1 7200 3600 1209600 300\nwww 60 IN A 10.66.0.1\napi 60 IN A 10.66.0.2\n")
	g := &guarded{Server: server.New(t), t: t, name: name, options: options}
	g.begin()
	t.Cleanup(func() { g.Stop(t) })
	return g
}

// begin starts CoreDNS, with its metrics at a new port: the prometheus plugin
// listens at each once in the life of a process.
func (g *guarded) begin() {
	g.t.Helper()
	g.port = server.FreePort(g.t)
	corefile := fmt.Sprintf("example.org example.net {\n\tprometheus 127.0.0.1:%s\n\taddressmap %s {\n\t\treload 100ms\n\t\t%s\n\t}\n\tfile db\n}\n",
		g.port, g.name, strings.Join(g.options, "\n\t\t"))
	if err := g.Server.Begin(corefile); err != nil {
		g.t.Fatal(err)
	}
}

// restarted stops CoreDNS, changes the map and starts again.
func (g *guarded) restarted(change func()) {
	g.t.Helper()
	g.Stop(g.t)
	change()
	g.begin()
}

// metric returns one of the metrics of the map.
func (g *guarded) metric(name, label string) float64 {
	g.t.Helper()
	return server.Scrape(g.t, g.port, name)[fmt.Sprintf("%s{map=%q%s}", name, g.name, label)]
}

func (g *guarded) loads(result string) float64 {
	g.t.Helper()
	return g.metric("reloads_total", fmt.Sprintf(",result=%q", result))
}

// isRefused makes a change that must be refused: the log says so once, with all of
// what is wanted, the metrics agree, and www.example.org is answered as before.
func (g *guarded) isRefused(what string, change func(), path string, says ...string) {
	g.t.Helper()
	before, loads, answer := len(g.Log.Complaints()), g.loads("refused"), g.addresses("www.example.org.")
	change()
	server.Eventually(g.t, what+" is refused", func() bool { return g.loads("refused") > loads })
	if got := g.addresses("www.example.org."); got != answer {
		g.t.Errorf("%s: www.example.org is answered %q, not %q any more", what, got, answer)
	}
	if got := g.metric("degraded", ""); got != 1 {
		g.t.Errorf("%s: degraded is %v", what, got)
	}
	if got := len(g.Log.Complaints()); got != before+1 {
		g.t.Errorf("%s: %d errors, want one:\n%s", what, got-before, g.Log)
	}
	for _, want := range append(says, path+" is refused, its last good version stays in force: ") {
		if !strings.Contains(g.Log.String(), want) {
			g.t.Errorf("%s: want %q in the log:\n%s", what, want, g.Log)
		}
	}
}

// isAccepted makes a change that must come into force, after which www.example.org
// has this address.
func (g *guarded) isAccepted(what string, change func(), address string) {
	g.t.Helper()
	loads := g.loads("ok")
	change()
	server.Eventually(g.t, what+" is in force", func() bool { return g.loads("ok") > loads && g.addresses("www.example.org.") == address })
	if got := g.metric("degraded", ""); got != 0 {
		g.t.Errorf("%s: degraded is %v\n%s", what, got, g.Log)
	}
}

// addresses returns the addresses that a name is answered with.
func (g *guarded) addresses(name string) string {
	g.t.Helper()
	m := g.Lookup(g.t, name, dns.TypeA)
	var out []string
	for _, rr := range m.Answer {
		if a, ok := rr.(*dns.A); ok {
			out = append(out, a.A.String())
		}
	}
	return strings.Join(out, " ")
}

const (
	shopDeletes = `P1: address map "shop" of account "acme" has can_delete: false and would `
	shopFirst   = "remedy: first load a version in which it has can_delete: true and nothing else changes, then "
)

// ways to lose the protected map by the content of its document.
var losses = []struct {
	name   string
	oldnew []string
	says   []string
}{
	{"map gone", []string{"    address_maps:\n      - {id: shop, enabled: true, can_delete: false, can_modify_ips: false, ips: [203.0.113.10], memberships: [{kind: zone, identifier: example.org}]}\n", ""},
		[]string{shopDeletes + "disappear", shopFirst + "the one without it"}},
	{"account called otherwise", []string{"id: acme", "id: acme2"}, []string{shopDeletes + "disappear", shopFirst + "the one without it"}},
	{"disabled", []string{"enabled: true, can_delete", "enabled: false, can_delete"}, []string{shopDeletes + "be disabled", shopFirst + "the one that disables it"}},
	{"no longer said to be enabled", []string{"enabled: true, can_delete", "can_delete"}, []string{shopDeletes + "be disabled"}},
	{"and its flag with it", []string{"enabled: true, can_delete: false", "enabled: false, can_delete: true"}, []string{shopDeletes + "be disabled"}},
}

// A protected map does not go by an edit of its document, and goes in two.
func TestP1_ByContent(t *testing.T) {
	g := guard(t, "maps.yaml", map[string]string{"maps.yaml": shopMap})
	for _, loss := range losses {
		g.isRefused(loss.name, func() { server.WriteFile(t, "maps.yaml", edited(t, shopMap, loss.oldnew...)) }, "maps.yaml", loss.says...)
	}
	free := edited(t, shopMap, "can_delete: false", "can_delete: true")
	g.isAccepted("the flag", func() { server.WriteFile(t, "maps.yaml", free) }, "203.0.113.10")
	g.isAccepted("the deletion", func() { server.WriteFile(t, "maps.yaml", strings.Replace(free, "enabled: true", "enabled: false", 1)) }, "192.0.2.1")
}

// Nor does it go with its document, while other documents move on.
func TestP1_ByRemovalOfItsDocument(t *testing.T) {
	g := guard(t, "maps", shopDocuments)
	acme, other := shopDocuments["maps/acme.yaml"], shopDocuments["maps/other.yaml"]
	g.isRefused("the removal", func() { os.Remove("maps/acme.yaml") }, "maps/acme.yaml", shopDeletes+"disappear", shopFirst+"the one without it")
	server.WriteFile(t, "maps/other.yaml", strings.ReplaceAll(other, "198.51.100.1", "198.51.100.2"))
	server.Eventually(t, "another account moves on", func() bool { return g.addresses("www.example.net.") == "198.51.100.2" })
	if got := g.addresses("www.example.org."); got != "203.0.113.10" || g.metric("degraded", "") != 1 {
		t.Errorf("then: %q, degraded %v", got, g.metric("degraded", ""))
	}
	g.isAccepted("the flag", func() {
		server.WriteFile(t, "maps/acme.yaml", edited(t, acme, "can_delete: false", "can_delete: true"))
	}, "203.0.113.10")
	g.isAccepted("the removal", func() { os.Remove("maps/acme.yaml") }, "10.66.0.1")
}

// Nor does it go while the server is stopped, if there is a state.
func TestP1_AfterRestart(t *testing.T) {
	t.Run("by content", func(t *testing.T) {
		g := guard(t, "maps.yaml", map[string]string{"maps.yaml": shopMap}, "state kept")
		for _, loss := range losses {
			g.isRefused(loss.name, func() {
				g.restarted(func() { server.WriteFile(t, "maps.yaml", edited(t, shopMap, loss.oldnew...)) })
			}, "maps.yaml", loss.says...)
		}
		free := edited(t, shopMap, "can_delete: false", "can_delete: true")
		g.isAccepted("the flag", func() { g.restarted(func() { server.WriteFile(t, "maps.yaml", free) }) }, "203.0.113.10")
		g.isAccepted("the deletion", func() {
			g.restarted(func() { server.WriteFile(t, "maps.yaml", strings.Replace(free, "enabled: true", "enabled: false", 1)) })
		}, "192.0.2.1")
	})
	t.Run("by removal of its document", func(t *testing.T) {
		g := guard(t, "maps", shopDocuments, "state kept")
		g.isRefused("the removal", func() {
			g.restarted(func() { os.Remove("maps/acme.yaml") })
		}, "maps/acme.yaml", shopDeletes+"disappear", shopFirst)
		g.restarted(func() {
			server.WriteFile(t, "maps/other.yaml", strings.ReplaceAll(shopDocuments["maps/other.yaml"], "198.51.100.1", "198.51.100.2"))
		})
		if got := g.addresses("www.example.org."); got != "203.0.113.10" || g.metric("degraded", "") != 1 {
			t.Errorf("when another account has moved on: %q, degraded %v", got, g.metric("degraded", ""))
		}
		if got := g.addresses("www.example.net."); got != "198.51.100.2" {
			t.Errorf("another account is answered %q", got)
		}
	})
	t.Run("without a state", func(t *testing.T) { // to show that the state is why
		g := guard(t, "maps.yaml", map[string]string{"maps.yaml": shopMap})
		g.isAccepted("the loss", func() {
			g.restarted(func() { server.WriteFile(t, "maps.yaml", edited(t, shopMap, losses[0].oldnew...)) })
		}, "192.0.2.1")
	})
}

// A protected map keeps its addresses, and gets others in two steps.
func TestP2_OtherAddresses(t *testing.T) {
	const says, remedy = `P2: address map "shop" of account "acme" has can_modify_ips: false and would have other ips`,
		"remedy: first load a version in which it has can_modify_ips: true and nothing else changes, then the one with the new ips"
	g := guard(t, "maps.yaml", map[string]string{"maps.yaml": shopMap}, "state kept")
	for _, ips := range []string{"203.0.113.11", "203.0.113.10, 203.0.113.11"} {
		other := edited(t, shopMap, "ips: [203.0.113.10]", "ips: ["+ips+"]")
		g.isRefused(ips, func() { server.WriteFile(t, "maps.yaml", other) }, "maps.yaml", says, remedy)
		g.isRefused(ips+" after a restart", func() { g.restarted(func() {}) }, "maps.yaml", says, remedy)
	}
	free := edited(t, shopMap, "can_modify_ips: false", "can_modify_ips: true")
	g.isAccepted("the flag", func() { server.WriteFile(t, "maps.yaml", free) }, "203.0.113.10")
	g.isAccepted("other addresses", func() { server.WriteFile(t, "maps.yaml", edited(t, free, "203.0.113.10", "203.0.113.11")) }, "203.0.113.11")
}

// An account that is never to be answered with anycast stays so; its zones may
// move to another.
func TestP3_LosesBYOIPOnly(t *testing.T) {
	const says, remedy = `P3: account "acme" would lose byoip_only, and its names could be answered with anycast`, "move the zones to another account first"
	text := edited(t, shopMap, "id: acme\n", "id: acme\n    byoip_only: true\n", "{kind: zone, identifier: example.org}", "{kind: account, identifier: acme}")
	g := guard(t, "maps.yaml", map[string]string{"maps.yaml": text}, "state kept")
	for _, lost := range []string{"byoip_only: false", "name: Acme"} {
		g.isRefused(lost, func() { server.WriteFile(t, "maps.yaml", edited(t, text, "byoip_only: true", lost)) }, "maps.yaml", says, remedy)
		g.isRefused(lost+" after a restart", func() { g.restarted(func() {}) }, "maps.yaml", says, remedy)
	}
	g.isAccepted("another account for the zone", func() {
		const zone = "{name: example.org, proxied: [www]}"
		server.WriteFile(t, "maps.yaml", edited(t, text, zone, "", "{name: example.net", zone+", {name: example.net"))
	}, "198.51.100.1")
}

// With guard, more than so much does not go at once; in steps it does.
func TestP4_MoreThanTheGuard(t *testing.T) {
	names := func(n int) string {
		var list []string
		for i := range n - 1 {
			list = append(list, fmt.Sprintf("n%d", i))
		}
		return strings.Replace(shopMap, "example.org, proxied: [www]", "example.org, proxied: [www, "+strings.Join(list, ", ")+"]", 1)
	}
	const remedy = "remedy: remove them in smaller steps, or raise guard for this reload"
	g := guard(t, "maps.yaml", map[string]string{"maps.yaml": names(19)}, "state kept", "guard 20%") // of the other account: one
	says := "P4: 5 of 20 proxied names in force would go at once, more than 20 %"
	g.isRefused("five", func() { server.WriteFile(t, "maps.yaml", names(14)) }, "maps.yaml", says, remedy)
	g.isRefused("five after a restart", func() { g.restarted(func() {}) }, "maps.yaml", says, remedy)
	g.isRefused("an account", func() { server.WriteFile(t, "maps.yaml", strings.TrimSuffix(names(19), otherAccount)) }, "maps.yaml",
		"P4: 1 of 2 zones in force would go at once, more than 20 %", "P4: 1 of 2 map addresses in force would go at once, more than 20 %")
	g.isAccepted("four", func() { server.WriteFile(t, "maps.yaml", names(15)) }, "203.0.113.10")
	g.isAccepted("three more", func() { server.WriteFile(t, "maps.yaml", names(12)) }, "203.0.113.10")
}

// Without guard, a map that is emptied by mistake shows no origins: not by an empty
// document, nor after a restart with state. With guard 100% it may.
func TestP5_NothingLeft(t *testing.T) {
	const text = "anycast: [192.0.2.1]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www]}]}]\n"
	const zones, names = "P5: none of the 1 zones in force would be left", "P5: no name would be proxied any more, and all origins would be shown"
	const remedy = "remedy: put them back; if it is meant so, write guard 100% in the Corefile for this reload"
	g := guard(t, "maps.yaml", map[string]string{"maps.yaml": text}, "state kept")
	for _, c := range []struct{ text, says string }{
		{"{}\n", zones}, {"accounts: []\n", zones}, {"anycast: [192.0.2.1]\n", zones}, {edited(t, text, "[www]", "[]"), names},
	} {
		g.isRefused(c.text, func() { server.WriteFile(t, "maps.yaml", c.text) }, "maps.yaml", c.says, remedy)
		g.isRefused(c.text+" after a restart", func() { g.restarted(func() {}) }, "maps.yaml", c.says, remedy)
	}
	g.isAccepted("another name", func() { server.WriteFile(t, "maps.yaml", edited(t, text, "[www]", "[api]")) }, "10.66.0.1")
	g.options = append(g.options, "guard 100%")
	g.isAccepted("nothing, with guard 100%", func() { g.restarted(func() { server.WriteFile(t, "maps.yaml", "{}\n") }) }, "10.66.0.1")
}
