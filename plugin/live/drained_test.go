package live_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// A new version of the map comes into force drained: there is no answer in between without
// the drain. Its protections are judged as if nothing were drained.
func TestDrains_Reload(t *testing.T) {
	t.Parallel()
	const protected = `anycast: [192.0.2.1, 192.0.2.2]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24]
    zones: [{name: example.org, proxied: [%s]}]
    address_maps: [{id: acme-1, enabled: true, can_modify_ips: false, ips: [203.0.113.7, 203.0.113.8], memberships: [{kind: account, identifier: acme}]}]
`
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", fmt.Sprintf(protected, "www"))
	r.write("drains.yaml", drained("addresses: [203.0.113.8]", "", forever))
	r.do(r.open("map.yaml", live.Options{Drains: r.path("drains.yaml"), Guard: 1}))
	seen := make(map[string]bool)
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				seen[r.addressesOf(www)] = true
			}
		}
	})
	names := "www"
	for i := range 5 {
		names += fmt.Sprintf(", n%d", i)
		r.rename("map.yaml", fmt.Sprintf(protected, names))
		r.untilAddresses(fmt.Sprintf("n%d.example.org.", i), "203.0.113.7")
	}
	close(stop)
	watching.Wait()
	if len(seen) != 1 || !seen["203.0.113.7"] {
		t.Errorf("clients got %v, want the address that is not drained, always", seen)
	}
	if n := r.countLogged("error"); n != 0 {
		t.Errorf("a drain was judged as a change of the map: %q", r.logged("error"))
	}
	r.rename("map.yaml", strings.Replace(fmt.Sprintf(protected, names), ", 203.0.113.8", "", 1)) // It is drained, and protected.
	r.untilLogged("error", "P2")
	// The end changes answers back, also while a version is refused.
	r.rename("drains.yaml", "drains: []\n")
	r.untilAddresses(www, "203.0.113.7 203.0.113.8")
}

// Where all addresses of a step are drained, each directive decides for itself.
func TestDrains_Last(t *testing.T) {
	t.Parallel()
	const text = `anycast: [192.0.2.1]
accounts:
  - id: acme
    prefixes: [203.0.113.0/24]
    zones: [{name: example.org, proxied: [www]}]
    address_maps: [{id: acme-1, enabled: true, ips: [203.0.113.7], memberships: [{kind: zone, identifier: example.org}]}]
  - id: own
    byoip_only: true
    prefixes: [198.51.100.0/24]
    zones: [{name: example.net, proxied: [www]}]
    address_maps: [{id: own-1, enabled: true, can_delete: false, can_modify_ips: false, ips: [198.51.100.7], memberships: [{kind: account, identifier: own}]}]
`
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", text)
	r.write("drains.yaml", "drains: []\n")
	r.do(r.open("map.yaml", live.Options{Drains: r.path("drains.yaml")}))
	next, err := r.View(mapset.Options{DrainNext: true}, "next", false)
	r.do(err)
	addresses := func() string {
		var out []string
		for _, s := range []*mapset.Snapshot{r.Snapshot(), next.Snapshot()} {
			for _, name := range []string{www, "www.example.net."} {
				out = append(out, strings.Trim(fmt.Sprint(s.Lookup(fqdn.Name(name)).Addrs(mapset.IPv4)), "[]"))
			}
		}
		return strings.Join(out, " ")
	}
	for _, step := range []struct{ drain, want string }{
		{"addresses: [203.0.113.0/24]", "203.0.113.7 198.51.100.7 192.0.2.1 198.51.100.7"},
		{"addresses: [203.0.113.0/24, 192.0.2.0/24]", "203.0.113.7 198.51.100.7 203.0.113.7 198.51.100.7"},
		{"map: own-1", "203.0.113.7 198.51.100.7 203.0.113.7 198.51.100.7"},
		{"map: acme-1", "203.0.113.7 198.51.100.7 192.0.2.1 198.51.100.7"},
	} {
		loads := len(r.all())
		r.rename("drains.yaml", drained(step.drain, "", forever))
		r.until("the drain of "+step.drain+" is told", func() bool { return len(r.all()) > loads })
		if got := addresses(); got != step.want {
			t.Errorf("%s: got %s, want %s", step.drain, got, step.want)
		}
	}
	r.until("one is ignored", func() bool { return r.last().DrainsIgnored == 1 && r.last().DrainedAddresses == 1 })
	r.untilLogged("warning", `account, address map "own-1" of account "own", for example.net.; map own-1, reason "fibre cut", by "ana"`)
	// Said once each, whatever the number of views.
	if n := r.countLogged("warning", "a drain is ignored"); n != 4 {
		t.Errorf("%d lines of drains that are ignored, want 4: %q", n, r.logged("warning"))
	}
}

// A drain of a site that is ignored is told with its reason and author, and no other is.
func TestDrains_IgnoredSite(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", `anycast: ["2001:db8::1"]
sites: {fra: {anycast: [192.0.2.65]}, ams: {anycast: [192.0.2.66]}}
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [www]}]}
`)
	r.write("drains.yaml", `drains:
  - {site: fra, reason: power, by: ana, until: `+forever+`}
  - {site: ams, reason: fire, by: bo, until: `+forever+`}
`)
	r.do(r.open("map.yaml", live.Options{Drains: r.path("drains.yaml"), Compile: mapset.Options{Site: "fra"}}))
	r.untilLogged("warning", `no IPv4 address: anycast, for example.org.; site fra, reason "power", by "ana"`)
	if n := r.countLogged("warning", "fire"); n != 0 {
		t.Errorf("told of a drain of another site: %q", r.logged("warning"))
	}
}

// With a new Corefile, other files count, and those that it does not name any more end.
func TestDrains_Govern(t *testing.T) {
	t.Parallel()
	r := newDrainRig(t, map[string]string{
		"drains.yaml": drained("addresses: [192.0.2.1]", "", forever),
		"other.yaml":  drained("addresses: [192.0.2.2]", "", forever),
	}, live.Options{})
	for _, step := range []struct{ path, want string }{
		{"other.yaml", "192.0.2.1"}, {"drains.yaml", "192.0.2.2"}, {"", "192.0.2.1 192.0.2.2"}, {"other.yaml", "192.0.2.1"},
	} {
		path := step.path
		if path != "" {
			path = r.path(path)
		}
		r.Govern(live.Rules{Drains: path})
		if got := r.addressesOf(www); got != step.want {
			t.Errorf("drains %q: %s, want %s", step.path, got, step.want)
		}
	}
	r.rename("other.yaml", "drains: []\n") // It is watched.
	r.untilAddresses(www, "192.0.2.1 192.0.2.2")
}

// However many drains begin, are ignored and end at one moment, the log has a line for some
// of them and one for all others.
func TestDrains_ManyAtOnce(t *testing.T) {
	t.Parallel()
	const many = 40
	var zones, maps, entries strings.Builder
	for i := range many {
		fmt.Fprintf(&zones, "{name: z%d.example, proxied: [www]}, ", i)
		fmt.Fprintf(&maps, "      - {id: m%d, enabled: true, ips: [203.0.113.%d], memberships: [{kind: zone, identifier: z%d.example}]}\n", i, i, i)
		fmt.Fprintf(&entries, "  - {map: m%d, reason: fibre cut, until: %s}\n", i, forever)
		fmt.Fprintf(&entries, "  - {map: unknown%d, reason: fibre cut, until: %s}\n", i, forever)
	}
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", "accounts:\n  - id: acme\n    prefixes: [203.0.113.0/24]\n    zones: ["+zones.String()+"]\n    address_maps:\n"+maps.String())
	r.write("drains.yaml", "drains: []\n")
	r.do(r.open("map.yaml", live.Options{Drains: r.path("drains.yaml")}))
	r.rename("drains.yaml", "drains:\n"+entries.String())
	r.untilLogged("warning", "drains are ignored, or drain nothing, in 70 more places")
	r.remove("drains.yaml")
	r.untilLogged("info", "drain ended: 70 more")
	for _, c := range []struct{ level, text string }{{"info", "drain in force"}, {"info", "drain ended"}, {"warning", "is ignored"}, {"warning", "drains nothing"}} {
		if n := r.countLogged(c.level, c.text); n > 11 {
			t.Errorf("%d lines with %q, want 11 at most", n, c.text)
		}
	}
	if n := r.countLogged("info", "drain in force: 70 more"); n != 1 {
		t.Errorf("%d lines on the drains that are not named, want one: %q", n, r.logged("info"))
	}
}
