package live_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// ran brings a map into force and then each of the versions of it, with a state, and
// ends that server.
func (r *rig) ran(path string, opt live.Options, versions ...string) {
	r.t.Helper()
	opt.Path, opt.Log = r.path(path), r
	s, err := live.Open(opt)
	r.do(err)
	defer func() { r.do(s.Close()) }()
	for _, v := range versions {
		before := s.Snapshot()
		r.rename(path, v)
		r.until("the version is in force", func() bool { return s.Snapshot() != before })
	}
}

// own returns the directory that a map has in the state.
func (r *rig) own(state string) string {
	r.t.Helper()
	names, err := filepath.Glob(filepath.Join(r.path(state), "*-????????????????"))
	r.do(err)
	if len(names) != 1 {
		r.t.Fatalf("want the directory of one map in the state, got %q", names)
	}
	return names[0]
}

func (r *rig) serial(zone fqdn.Name) uint32 { return r.Snapshot().SerialOffset(zone) }

// errors returns the errors that were logged of the state.
func (r *rig) errors() (out []string) {
	for _, line := range r.logged("error") {
		if strings.Contains(line, "state") {
			out = append(out, line)
		}
	}
	return out
}

// A state that another server has locked is read at the start: last good version,
// protections and serials hold. When the lock is free, serials are the higher of
// both, and what is in force is written.
func TestState_LockedByAnother(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	opt := live.Options{State: r.path("state")}
	r.write("map.yaml", protectedTenant("a", "192.0.2.1"))
	r.ran("map.yaml", opt, protectedTenant("a", "192.0.2.1")+"# 2\n")
	own := r.own("state")

	// What the other server will have saved by the time it ends.
	ahead := &rig{t: t, dir: r.dir}
	r.do(os.CopyFS(r.path("ahead"), os.DirFS(r.path("state"))))
	ahead.ran("map.yaml", live.Options{State: r.path("ahead")},
		strings.ReplaceAll(protectedTenant("a", "192.0.2.1"), "[www]", "[www, api]"),
		strings.ReplaceAll(protectedTenant("a", "192.0.2.1"), "[www]", "[www, ftp]"))

	lock, err := os.Open(r.path("state/lock"))
	r.do(err)
	defer lock.Close()
	r.do(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	r.write("map.yaml", tenant("a", "192.0.2.9"))
	r.do(r.open("map.yaml", opt))
	r.check("www.a.example.", "192.0.2.1")
	r.checkDegraded(live.Refused, true)
	if got := r.logged("error"); len(got) != 2 || !strings.Contains(got[0], "uses it: give every server a directory of its own") || !strings.Contains(got[1], "P2") {
		t.Errorf("log %q, want the lock and P2", got)
	}
	r.rename("map.yaml", protectedTenant("a", "192.0.2.1"))
	r.until("the map is good", func() bool { return r.last().Result == live.Unchanged || r.last().Result == live.OK })
	if l := r.last(); !l.Degraded {
		t.Error("not degraded, and what is in force is not in the state")
	}
	if got := r.serial("a.example."); got != 0 {
		t.Fatalf("serial %d, want 0", got)
	}

	r.do(os.RemoveAll(own))
	r.do(os.CopyFS(own, os.DirFS(ahead.own("ahead"))))
	failed := live.Failures(r.Store)
	r.until("more attempts fail", func() bool { return live.Failures(r.Store) > failed || failed > 5 })
	if r.serial("a.example.") != 0 {
		t.Error("the lock was not minded")
	}
	loads := len(r.results())
	r.do(syscall.Flock(int(lock.Fd()), syscall.LOCK_UN))
	r.until("the serial is the other server's", func() bool { return r.serial("a.example.") == 2 })
	r.until("that is told", func() bool { return len(r.results()) > loads })
	r.checkDegraded(live.NoLoad, false)
	if l := r.last(); l.InForce != r.Snapshot() || !slices.Equal(l.Changed, []fqdn.Name{"a.example."}) {
		t.Errorf("told %+v, want the zone of which the serial changed", l)
	}
	if got := r.logged("info"); !strings.Contains(got[len(got)-1], "in the state again") {
		t.Errorf("log %q", got)
	}
	wantRestored(t, r, "map.yaml", "192.0.2.1", 2)
}

// wantRestored ends the server and starts it with a broken map: the state must have
// the address of www.a.example, and the serial.
func wantRestored(t *testing.T, r *rig, path, address string, serial uint32) {
	t.Helper()
	r.do(r.Store.Close())
	after := &rig{t: t, dir: r.dir}
	after.write(path, broken)
	after.do(after.open(path, live.Options{State: r.path("state")}))
	after.check("www.a.example.", address)
	if got := after.serial("a.example."); got != serial {
		t.Errorf("serial %d after a restart, want %d", got, serial)
	}
}

// A state that cannot be used never stops a start with a good map: it is said once,
// degraded is 1, and when it can be used what is in force is written.
func TestState_CannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says  string
		spoil func(r *rig)
		mend  func(r *rig)
	}{
		"a file in its place": {"not a directory",
			func(r *rig) { r.write("state", "") },
			func(r *rig) { r.remove("state") }},
		"a file above": {"not a directory",
			func(r *rig) {
				r.remove("above")
				r.write("above", "")
				r.do(os.Symlink("above/state", r.path("state")))
			},
			func(r *rig) { r.remove("above"); r.do(os.MkdirAll(r.path("above/state"), 0o700)) }},
		"a later format": {"a later version of this program wrote it",
			func(r *rig) {
				r.ran("map.yaml", live.Options{State: r.path("state")})
				body := "addressmap state 9\nsomething new\n"
				sealed := fmt.Sprintf("%ssha256 %x\n", body, sha256.Sum256([]byte(body)))
				r.do(os.WriteFile(filepath.Join(r.own("state"), "manifest"), []byte(sealed), 0o600))
			},
			// At one stroke: the store writes to it as soon as it finds no manifest there.
			func(r *rig) { r.do(os.Rename(r.path("state"), r.path("later"))) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &rig{t: t, dir: t.TempDir()}
			r.write("map.yaml", tenant("a", "192.0.2.1"))
			c.spoil(r)
			r.do(r.open("map.yaml", live.Options{State: r.path("state")}))
			r.check("www.a.example.", "192.0.2.1")
			r.checkDegraded(live.OK, true)
			r.rename("map.yaml", tenant("a", "192.0.2.2"))
			r.untilTold("www.a.example.", "192.0.2.2")
			r.untilLoads(2)
			r.checkDegraded(live.OK, true)
			r.until("some attempts fail", func() bool { return live.Failures(r.Store) >= 3 }) // which is not said
			if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], c.says) {
				t.Errorf("log %q, want one error with %q", got, c.says)
			}
			c.mend(r)
			r.until("it is written", func() bool { return !r.last().Degraded })
			r.checkDegraded(live.NoLoad, false)
			wantRestored(t, r, "map.yaml", "192.0.2.2", 1)
		})
	}
}

// Only the manifest cannot be written: degraded until it could be, without a new
// version.
func TestState_ManifestCannotBeWritten(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": tenant("a", "192.0.2.1")}, "map.yaml", live.Options{})
	r.do(r.Store.Close())
	r.loads = nil
	r.do(r.open("map.yaml", live.Options{State: r.path("state")}))
	r.checkDegraded(live.OK, false)
	blocked := filepath.Join(r.own("state"), "manifest.tmp")
	r.do(os.MkdirAll(filepath.Join(blocked, "x"), 0o700))
	r.rename("map.yaml", tenant("a", "192.0.2.2"))
	r.untilLoads(2)
	r.check("www.a.example.", "192.0.2.2")
	r.checkDegraded(live.OK, true)
	if got := r.errors(); len(got) != 1 || !strings.Contains(got[0], "manifest") {
		t.Errorf("log %q", got)
	}
	r.do(os.RemoveAll(blocked))
	r.untilLoads(3)
	r.checkDegraded(live.NoLoad, false)
	wantRestored(t, r, "map.yaml", "192.0.2.2", 1)
}

// A state that is moved away or removed while it is in use comes back, with all that
// is in force.
func TestState_MovedAway(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(string) error{
		"moved":   func(dir string) error { return os.Rename(dir, dir+".old") },
		"removed": os.RemoveAll,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := filepath.Join(t.TempDir(), "state")
			r := newRig(t, map[string]string{
				"maps/a.yaml": strings.Replace(tenant("a", "192.0.2.1"), "proxied: [www]", "zone_file: db.a", 1),
				"maps/b.yaml": tenant("b", "192.0.2.2"),
				"maps/db.a":   zoneText("www"),
			}, "maps", live.Options{State: state})
			r.rename("maps/b.yaml", tenant("b", "192.0.2.22"))
			r.untilTold("www.b.example.", "192.0.2.22")
			r.do(remove(state))
			manifests := func() []string { got, _ := filepath.Glob(state + "/*/manifest.copy"); return got }
			r.until("it is back", func() bool { return len(manifests()) == 1 })
			r.do(r.Store.Close())
			r.write("maps/a.yaml", broken)
			r.write("maps/b.yaml", broken)
			after := &rig{t: t, dir: r.dir}
			r.do(after.open("maps", live.Options{State: state}))
			after.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.22")
			if got := after.serial("b.example."); got != 1 {
				t.Errorf("serial %d, want 1", got)
			}
		})
	}
}

// A state that begins to fail when a directive joins shows in the metrics at once.
func TestState_FailsWithANewView(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	r := newRig(t, map[string]string{"maps/a.yaml": tenant("a", "192.0.2.1")}, "maps", live.Options{State: state})
	r.do(os.RemoveAll(state))
	r.do(os.WriteFile(state, nil, 0o666))
	if _, err := r.View(mapset.Options{}, "other", false); err != nil {
		t.Fatal(err)
	}
	r.checkDegraded(live.NoLoad, true)
}

// A state that is lost, named by a new Corefile only now, or changed for another one, gets
// what is in force although the disk has it no more.
func TestState_BesideARefusedVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before string
		state  func(*rig)
	}{
		"lost":    {"state", func(r *rig) { r.do(os.RemoveAll(r.path("state"))) }},
		"added":   {"", func(r *rig) { r.Govern(live.Rules{State: r.path("state")}) }},
		"changed": {"other", func(r *rig) { r.Govern(live.Rules{State: r.path("state")}) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &rig{t: t, dir: t.TempDir()}
			r.write("maps/a.yaml", strings.Replace(tenant("a", "192.0.2.1"), "proxied: [www]", "zone_file: db.a", 1))
			r.write("maps/b.yaml", tenant("b", "192.0.2.2"))
			r.write("maps/db.a", zoneText("www"))
			opt := live.Options{}
			if c.before != "" {
				opt.State = r.path(c.before)
			}
			r.do(r.open("maps", opt))
			for _, file := range []string{"maps/a.yaml", "maps/db.a", "maps/b.yaml"} {
				r.rename(file, broken)
			}
			r.until("the new versions are refused", func() bool { return len(r.logged("error")) >= 2 })
			c.state(r)
			saved := func() bool { got, _ := filepath.Glob(r.path("state/*/manifest.copy")); return len(got) == 1 }
			r.until("what is in force is in the state", saved)
			r.do(r.Store.Close())
			if got := r.errors(); len(got) > 0 {
				t.Errorf("log %q", got)
			}
			after := &rig{t: t, dir: r.dir}
			after.do(after.open("maps", live.Options{State: r.path("state")}))
			after.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2")
		})
	}
}

// A state that a new Corefile names may have been used before: serials do not go back.
func TestR18_SerialsOfAStateAddedLater(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", tenant("a", "192.0.2.1"))
	opt := live.Options{State: r.path("state")}
	r.ran("map.yaml", opt, tenant("a", "192.0.2.2"), tenant("a", "192.0.2.3"))
	r.do(r.open("map.yaml", live.Options{}))
	r.Govern(live.Rules{State: opt.State})
	if got := r.serial("a.example."); got != 2 {
		t.Errorf("serial %d, want 2", got)
	}
	r.until("that is told", func() bool { return len(r.results()) > 1 })
	if l := r.last(); !slices.Equal(l.Changed, []fqdn.Name{"a.example."}) {
		t.Errorf("told %+v, want the zone of which the serial changed", l)
	}
	wantRestored(t, r, "map.yaml", "192.0.2.3", 2)
}

// Maps in one directory are kept apart by path.
func TestState_MapsKeptApart(t *testing.T) {
	t.Parallel()
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	rigs := make([]*rig, 3)
	for i := range rigs {
		rigs[i] = &rig{t: t, dir: filepath.Join(dir, fmt.Sprint(i))}
		rigs[i].write("map.yaml", tenant("a", fmt.Sprintf("192.0.2.%d", i+1)))
		rigs[i].do(rigs[i].open("map.yaml", live.Options{State: state, Owner: "map.yaml"}))
		rigs[i].checkDegraded(live.OK, false)
	}
	for i, r := range rigs {
		r.do(r.Store.Close())
		r.write("map.yaml", broken)
		after := &rig{t: t, dir: r.dir}
		r.do(after.open("map.yaml", live.Options{State: state, Owner: "map.yaml"}))
		after.check("www.a.example.", fmt.Sprintf("192.0.2.%d", i+1))
	}
}

// Versions that are refused leave nothing in memory. It is not parallel: the heap is that
// of all tests which are.
func TestState_RefusedVersionsDoNotPileUp(t *testing.T) {
	r := newRig(t, map[string]string{"map.yaml": protectedTenant("a", "192.0.2.1")}, "map.yaml", live.Options{State: filepath.Join(t.TempDir(), "state")})
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	const size = 1 << 20
	for i := range 20 {
		r.rename("map.yaml", fmt.Sprintf("%s# %d\n%s", tenant("a", "192.0.2.9"), i, strings.Repeat("# a line of a comment\n", size/22)))
		r.untilLoads(i + 2)
		r.checkDegraded(live.Refused, true)
	}
	if grown := heap() - before; grown > 4*size {
		t.Errorf("the heap has grown by %d bytes with 20 refused versions of %d", grown, size)
	}
	r.rename("map.yaml", protectedTenant("a", "192.0.2.1")+"# good\n")
	r.until("all is well", func() bool { return !r.last().Degraded })
}

// An end does not wait for the lock.
func TestState_CloseWhileLocked(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", tenant("a", "192.0.2.1"))
	r.ran("map.yaml", live.Options{State: r.path("state")})
	lock, err := os.Open(r.path("state/lock"))
	r.do(err)
	defer lock.Close()
	r.do(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	r.do(r.open("map.yaml", live.Options{State: r.path("state")}))
	closed := make(chan error, 1)
	go func() { closed <- r.Store.Close() }()
	select {
	case err := <-closed:
		r.do(err)
	case <-time.After(time.Minute):
		t.Error("the end waits for the lock")
		r.do(syscall.Flock(int(lock.Fd()), syscall.LOCK_UN)) // So that the test ends.
	}
}
