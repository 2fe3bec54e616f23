package rules

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// With state, the serial never goes back across restarts: not with the same map,
// not with one that was changed while nobody looked, not with none, and not when
// the directive has other options, which change what is transferred as well.
func TestR18_SerialAcrossRestarts(t *testing.T) {
	corefile := strings.Replace(serialCorefile, "addressmap maps.yaml", "addressmap maps.yaml {\n        state kept\n        ttl 300\n    }", 1)
	server.Place(t, map[string]string{"maps.yaml": serialMap("192.0.2.1"), "db.example.org": serialZone(7)})
	run := func(corefile string, during func(c *server.Server)) uint32 {
		t.Helper()
		c := new(server.Server)
		if err := c.Begin(corefile); err != nil {
			t.Fatal(err)
		}
		defer c.Stop(t)
		during(c)
		return c.Serial(t, "example.org.")
	}
	changed := run(corefile, func(c *server.Server) {
		server.WriteFile(t, "maps.yaml", serialMap("192.0.2.2"))
		server.Eventually(t, "the new address", func() bool {
			m := c.Lookup(t, "www.example.org.", dns.TypeA)
			return strings.Contains(m.String(), "192.0.2.2")
		})
	})
	if !follows(changed, 7) {
		t.Fatalf("serial %d after a change of the map, the backend's is 7", changed)
	}
	nothing := func(*server.Server) {}
	if same := run(corefile, nothing); same != changed {
		t.Errorf("serial %d after a restart with the same map, want %d", same, changed)
	}
	server.WriteFile(t, "maps.yaml", serialMap("192.0.2.3"))
	unseen := run(corefile, nothing)
	if !follows(unseen, changed) {
		t.Errorf("serial %d after a restart with another map, before it was %d", unseen, changed)
	}
	server.WriteFile(t, "maps.yaml", "accounts: [")
	if broken := run(corefile, nothing); broken != unseen {
		t.Errorf("serial %d after a restart with a broken map, want %d", broken, unseen)
	}
	server.WriteFile(t, "maps.yaml", serialMap("192.0.2.3"))
	if ttl := run(strings.Replace(corefile, "ttl 300", "ttl 60", 1), nothing); !follows(ttl, unseen) {
		t.Errorf("serial %d after a restart with another ttl, before it was %d", ttl, unseen)
	}
}
