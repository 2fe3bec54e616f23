package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/test/server"
)

const twoCorefile = `a.example b.example {
	transfer {
		to *
	}
	addressmap maps {
		reload 100ms
	}
	file db a.example b.example
}
`

// twoFiles are two documents, and a zone file for the zone of each.
var twoFiles = map[string]string{
	"maps/a.yaml": "anycast: [192.0.2.1]\naccounts: [{id: a, zones: [{name: a.example, proxied: [www]}]}]\n",
	"maps/b.yaml": bDocument,
	"db":          "@ 60 IN SOA ns h 1 7200 3600 1209600 300\nwww 60 IN A 10.66.0.1\nplain 60 IN A 198.51.100.1\n",
}

const bDocument = "accounts: [{id: b, zones: [{name: b.example, proxied: [www]}]}]\n"

// transferOf returns the records of a transfer as text.
func transferOf(t *testing.T, c *server.Server, zone string) string {
	t.Helper()
	rrs, err := c.Transfer(zone)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(rrs)
}

// What is in force outlives the load of the Corefile: whatever is wrong with a document
// on disk, its last good version is answered, over transfers too.
func TestLifeCycle_CorefileReloadKeepsInForce(t *testing.T) {
	for name, spoil := range map[string]func(){
		"broken":                       func() { server.WriteFile(t, "maps/b.yaml", "accounts: [") },
		"refused":                      func() { server.WriteFile(t, "maps/b.yaml", strings.Replace(bDocument, "b.example", "b..example", 1)) },
		"gone":                         func() { _ = os.Remove("maps/b.yaml") },
		"all of the directory is gone": func() { _ = os.RemoveAll("maps") },
	} {
		t.Run(name, func(t *testing.T) {
			c := server.Start(t, twoCorefile, twoFiles)
			holds := func(when string) {
				t.Helper()
				if got := c.AddressesOf(t, "www.b.example."); got != "NOERROR 192.0.2.1" {
					t.Errorf("%s: answered %q", when, got)
				}
				if got := transferOf(t, c, "b.example."); !strings.Contains(got, "192.0.2.1") || strings.Contains(got, "10.66.") {
					t.Errorf("%s: transferred %s", when, got)
				}
			}
			spoil()
			for i := range 3 {
				if err := c.Restart(twoCorefile); err != nil {
					t.Fatal(err)
				}
				holds(fmt.Sprintf("after reload %d", i))
				if name == "gone" {
					break // it is gone for good if it stays away
				}
			}
			server.WriteFile(t, "maps/a.yaml", twoFiles["maps/a.yaml"])
			server.WriteFile(t, "maps/b.yaml", bDocument)
			server.Eventually(t, "what was put right is in force", func() bool { return c.AddressesOf(t, "www.b.example.") == "NOERROR 192.0.2.1" })
			holds("at the end")
		})
	}
}

// A document that may hold any name can be closed only where the server block names its
// zones; a start beside it fails where it names none.
func TestR26_NothingToClose(t *testing.T) {
	files := map[string]string{"maps/a.yaml": twoFiles["maps/a.yaml"], "maps/b.yaml": "accounts: [", "db": twoFiles["db"]}
	for _, c := range []struct {
		zones string
		loads bool
	}{
		{".", false}, {"2.0.192.in-addr.arpa .", false}, {"b.example .", true}, {"a.example .", false}, {"a.example", true}, {"a.example 2.0.192.in-addr.arpa", true},
	} {
		_, err := server.TryStart(t, c.zones+" {\n\taddressmap maps\n\tfile db a.example\n}\n", files)
		if (err == nil) != c.loads || err != nil && !strings.Contains(err.Error(), "names no zone that could be closed") {
			t.Errorf("%s: %v", c.zones, err)
		}
	}
}

// Only a transfer that would hold a closed owner is refused.
func TestR26_Transfers(t *testing.T) {
	c := server.Start(t, "a.example b.example c.example inner.b.example {\n\ttransfer {\n\t\tto *\n\t}\n\taddressmap maps a.example b.example inner.b.example\n\tfile db a.example b.example c.example inner.b.example\n}\n",
		map[string]string{
			"maps/a.yaml": "anycast: [192.0.2.1]\naccounts: [{id: a, zones: [{name: a.example, proxied: [www]}, {name: inner.b.example, proxied: [www]}]}]\n",
			"maps/b.yaml": strings.Replace(bDocument, "zones", "static_ips: [192.0.2.300], zones", 1),
			"db":          twoFiles["db"],
		})
	for zone, want := range map[string]string{"a.example.": "192.0.2.1", "inner.b.example.": "192.0.2.1", "c.example.": "10.66.0.1"} {
		if got := transferOf(t, c, zone); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s in it", zone, got, want)
		}
	}
	if got := transferOf(t, c, "b.example."); strings.Contains(got, "10.66") || strings.Contains(got, "SOA") {
		t.Errorf("b.example.: %s", got)
	}
}

// All directives on one map agree in what is about the map.
func TestCorefile_OneMapOneVersion(t *testing.T) {
	block := func(zone, options string) string {
		return zone + " {\n\taddressmap maps.yaml {\n\t\t" + options + "\n\t}\n\tfile db.example.org example.org\n}\n"
	}
	for _, c := range []struct{ a, b, want string }{
		{"guard 10%", "guard 20%", "guard"},
		{"guard 10%", "ttl 5", "guard"},
		{"reload 5s", "reload off", "reload"},
		{"state kept", "ttl 5", "state"},
		{"ttl 5\n\t\thttps\n\t\tanycast 192.0.2.77\n\t\tmissing_family next\n\t\ttransfer refuse\n\t\tpresence off\n\t\tunlisted refuse", "ttl 7", ""},
	} {
		t.Run(c.a+" and "+c.b, func(t *testing.T) {
			_, err := server.TryStart(t, block("example.org", c.a)+block("example.net", c.b), server.ReloadFiles)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want+" is another than at Corefile:2") || !strings.Contains(err.Error(), "Corefile:")):
				t.Errorf("got %v", err)
			}
		})
	}
}

// Each directive answers with its own options from the one version in force; what one of
// them cannot answer with is refused for all (V15).
func TestLifeCycle_ViewsOfOneVersion(t *testing.T) {
	own := "a.example {\n\taddressmap maps.yaml {\n\t\treload 100ms\n\t\tanycast 192.0.2.65\n\t}\n\tfile db\n}\n"
	other := "b.example {\n\taddressmap maps.yaml {\n\t\treload 100ms\n\t}\n\tfile db\n}\n"
	text := func(anycast, names string) string {
		return anycast + "accounts:\n  - {id: a, zones: [{name: a.example, proxied: [" + names + "]}, {name: b.example, proxied: [" + names + "]}]}\n"
	}
	c := server.Start(t, own+other, map[string]string{"db": twoFiles["db"], "maps.yaml": text("anycast: [192.0.2.1]\n", "www")})
	answers := func(name, want string) bool { return c.AddressesOf(t, name) == want }
	if !answers("www.a.example.", "NOERROR 192.0.2.65") || !answers("www.b.example.", "NOERROR 192.0.2.1") {
		t.Errorf("answered %q and %q", c.AddressesOf(t, "www.a.example."), c.AddressesOf(t, "www.b.example."))
	}
	server.WriteFile(t, "maps.yaml", text("anycast: [192.0.2.2]\n", "www, plain"))
	server.Eventually(t, "the change is in force for both", func() bool {
		return answers("plain.a.example.", "NOERROR 192.0.2.65") && answers("plain.b.example.", "NOERROR 192.0.2.2")
	})
	server.WriteFile(t, "maps.yaml", text("", "www"))
	server.Eventually(t, "what one cannot answer with is refused", func() bool { return len(c.Log.Lines("V15")) > 0 })
	if !answers("plain.a.example.", "NOERROR 192.0.2.65") || !answers("plain.b.example.", "NOERROR 192.0.2.2") {
		t.Errorf("answered %q and %q", c.AddressesOf(t, "plain.a.example."), c.AddressesOf(t, "plain.b.example."))
	}
	if err := c.Restart(own); err != nil {
		t.Fatal(err)
	}
	server.Eventually(t, "it is in force when the other has gone", func() bool { return answers("plain.a.example.", "NOERROR 198.51.100.1") })
	if err := c.Restart(own + other); err == nil || !strings.Contains(err.Error(), "V15") {
		t.Errorf("a directive that cannot answer loads: %v", err)
	}
}

// A Corefile that changes what transfers hold makes serials go up, there and back again;
// one that does not, leaves them.
func TestR18_SerialOverCorefileReloads(t *testing.T) {
	c := server.Start(t, twoCorefile, twoFiles)
	last := c.Serial(t, "a.example.")
	for i, step := range []struct {
		corefile string
		higher   bool
	}{
		{twoCorefile, false},
		{strings.Replace(twoCorefile, "reload 100ms", "reload 100ms\n\t\tttl 77", 1), true},
		{twoCorefile, true},
		{strings.Replace(twoCorefile, "reload 100ms", "reload 200ms", 1), false},
		{strings.Replace(twoCorefile, "reload 100ms", "reload 100ms\n\t\tanycast 192.0.2.7", 1), true},
	} {
		if err := c.Restart(step.corefile); err != nil {
			t.Fatal(err)
		}
		if now := c.Serial(t, "a.example."); step.higher != (now > last) || now < last {
			t.Errorf("after reload %d: serial %d, before %d", i, now, last)
		} else {
			last = now
		}
	}
}
