package addressmap

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// neighbourName is a plugin that logs its start, and of which the shutdown fails unless an
// argument stands there.
const neighbourName = "neighbour"

const neighbourStarts = "the neighbour has started"

func init() {
	plugin.Register(neighbourName, func(c *caddy.Controller) error {
		c.OnStartup(func() error {
			log.Infof(neighbourStarts)
			return nil
		})
		if c.Next(); !c.NextArg() {
			c.OnShutdown(func() error { return errors.New("the neighbour's shutdown fails") })
		}
		dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler { return next })
		return nil
	})
}

// What starts with a directive starts after the backends, which may write to their handlers
// at their own start.
func TestSetup_StartsLast(t *testing.T) {
	s := server.Start(t, "example.org example.net {\n\taddressmap maps.yaml\n\t"+neighbourName+" quietly\n\tfile db\n}\n", map[string]string{"maps.yaml": stubMap, "db": stubZone})
	text := s.Log.String()
	if neighbour, ours := strings.Index(text, neighbourStarts), strings.Index(text, "does not know zones"); neighbour < 0 || ours < neighbour {
		t.Errorf("want the neighbour to start first, got\n%s", text)
	}
}

// Protections hold over reloads of the Corefile, and a version that only the guard of
// another Corefile refused comes into force with it.
func TestLifeCycle_CorefileReloadKeepsProtections(t *testing.T) {
	const (
		keepsIPs = `anycast: [192.0.2.9]
accounts:
  - id: acme
    byoip_only: true
    prefixes: [192.0.2.0/24]
    zones: [{name: example.org, proxied: [www]}]
    address_maps:
      - {id: m, enabled: true, can_delete: false, can_modify_ips: false, ips: [192.0.2.1], memberships: [{kind: account, identifier: acme}]}
`
		three = "anycast: [192.0.2.1]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www, b, c]}]}]\n"
	)
	guarded := strings.Replace(server.ReloadCorefile, "reload 100ms", "reload 100ms\n\t\tguard 10%", 1)
	for _, c := range []struct {
		name, corefile, old, new, says string
	}{
		{"P1", server.ReloadCorefile, keepsIPs, strings.Replace(keepsIPs, "enabled: true", "enabled: false", 1), "V11"},
		{"P1 without byoip_only", server.ReloadCorefile, strings.Replace(keepsIPs, "    byoip_only: true\n", "", 1), three, "P1"},
		{"P2", server.ReloadCorefile, keepsIPs, strings.Replace(keepsIPs, "ips: [192.0.2.1]", "ips: [192.0.2.2]", 1), "P2"},
		{"P3", server.ReloadCorefile, keepsIPs, strings.Replace(keepsIPs, "byoip_only: true", "byoip_only: false", 1), "P3"},
		{"P4", guarded, three, strings.Replace(three, ", b, c", "", 1), "P4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := server.Start(t, c.corefile, map[string]string{"maps.yaml": c.old, "db.example.org": server.ReloadFiles["db.example.org"]})
			server.WriteFile(t, "maps.yaml", c.new)
			server.Eventually(t, "the change is refused", func() bool { return len(s.Log.Lines(c.says)) > 0 })
			for range 2 {
				if err := s.Restart(c.corefile); err != nil {
					t.Fatal(err)
				}
				if got := s.AddressesOf(t, "www.example.org."); got != "NOERROR 192.0.2.1" {
					t.Errorf("answered %q", got)
				}
			}
			inForce.settle() // it would be judged anew now
			if n := len(s.Log.Lines("maps.yaml in force")); n != 1 {
				t.Errorf("in force %d times:\n%s", n, s.Log)
			}
		})
	}
	t.Run("with another guard", func(t *testing.T) {
		s := server.Start(t, guarded, map[string]string{"maps.yaml": three, "db.example.org": server.ReloadFiles["db.example.org"]})
		server.WriteFile(t, "maps.yaml", strings.Replace(three, ", b, c", "", 1))
		server.Eventually(t, "the change is refused", func() bool { return len(s.Log.Lines("P4")) > 0 })
		lax := strings.Replace(guarded, "10%", "90%", 1)
		if err := s.Restart(server.Failing(lax)); err == nil {
			t.Fatal("it loads")
		}
		if n := len(s.Log.Lines("maps.yaml in force")); n != 1 {
			t.Errorf("a Corefile that failed to load changed something:\n%s", s.Log)
		}
		if err := s.Restart(lax); err != nil {
			t.Fatal(err)
		}
		server.Eventually(t, "it is judged by the new guard", func() bool { return len(s.Log.Lines("maps.yaml in force")) == 2 })
	})
}

// A Corefile of which the shutdown fails, in another plugin, has gone all the same; one
// that fails to load, at whatever moment, leaves what was in force to the old one.
func TestLifeCycle_CorefileThatFails(t *testing.T) {
	_, taken := server.Listen(t)
	inUse := strings.Replace(taken.Addr().String(), "127.0.0.1", "taken.example", 1) + " {\n\tbind 127.0.0.1\n}\n"
	withNeighbour := strings.Replace(server.ReloadCorefile, "\tfile", "\t"+neighbourName+"\n\tfile", 1)
	for _, c := range []struct {
		name, from, to string
		loads          bool
	}{
		{"the neighbour's shutdown fails", withNeighbour, server.ReloadCorefile, false /* says caddy */},
		{"port in use", server.ReloadCorefile, server.ReloadCorefile + inUse, false},
		{"setup of another plugin", server.ReloadCorefile, server.Failing(server.ReloadCorefile), false},
		{"from no directive to one that fails", "example.org {\n\tfile db.example.org\n}\n", server.Failing(server.ReloadCorefile), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := server.Start(t, c.from, server.ReloadFiles)
			old := s.Instance
			if err := s.Restart(c.to); (err == nil) != c.loads {
				t.Fatal(err)
			}
			// Where only a shutdown failed, the new instance serves, and nobody says so.
			for _, i := range caddy.Instances() {
				if c.from == withNeighbour && i != old {
					s.Instance = i
				}
			}
			directives := strings.Count(c.from, "addressmap")
			if directives == 0 { // nothing is heard of it, see registry
				if err := s.Restart("nonsense {\n\tnonsense\n}\n"); err == nil {
					t.Fatal("it loads")
				}
			}
			server.Eventually(t, "who is gone holds nothing", func() bool {
				runtime.GC()
				return held(t, "maps.yaml") == directives
			})
			if directives == 0 {
				return
			}
			server.WriteFile(t, "maps.yaml", server.Version(7))
			server.Eventually(t, "the map is still watched", func() bool {
				n, err := server.VersionOf(s.Lookup(t, "www.example.org.", dns.TypeA))
				return err == nil && n == 7
			})
		})
	}
}

// held returns how many loads of the Corefile hold a map.
func held(t *testing.T, name string) int {
	t.Helper()
	inForce.mu.Lock()
	defer inForce.mu.Unlock()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if sh := inForce.shares[dir+"/"+name]; sh != nil {
		return len(sh.all())
	}
	return 0
}

// A Corefile that names another path has another map: nothing carries over.
func TestLifeCycle_OtherPathOtherMap(t *testing.T) {
	c := server.Start(t, server.ReloadCorefile, server.ReloadFiles)
	server.WriteFile(t, "other.yaml", server.Version(3))
	c.Lookup(t, "www.example.org.", dns.TypeA) // CoreDNS cannot stop a server that does not serve yet
	if err := c.Restart(strings.Replace(server.ReloadCorefile, "maps.yaml", "other.yaml", 1)); err != nil {
		t.Fatal(err)
	}
	if n, err := server.VersionOf(c.Lookup(t, "www.example.org.", dns.TypeA)); n != 3 || err != nil {
		t.Errorf("answered with version %d, %v", n, err)
	}
	server.Eventually(t, "it is said", func() bool { return len(c.Log.Lines("maps.yaml is in force no more")) == 1 })
	if n := held(t, "maps.yaml"); n != 0 {
		t.Errorf("held by %d", n)
	}
}
