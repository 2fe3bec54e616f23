package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/test/server"
)

// zonesMap is a map of zones in which www is proxied.
func zonesMap(zones ...string) string {
	var b strings.Builder
	b.WriteString("anycast: [192.0.2.1]\naccounts:\n  - id: acme\n    zones:\n")
	for _, z := range zones {
		fmt.Fprintf(&b, "      - {name: %s, proxied: [www]}\n", z)
	}
	return b.String()
}

const coverageBlock = " {\n\tbind 127.0.0.1\n\tprometheus 127.0.0.1:%s\n\taddressmap maps.yaml%s {\n\t\treload 100ms\n\t\tunlisted %s\n\t}\n\tfile db.example.org\n}\n"

// edit puts another map in force.
func edit(t *testing.T, port, text string) {
	t.Helper()
	const loads = `reloads_total{map="maps.yaml",result="ok"}`
	before := server.Scrape(t, port)[loads]
	server.WriteFile(t, "maps.yaml", text)
	server.Eventually(t, "the edit is in force", func() bool { return server.Scrape(t, port)[loads] > before })
}

// Zones that the map does not know are warned of when the server starts, and again
// only when there are others.
func TestR29_UnlistedZones(t *testing.T) {
	const what = "does not know zones that its addressmap acts for"
	port := server.FreePort(t)
	block := "example.org example.net deep.example.com org . 192.0.2.0/24 2001:db8::/32"
	c := server.Start(t, block+fmt.Sprintf(coverageBlock, port, "", "pass"), map[string]string{"maps.yaml": zonesMap("example.org", "example.com"), "db.example.org": stepsZone})
	gauge := func() float64 {
		v, ok := server.Scrape(t, port)[`entries{kind="unlisted_zones",map="maps.yaml"}`]
		if !ok {
			t.Error("no metric")
		}
		return v
	}
	want := []string{"[WARNING] plugin/addressmap: maps.yaml does not know zones that its addressmap acts for, 2 in all: example.net., org.; what it does not declare there is left to the backend: declare them in the map, or take them out of the server block"}
	check := func(unlisted float64) {
		t.Helper()
		server.Eventually(t, "the warnings", func() bool { return len(c.Log.Lines(what)) >= len(want) && gauge() == unlisted })
		got := c.Log.Lines(what)
		if !slices.EqualFunc(got, want, strings.HasSuffix) {
			t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check(2)
	edit(t, port, zonesMap("example.org", "example.com", "example.edu"))
	edit(t, port, zonesMap("example.org", "example.com", "other.net"))
	check(2) // the same two
	edit(t, port, zonesMap("example.org", "example.com", "example.net"))
	want = append(want, strings.Replace(want[0], "2 in all: example.net., org.", "1 in all: org.", 1))
	check(1)
	edit(t, port, zonesMap("org", "com", "net"))
	server.Eventually(t, "it says that all is well again", func() bool {
		return gauge() == 0 && len(c.Log.Lines("maps.yaml knows all zones that its addressmap acts for again")) == 1
	})
	edit(t, port, zonesMap("example.org"))
	want = append(want, strings.Replace(want[0], "2 in all: example.net., org.", "3 in all: deep.example.com., example.net., org.", 1))
	check(3)
	// Another Corefile is another start.
	if err := c.Restart("example.org example.net" + fmt.Sprintf(coverageBlock, port, "", "refuse")); err != nil {
		t.Fatal(err)
	}
	want = append(want, strings.NewReplacer("2 in all: example.net., org.", "1 in all: example.net.", "left to the backend", "refused").Replace(want[0]))
	check(1)
}

// All directives on a map count, each zone once, whatever else they ask for. A
// Corefile that fails to load changes nothing.
func TestR29_UnlistedZonesOfSeveralDirectives(t *testing.T) {
	port := server.FreePort(t)
	corefile := "example.org example.net" + fmt.Sprintf(coverageBlock, port, "", "pass") +
		"example.com example.edu {\n\tbind 127.0.0.1\n\taddressmap maps.yaml {\n\t\treload 100ms\n\t}\n}\n" +
		"sub.example.org {\n\tbind 127.0.0.1\n\taddressmap maps.yaml example.org {\n\t\treload 100ms\n\t\tttl 7\n\t}\n}\n"
	c := server.Start(t, corefile, map[string]string{"maps.yaml": zonesMap("example.com"), "db.example.org": stepsZone})
	unlisted := func() float64 { return server.Scrape(t, port)[`entries{kind="unlisted_zones",map="maps.yaml"}`] }
	if got := unlisted(); got != 3 { // example.org, example.net, example.edu
		t.Errorf("got %v zones, want 3", got)
	}
	if got := c.Log.Lines("does not know zones"); len(got) != 3 {
		t.Errorf("got %q", got)
	}
	other := strings.Replace(corefile, "example.edu", "a.example b.example", 1)
	_, tcp := server.Listen(t)
	inUse := strings.Replace(tcp.Addr().String(), "127.0.0.1", "taken.example", 1) + " {\n\tbind 127.0.0.1\n}\n"
	for when, corefile := range map[string]string{"before its plugins start": server.Failing(other), "after its plugins started": other + inUse} {
		if err := c.Restart(corefile); err == nil {
			t.Fatal("it loads")
		}
		if got := unlisted(); got != 3 {
			t.Errorf("after a Corefile that failed %s: got %v zones, want 3", when, got)
		}
	}
	edit(t, port, zonesMap("example.com", "example.edu", "example.org"))
	server.Eventually(t, "one is left", func() bool { return unlisted() == 1 })
}

// Names that ZONES leave out are warned of when the server starts, and again only
// when there are others.
func TestCorefile_NamesLeftOut(t *testing.T) {
	const what = "that no zone of its addressmap covers"
	port := server.FreePort(t)
	mapOf := func(marks ...string) string {
		return "anycast: [192.0.2.1]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [" + strings.Join(marks, ", ") + "]}]}]\n"
	}
	c := server.Start(t, "example.org"+fmt.Sprintf(coverageBlock, port, " shop.example.org", "pass"), map[string]string{"maps.yaml": mapOf("www", "a.shop", `"*.wild"`), "db.example.org": stepsZone})
	want := []string{"[WARNING] plugin/addressmap: maps.yaml proxies names of the server block that no zone of its addressmap covers, 2 in all: *.wild.example.org., www.example.org.; they are answered with their origins: add their zones to the addressmap's line"}
	check := func() {
		t.Helper()
		server.Eventually(t, "the warnings", func() bool { return len(c.Log.Lines(what)) >= len(want) })
		if got := c.Log.Lines(what); !slices.EqualFunc(got, want, strings.HasSuffix) {
			t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check()
	edit(t, port, mapOf("www", "b.shop", `"*.wild"`))
	edit(t, port, mapOf("www", "c.shop", `"*.wild"`))
	check()
	edit(t, port, mapOf("www", "c.shop", "mail"))
	want = append(want, strings.Replace(want[0], "*.wild.example.org., www.example.org.", "mail.example.org., www.example.org.", 1))
	check()
	edit(t, port, mapOf("g", "f", "e", "d", "c", "b", "a"))
	want = append(want, strings.Replace(want[0], "2 in all: *.wild.example.org., www.example.org.", "7 in all: a.example.org., b.example.org., c.example.org., d.example.org., e.example.org., …", 1))
	check()
	edit(t, port, mapOf("a.shop"))
	server.Eventually(t, "it says that all is well again", func() bool {
		return len(c.Log.Lines("the zones of its addressmap cover all names of the server block that maps.yaml proxies again")) == 1
	})
}

// A directive that acts for its whole server block says nothing.
func TestCorefile_NothingLeftOut(t *testing.T) {
	for _, zones := range []string{"", " example.org", " org", " ."} {
		c := server.Start(t, "example.org"+fmt.Sprintf(coverageBlock, server.FreePort(t), zones, "pass"), map[string]string{"maps.yaml": zonesMap("example.org", "example.net"), "db.example.org": stepsZone})
		if got := c.Log.Lines("that no zone of its addressmap covers"); len(got) > 0 {
			t.Errorf("%q: got %q", zones, got)
		}
	}
}
