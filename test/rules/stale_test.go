package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// Of each server block whose cache answers with what has expired there is one warning,
// wherever the line stands.
func TestCorefile_ServeStale(t *testing.T) {
	t.Setenv("STALE", "90s")
	c := server.Start(t, strings.NewReplacer("{MAP}", "bind 127.0.0.1\naddressmap maps.yaml\nfile db.example.org").Replace(`
(shared) {
	cache 30 {
		serve_stale
	}
}
none.example {
	{MAP}
}
plain.example {
	cache 30 {
		denial 100
	}
	{MAP}
}
off.example {
	cache {
		serve_stale 0s
	}
	{MAP}
}
hour.example second.example {
	{MAP}
	import shared
}
env.example {
	cache {
		serve_stale {$STALE}
		prefetch 1
	}
	{MAP}
}
file.example {
	import more.conf
	{MAP}
}
nomap.example {
	import shared
}
`), map[string]string{
		"maps.yaml": zonesMap("example"), "db.example.org": stepsZone,
		"more.conf": "cache {\n\tsuccess 100\n\tserve_stale 24h verify\n}\n",
	})
	var got []string
	for _, l := range c.Log.Lines("has serve_stale") {
		_, l, _ = strings.Cut(l, "[WARNING] plugin/addressmap: ")
		got = append(got, l)
	}
	var want []string
	for _, w := range []struct{ zone, stale string }{{"hour.example.", "1h0m0s"}, {"env.example.", "1m30s"}, {"file.example.", "24h0m0s"}} {
		want = append(want, fmt.Sprintf("cache in the server block of %q has serve_stale: a name that has just become proxied may be answered with its origin for %s after the cached answer expired; take serve_stale out, or cache backends elsewhere", w.zone, w.stale))
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got:\n%s\nwant:\n%s", g, w)
	}
}

// What the warning is about: the cache answers with the origin although the map says by
// now that the name is proxied, and the cached answer has expired.
func TestCorefile_ServeStaleTellsOrigins(t *testing.T) {
	c := server.Start(t, "example.org {\n bind 127.0.0.1\n cache 1 {\n  serve_stale 1h immediate 5s\n }\n addressmap maps.yaml\n file db.example.org\n}\n",
		map[string]string{"maps.yaml": zonesMap("example.org"), "db.example.org": strings.ReplaceAll(stepsZone, "$TTL 3600", "$TTL 1")})
	if got := server.Printed(c.Lookup(t, "mail.example.org.", dns.TypeA), nil); !strings.Contains(got, "10.66.0.2") {
		t.Fatal(got)
	}
	server.WriteFile(t, "maps.yaml", strings.Replace(zonesMap("example.org"), "www", "mail", 1))
	server.Eventually(t, "the name is proxied", func() bool { return len(c.Log.Lines("in force, sha256")) == 2 })
	time.Sleep(2100 * time.Millisecond) // a lifetime that runs out unseen: the cache's clock cannot be set, and it serves what is stale like what is not
	var got []string
	server.Eventually(t, "the cache has learned", func() bool {
		got = append(got, server.Printed(c.Lookup(t, "mail.example.org.", dns.TypeA), nil))
		return strings.Contains(got[len(got)-1], "192.0.2.1")
	})
	if !strings.Contains(got[0], "10.66.0.2") {
		t.Errorf("the first answer after all that is no origin: the warning and the README are not needed any more:\n%s", got[0])
	}
}
