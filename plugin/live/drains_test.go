package live_test

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// two is a map that tells www.example.org of two addresses, and www.example.net of another.
const two = `anycast: [192.0.2.1, 192.0.2.2]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [www]}]}
  - id: other
    prefixes: [203.0.113.0/24]
    zones: [{name: example.net, proxied: [www]}]
    address_maps: [{id: other-1, enabled: true, ips: [203.0.113.7], memberships: [{kind: zone, identifier: example.net}]}]
`

const www = "www.example.org."

// forever is an end that no test sees.
const forever = "2199-01-01T00:00:00Z"

// drained is a file of drains with one entry.
func drained(what, since, until string) string {
	if since != "" {
		since = "since: " + since + ", "
	}
	return fmt.Sprintf("drains: [{%s, reason: fibre cut, by: ana, %suntil: %s}]\n", what, since, until)
}

// addressesOf are those that clients get for a name now.
func (r *rig) addressesOf(name string) string {
	return strings.Trim(fmt.Sprint(r.Snapshot().Lookup(fqdn.Name(name)).Addrs(mapset.IPv4)), "[]")
}

func (r *rig) untilAddresses(name, want string) {
	r.t.Helper()
	r.until(fmt.Sprintf("%s has the addresses %q", name, want), func() bool { return r.addressesOf(name) == want })
}

// untilLogged waits for a line of a level with all of the texts.
func (r *rig) untilLogged(level string, texts ...string) {
	r.t.Helper()
	r.until(fmt.Sprintf("a line of level %s has %q", level, texts), func() bool { return r.countLogged(level, texts...) > 0 })
}

// countLogged counts the lines of a level with all of the texts.
func (r *rig) countLogged(level string, texts ...string) (n int) {
lines:
	for _, line := range r.logged(level) {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue lines
			}
		}
		n++
	}
	return n
}

// newDrainRig opens the map two with these files beside it.
func newDrainRig(t *testing.T, files map[string]string, opt live.Options) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	for name, text := range files {
		r.write(name, text)
	}
	r.write("map.yaml", two)
	if opt.Drains == "" {
		opt.Drains = "drains.yaml"
	}
	opt.Drains = r.path(opt.Drains)
	if err := r.open("map.yaml", opt); err != nil {
		t.Fatal(err)
	}
	return r
}

// A file of drains comes, changes and goes. What changes is told as of a reload, and is none.
func TestDrains_File(t *testing.T) {
	t.Parallel()
	r := newDrainRig(t, nil, live.Options{})
	r.untilLogged("warning", "drains.yaml: there is no such file")
	r.checkDegraded(live.OK, false)
	r.rename("drains.yaml", drained("addresses: [192.0.2.1]", "", forever))
	r.untilAddresses(www, "192.0.2.2")
	r.untilLogged("info", "drain in force until "+forever, `192.0.2.1, reason "fibre cut", by "ana"`, "drains.yaml:1")
	r.until("the drain is told", func() bool { return r.last().DrainedAddresses == 1 })
	if l := r.last(); l.Result != live.NoLoad || fmt.Sprint(l.Changed) != "[example.org.]" || l.Degraded {
		t.Errorf("told of %+v, want a change of example.org. that is no load", l)
	}
	if n := r.Snapshot().SerialOffset("example.org."); n != 1 {
		t.Errorf("the serial of the zone is %d up, want 1", n)
	}
	r.write("drains.yaml", drained("map: other-1", "", forever))
	r.untilAddresses(www, "192.0.2.1 192.0.2.2")
	r.untilLogged("info", "drain ended: 192.0.2.1")
	r.remove("drains.yaml")
	r.untilLogged("info", "drain ended: map other-1")
	r.untilLogged("info", "drains.yaml is gone: its drains end")
	if n := r.countLogged("warning"); n != 2 { // that it was missing, and that the map is ignored
		t.Errorf("%d warnings: %q", n, r.logged("warning"))
	}
	r.check("www.example.net.", "203.0.113.7")
	if n := r.Snapshot().SerialOffset("example.org."); n != 2 {
		t.Errorf("the serial of the zone is %d up, want 2", n)
	}
}

// A file of drains is read up to the size that the command reads and etcd takes, and no
// further: one that only the server knew could not be ended.
func TestDrains_TooLarge(t *testing.T) {
	t.Parallel()
	r := newDrainRig(t, map[string]string{"drains.yaml": drained("addresses: [192.0.2.1]", "", forever)}, live.Options{})
	r.check(www, "192.0.2.2")
	text := drained("addresses: [192.0.2.2]", "", forever)
	filled := func(size int) string { return text + "#" + strings.Repeat(" ", size-len(text)-1) }
	r.rename("drains.yaml", filled(drain.MaxFile+1))
	r.untilLogged("error", "drains.yaml is not in force, its last good drains stay", fmt.Sprint(drain.MaxFile))
	r.check(www, "192.0.2.2")
	r.rename("drains.yaml", filled(drain.MaxFile))
	r.untilAddresses(www, "192.0.2.1")
}

// clock is one that tests set.
type clock struct{ now atomic.Pointer[time.Time] }

func (c *clock) set(t *testing.T, text string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	c.now.Store(&at)
}

// Begin and end follow the clock of the wall, forwards and back.
func TestDrains_Clock(t *testing.T) {
	t.Parallel()
	r := newDrainRig(t, map[string]string{
		"drains.yaml": drained("addresses: [192.0.2.1]", "2150-01-01T02:00:00Z", "2150-01-01T04:00:00Z"),
	}, live.Options{})
	var c clock
	c.set(t, "2150-01-01T01:59:59Z")
	live.SetClock(r.Store, func() time.Time { return *c.now.Load() })
	r.check(www, "192.0.2.1")
	for _, step := range []struct{ at, want string }{
		{"2150-01-01T02:00:00Z", "192.0.2.2"},
		{"2150-01-01T01:00:00Z", "192.0.2.1 192.0.2.2"},
		{"2150-01-01T03:59:59Z", "192.0.2.2"},
		{"2150-01-01T04:00:00Z", "192.0.2.1 192.0.2.2"},
		{"2150-01-01T03:00:00Z", "192.0.2.2"},
		{"2151-01-01T00:00:00Z", "192.0.2.1 192.0.2.2"},
	} {
		c.set(t, step.at)
		r.untilAddresses(www, step.want)
	}
	if begun, ended := r.countLogged("info", "drain in force"), r.countLogged("info", "drain ended"); begun != 3 || ended != 3 {
		t.Errorf("%d begin and %d end, want 3 of each", begun, ended)
	}
}

// A file that is refused leaves its last good entries, which end by the clock.
func TestDrains_Refused(t *testing.T) {
	t.Parallel()
	r := newDrainRig(t, map[string]string{"drains.yaml": drained("addresses: [192.0.2.1]", "", "2150-01-01T04:00:00Z")}, live.Options{})
	var c clock
	c.set(t, "2150-01-01T00:00:00Z")
	live.SetClock(r.Store, func() time.Time { return *c.now.Load() })
	r.check(www, "192.0.2.2")
	r.rename("drains.yaml", "drains: [{adresses: [192.0.2.2]}]\n")
	r.untilLogged("error", "drains.yaml is not in force, its last good drains stay until they end", `unknown key "adresses"`, "remedy: ")
	r.until("the map is degraded", func() bool { return r.last().Degraded })
	r.check(www, "192.0.2.2")
	r.rename("map.yaml", strings.Replace(two, "acme", "acne", 1)) // A reload changes nothing of it.
	r.untilLogged("info", "map.yaml in force", "accounts: 1 added")
	r.check(www, "192.0.2.2")
	if n := r.countLogged("error"); n != 1 {
		t.Errorf("%d errors: %q", n, r.logged("error"))
	}
	c.set(t, "2150-01-01T04:00:00Z")
	r.untilAddresses(www, "192.0.2.1 192.0.2.2")
	if !r.last().Degraded {
		t.Error("the map is not degraded with a file that is refused")
	}
	r.rename("drains.yaml", drained("addresses: [192.0.2.2]", "", forever))
	r.untilAddresses(www, "192.0.2.1")
	r.until("the map is degraded no more", func() bool { return !r.last().Degraded })
}

// In a directory, each file is refused alone. A directory that is missing may be a mount,
// and ends nothing.
func TestDrains_Directory(t *testing.T) {
	t.Parallel()
	r := newDrainRig(t, map[string]string{
		"drains/bird.yaml":  drained("addresses: [192.0.2.1]", "", forever),
		"drains/human.yaml": "drains: 5\n",
		"drains/notes.txt":  "none",
	}, live.Options{Drains: "drains"})
	r.check(www, "192.0.2.2")
	r.checkDegraded(live.OK, true)
	r.untilLogged("error", "drains/human.yaml is not in force", `"drains" must be a list`)
	r.rename("drains/human.yaml", drained("addresses: [203.0.113.0/24]", "", forever))
	r.untilLogged("warning", "a drain is ignored where it would leave no IPv4 address: zone, address map \"other-1\" of account \"other\", for example.net.; 203.0.113.0/24, reason \"fibre cut\", by \"ana\"")
	r.until("the map is degraded no more", func() bool { return !r.last().Degraded })
	r.do(os.Rename(r.path("drains"), r.path("away")))
	r.until("the map is degraded", func() bool { return r.last().Degraded })
	r.untilLogged("error", "drains is not in force, its last good drains stay until they end: cannot read the drains")
	r.check(www, "192.0.2.2")
	r.remove("away/bird.yaml")
	r.do(os.Rename(r.path("away"), r.path("drains")))
	r.untilAddresses(www, "192.0.2.1 192.0.2.2")
	r.until("the map is degraded no more", func() bool { return !r.last().Degraded })
}

// A file that went with its directory ends its drains once the directory is back without it.
func TestDrains_DirectoryBackEmpty(t *testing.T) {
	t.Parallel()
	r := newDrainRig(t, map[string]string{"mount/drains.yaml": drained("addresses: [192.0.2.1]", "", forever)},
		live.Options{Drains: "mount/drains.yaml"})
	r.do(os.Rename(r.path("mount"), r.path("away")))
	r.until("the map is degraded", func() bool { return r.last().Degraded })
	r.check(www, "192.0.2.2")
	r.do(os.Mkdir(r.path("mount"), 0o777))
	r.untilAddresses(www, "192.0.2.1 192.0.2.2")
	r.until("the map is degraded no more", func() bool { return !r.last().Degraded })
	r.write("mount/drains.yaml", drained("addresses: [192.0.2.2]", "", forever))
	r.untilAddresses(www, "192.0.2.1")
}

// A directory that is missing at the start is waited for, and one of a file too.
func TestDrains_MissingAtStart(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"mount", "mount/drains.yaml"} {
		r := newDrainRig(t, nil, live.Options{Drains: path})
		r.checkDegraded(live.OK, true)
		r.untilLogged("error", "cannot read the drains")
		r.write("mount/drains.yaml", drained("addresses: [192.0.2.1]", "", forever))
		r.untilAddresses(www, "192.0.2.2")
		r.until("the map is degraded no more", func() bool { return !r.last().Degraded })
	}
}

// A restart finds with the state what was in force of a file that is refused today, or
// cannot be read, before anything is answered without it.
func TestDrains_Restart(t *testing.T) {
	t.Parallel()
	for _, spoil := range []func(r *rig){
		func(r *rig) { r.rename("mount/drains.yaml", "drains: 5\n") },
		func(r *rig) { r.do(os.Rename(r.path("mount"), r.path("away"))) },
	} {
		state := t.TempDir()
		r := newDrainRig(t, map[string]string{"mount/drains.yaml": drained("addresses: [192.0.2.1]", "", forever)},
			live.Options{Drains: "mount/drains.yaml", State: state})
		r.check(www, "192.0.2.2")
		r.rename("mount/drains.yaml", drained("addresses: [192.0.2.2]", "", forever))
		r.untilAddresses(www, "192.0.2.1")
		r.do(r.Close())
		spoil(r)
		r.do(r.open("map.yaml", live.Options{Drains: r.path("mount/drains.yaml"), State: state}))
		if got := r.addressesOf(www); got != "192.0.2.1" {
			t.Errorf("after a restart: %s", got)
		}
		r.checkDegraded(live.OK, true)
		r.do(os.MkdirAll(r.path("mount"), 0o777))
		r.rename("mount/drains.yaml", "drains: []\n")
		r.untilAddresses(www, "192.0.2.1 192.0.2.2")
	}
}

// A file that went while nobody looked ends its drains with the restart.
func TestDrains_GoneAtRestart(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	r := newDrainRig(t, map[string]string{"drains.yaml": drained("addresses: [192.0.2.1]", "", forever)}, live.Options{State: state})
	r.do(r.Close())
	r.remove("drains.yaml")
	r.do(r.open("map.yaml", live.Options{Drains: r.path("drains.yaml"), State: state}))
	if got := r.addressesOf(www); got != "192.0.2.1 192.0.2.2" {
		t.Errorf("after a restart: %s", got)
	}
}
