package addressmap

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// neighbourName is a plugin of which the shutdown fails.
const neighbourName = "neighbour"

func init() {
	plugin.Register(neighbourName, func(c *caddy.Controller) error {
		c.OnShutdown(func() error { return errors.New("the neighbour's shutdown fails") })
		dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler { return next })
		return nil
	})
}

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

// says asks for the addresses of a name.
func (c *chain) says(t *testing.T, name string) string {
	t.Helper()
	m := c.lookup(t, name, dns.TypeA)
	leaks(t, m)
	out := dns.RcodeToString[m.Rcode]
	for _, rr := range m.Answer {
		if a, ok := rr.(*dns.A); ok {
			out += " " + a.A.String()
		}
	}
	return out
}

// transferOf returns the records of a transfer as text.
func (c *chain) transferOf(t *testing.T, zone string) string {
	t.Helper()
	rrs, err := c.transfer(zone)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(rrs)
}

// What is in force outlives the load of the Corefile: whatever is wrong with a document
// on disk, its last good version is answered, over transfers too.
func TestLifeCycle_CorefileReloadKeepsInForce(t *testing.T) {
	for name, spoil := range map[string]func(){
		"broken":                       func() { write(t, "maps/b.yaml", "accounts: [") },
		"refused":                      func() { write(t, "maps/b.yaml", strings.Replace(bDocument, "b.example", "b..example", 1)) },
		"gone":                         func() { _ = os.Remove("maps/b.yaml") },
		"all of the directory is gone": func() { _ = os.RemoveAll("maps") },
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, twoCorefile, twoFiles)
			holds := func(when string) {
				t.Helper()
				if got := c.says(t, "www.b.example."); got != "NOERROR 192.0.2.1" {
					t.Errorf("%s: answered %q", when, got)
				}
				if got := c.transferOf(t, "b.example."); !strings.Contains(got, "192.0.2.1") || strings.Contains(got, "10.66.") {
					t.Errorf("%s: transferred %s", when, got)
				}
			}
			spoil()
			for i := range 3 {
				if err := c.restart(twoCorefile); err != nil {
					t.Fatal(err)
				}
				holds(fmt.Sprintf("after reload %d", i))
				if name == "gone" {
					break // it is gone for good if it stays away
				}
			}
			write(t, "maps/a.yaml", twoFiles["maps/a.yaml"])
			write(t, "maps/b.yaml", bDocument)
			eventually(t, "what was put right is in force", func() bool { return c.says(t, "www.b.example.") == "NOERROR 192.0.2.1" })
			holds("at the end")
		})
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
	guarded := strings.Replace(reloadCorefile, "reload 100ms", "reload 100ms\n\t\tguard 10%", 1)
	for _, c := range []struct {
		name, corefile, old, new, says string
	}{
		{"P1", reloadCorefile, keepsIPs, strings.Replace(keepsIPs, "enabled: true", "enabled: false", 1), "V11"},
		{"P1 without byoip_only", reloadCorefile, strings.Replace(keepsIPs, "    byoip_only: true\n", "", 1), three, "P1"},
		{"P2", reloadCorefile, keepsIPs, strings.Replace(keepsIPs, "ips: [192.0.2.1]", "ips: [192.0.2.2]", 1), "P2"},
		{"P3", reloadCorefile, keepsIPs, strings.Replace(keepsIPs, "byoip_only: true", "byoip_only: false", 1), "P3"},
		{"P4", guarded, three, strings.Replace(three, ", b, c", "", 1), "P4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.corefile, map[string]string{"maps.yaml": c.old, "db.example.org": reloadFiles["db.example.org"]})
			write(t, "maps.yaml", c.new)
			eventually(t, "the change is refused", func() bool { return len(s.log.lines(c.says)) > 0 })
			for range 2 {
				if err := s.restart(c.corefile); err != nil {
					t.Fatal(err)
				}
				if got := s.says(t, "www.example.org."); got != "NOERROR 192.0.2.1" {
					t.Errorf("answered %q", got)
				}
			}
			inForce.settle() // it would be judged anew now
			if n := len(s.log.lines("maps.yaml in force")); n != 1 {
				t.Errorf("in force %d times:\n%s", n, s.log)
			}
		})
	}
	t.Run("with another guard", func(t *testing.T) {
		s := start(t, guarded, map[string]string{"maps.yaml": three, "db.example.org": reloadFiles["db.example.org"]})
		write(t, "maps.yaml", strings.Replace(three, ", b, c", "", 1))
		eventually(t, "the change is refused", func() bool { return len(s.log.lines("P4")) > 0 })
		lax := strings.Replace(guarded, "10%", "90%", 1)
		if err := s.restart(failing(lax)); err == nil {
			t.Fatal("it loads")
		}
		if n := len(s.log.lines("maps.yaml in force")); n != 1 {
			t.Errorf("a Corefile that failed to load changed something:\n%s", s.log)
		}
		if err := s.restart(lax); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is judged by the new guard", func() bool { return len(s.log.lines("maps.yaml in force")) == 2 })
	})
}

// A Corefile of which the shutdown fails, in another plugin, has gone all the same; one
// that fails to load, at whatever moment, leaves what was in force to the old one.
func TestLifeCycle_CorefileThatFails(t *testing.T) {
	_, taken := listen(t)
	inUse := strings.Replace(taken.Addr().String(), "127.0.0.1", "taken.example", 1) + " {\n\tbind 127.0.0.1\n}\n"
	withNeighbour := strings.Replace(reloadCorefile, "\tfile", "\t"+neighbourName+"\n\tfile", 1)
	for _, c := range []struct {
		name, from, to string
		loads          bool
	}{
		{"the neighbour's shutdown fails", withNeighbour, reloadCorefile, false /* says caddy */},
		{"port in use", reloadCorefile, reloadCorefile + inUse, false},
		{"setup of another plugin", reloadCorefile, failing(reloadCorefile), false},
		{"from no directive to one that fails", "example.org {\n\tfile db.example.org\n}\n", failing(reloadCorefile), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.from, reloadFiles)
			old := s.instance
			if err := s.restart(c.to); (err == nil) != c.loads {
				t.Fatal(err)
			}
			// Where only a shutdown failed, the new instance serves, and nobody says so.
			for _, i := range caddy.Instances() {
				if c.from == withNeighbour && i != old {
					s.instance = i
				}
			}
			directives := strings.Count(c.from, "addressmap")
			if directives == 0 { // nothing is heard of it, see registry
				if err := s.restart("nonsense {\n\tnonsense\n}\n"); err == nil {
					t.Fatal("it loads")
				}
			}
			eventually(t, "who is gone holds nothing", func() bool {
				runtime.GC()
				return held(t, "maps.yaml") == directives
			})
			if directives == 0 {
				return
			}
			write(t, "maps.yaml", version(7))
			eventually(t, "the map is still watched", func() bool {
				n, err := versionOf(s.lookup(t, "www.example.org.", dns.TypeA))
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
		_, err := tryStart(t, c.zones+" {\n\taddressmap maps\n\tfile db a.example\n}\n", files)
		if (err == nil) != c.loads || err != nil && !strings.Contains(err.Error(), "names no zone that could be closed") {
			t.Errorf("%s: %v", c.zones, err)
		}
	}
}

// Only a transfer that would hold a closed owner is refused.
func TestR26_Transfers(t *testing.T) {
	c := start(t, "a.example b.example c.example inner.b.example {\n\ttransfer {\n\t\tto *\n\t}\n\taddressmap maps a.example b.example inner.b.example\n\tfile db a.example b.example c.example inner.b.example\n}\n",
		map[string]string{
			"maps/a.yaml": "anycast: [192.0.2.1]\naccounts: [{id: a, zones: [{name: a.example, proxied: [www]}, {name: inner.b.example, proxied: [www]}]}]\n",
			"maps/b.yaml": strings.Replace(bDocument, "zones", "static_ips: [192.0.2.300], zones", 1),
			"db":          twoFiles["db"],
		})
	for zone, want := range map[string]string{"a.example.": "192.0.2.1", "inner.b.example.": "192.0.2.1", "c.example.": "10.66.0.1"} {
		if got := c.transferOf(t, zone); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s in it", zone, got, want)
		}
	}
	if got := c.transferOf(t, "b.example."); strings.Contains(got, "10.66") || strings.Contains(got, "SOA") {
		t.Errorf("b.example.: %s", got)
	}
}

// A Corefile that names another path has another map: nothing carries over.
func TestLifeCycle_OtherPathOtherMap(t *testing.T) {
	c := start(t, reloadCorefile, reloadFiles)
	write(t, "other.yaml", version(3))
	if err := c.restart(strings.Replace(reloadCorefile, "maps.yaml", "other.yaml", 1)); err != nil {
		t.Fatal(err)
	}
	if n, err := versionOf(c.lookup(t, "www.example.org.", dns.TypeA)); n != 3 || err != nil {
		t.Errorf("answered with version %d, %v", n, err)
	}
	eventually(t, "it is said", func() bool { return len(c.log.lines("maps.yaml is in force no more")) == 1 })
	if n := held(t, "maps.yaml"); n != 0 {
		t.Errorf("held by %d", n)
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
			_, err := tryStart(t, block("example.org", c.a)+block("example.net", c.b), reloadFiles)
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
	c := start(t, own+other, map[string]string{"db": twoFiles["db"], "maps.yaml": text("anycast: [192.0.2.1]\n", "www")})
	answers := func(name, want string) bool { return c.says(t, name) == want }
	if !answers("www.a.example.", "NOERROR 192.0.2.65") || !answers("www.b.example.", "NOERROR 192.0.2.1") {
		t.Errorf("answered %q and %q", c.says(t, "www.a.example."), c.says(t, "www.b.example."))
	}
	write(t, "maps.yaml", text("anycast: [192.0.2.2]\n", "www, plain"))
	eventually(t, "the change is in force for both", func() bool {
		return answers("plain.a.example.", "NOERROR 192.0.2.65") && answers("plain.b.example.", "NOERROR 192.0.2.2")
	})
	write(t, "maps.yaml", text("", "www"))
	eventually(t, "what one cannot answer with is refused", func() bool { return len(c.log.lines("V15")) > 0 })
	if !answers("plain.a.example.", "NOERROR 192.0.2.65") || !answers("plain.b.example.", "NOERROR 192.0.2.2") {
		t.Errorf("answered %q and %q", c.says(t, "plain.a.example."), c.says(t, "plain.b.example."))
	}
	if err := c.restart(own); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is in force when the other has gone", func() bool { return answers("plain.a.example.", "NOERROR 198.51.100.1") })
	if err := c.restart(own + other); err == nil || !strings.Contains(err.Error(), "V15") {
		t.Errorf("a directive that cannot answer loads: %v", err)
	}
}

// A Corefile that changes what transfers hold makes serials go up, there and back again;
// one that does not, leaves them.
func TestR18_SerialOverCorefileReloads(t *testing.T) {
	c := start(t, twoCorefile, twoFiles)
	last := c.serial(t, "a.example.")
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
		if err := c.restart(step.corefile); err != nil {
			t.Fatal(err)
		}
		if now := c.serial(t, "a.example."); step.higher != (now > last) || now < last {
			t.Errorf("after reload %d: serial %d, before %d", i, now, last)
		} else {
			last = now
		}
	}
}
