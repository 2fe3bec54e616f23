package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// The swap of a ConfigMap's ..data is found without the poll, and each answer is
// wholly from one version.
func TestLife_ConfigMapWithoutPoll(t *testing.T) {
	for _, path := range []string{"volume/maps.yaml", "volume"} {
		t.Run(path, func(t *testing.T) {
			server.Place(t, map[string]string{"db.example.org": server.ReloadFiles["db.example.org"]})
			m := &server.Volume{Dir: "volume"}
			m.Publish(t, map[string]string{"maps.yaml": server.Version(1)})
			c := server.Start(t, edited(t, server.ReloadCorefile, "maps.yaml", path, "100ms", "off"), nil)
			for n := 2; n <= 10; n++ {
				m.Publish(t, map[string]string{"maps.yaml": server.Version(n)})
				asked := 0
				server.Eventually(t, fmt.Sprintf("version %d is answered", n), func() bool {
					got, err := server.VersionOf(c.Lookup(t, "www.example.org.", dns.TypeA))
					if err != nil || got != n && got != n-1 {
						t.Fatalf("version %d: %v", got, err)
					}
					asked++
					return got == n
				})
				t.Logf("version %d: answered by query %d", n, asked)
			}
			if errs := c.Log.Complaints(); len(errs) > 0 {
				t.Errorf("log %q", errs)
			}
		})
	}
}

// With a state, the server starts whatever has become of the map, with the last
// good version, and says so; what is put right comes into force.
func TestLife_StartWithoutGoodMap(t *testing.T) {
	good := 1 // the version in force
	g := guard(t, "maps.yaml", map[string]string{"maps.yaml": server.Version(good)}, "state kept")
	spoiled := func(text string) func() error {
		return func() error { return os.WriteFile("maps.yaml", []byte(text), 0o666) }
	}
	const stays = ", its last good version stays in force: "
	for _, c := range []struct {
		name, result, says string
		spoil              func() error // there is no maps.yaml
	}{
		{"broken", "refused", "maps.yaml is refused" + stays + `maps.yaml:1:11: V2: "192.0.2.300" is no IP address`, spoiled("anycast: [192.0.2.300]\n")},
		{"cut off", "refused", "maps.yaml is refused" + stays + "maps.yaml:1:12: V1: not YAML", spoiled("accounts: [")},
		{"missing", "error", "maps.yaml is not loaded" + stays + "the map is missing", func() error { return nil }},
		{"a directory in its place", "error", "maps.yaml is not loaded" + stays + `cannot read the map: "maps.yaml" is a directory`,
			func() error { return os.Mkdir("maps.yaml", 0o777) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			loads, lines := g.loads(c.result), len(g.Log.Complaints())
			g.restarted(func() {
				if err := os.Remove("maps.yaml"); err != nil {
					t.Fatal(err)
				}
				if err := c.spoil(); err != nil {
					t.Fatal(err)
				}
			})
			if n, err := server.VersionOf(g.Lookup(t, "www.example.org.", dns.TypeA)); n != good || err != nil {
				t.Errorf("answered with version %d, %v, want the last good one, %d", n, err, good)
			}
			if got := g.Log.Complaints()[lines:]; len(got) != 1 || !strings.Contains(got[0], c.says) {
				t.Errorf("log %q, want one line with %q", got, c.says)
			}
			if got := g.metric("degraded", ""); got != 1 || g.loads(c.result) != loads+1 {
				t.Errorf("degraded %v, loads %s %v, before %v", got, c.result, g.loads(c.result), loads)
			}
			if err := os.RemoveAll("maps.yaml"); err != nil {
				t.Fatal(err)
			}
			good++
			g.isAccepted("a good map", func() { server.WriteFile(t, "maps.yaml", server.Version(good)) }, fmt.Sprintf("192.0.2.%[1]d 198.51.100.%[1]d 203.0.113.%[1]d", good))
		})
	}
}
