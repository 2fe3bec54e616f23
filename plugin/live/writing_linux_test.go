package live_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/live"
)

// begin opens a file for writing and writes the text; whoever has it closes it.
func (r *rig) begin(name, text string) *os.File {
	r.t.Helper()
	f, err := os.OpenFile(r.path(name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666)
	r.do(err)
	r.t.Cleanup(func() { f.Close() })
	_, err = f.WriteString(text)
	r.do(err)
	return f
}

// end writes the rest of a file.
func (r *rig) end(f *os.File, text string) {
	r.t.Helper()
	_, err := f.WriteString(text)
	r.do(err)
	r.do(f.Close())
}

// has reports whether a line of that level contains the text.
func (r *rig) has(level, text string) bool {
	return slices.ContainsFunc(r.logged(level), func(l string) bool { return strings.Contains(l, text) })
}

// A document that is being written at the start is waited for.
func TestLifeCycle_StartAwaitsADocument(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	text := version("192.0.2.1")
	f := r.begin("map.yaml", text[:20]) // It is valid so far.
	go func() {
		f.WriteString(text[20:])
		f.Close()
	}()
	r.do(r.open("map.yaml", live.Options{}))
	r.check("www.example.org.", "192.0.2.1")
	r.checkDegraded(live.OK, false)
}

// A document that is still being written after five seconds, or whose zone file is,
// counts as refused: it is logged and shown. It comes into force when it is closed.
func TestLifeCycle_StartRefusesWhatIsBeingWritten(t *testing.T) {
	t.Parallel()
	const (
		other    = "accounts: [{id: other, zones: [{name: example.net, proxied: [www]}]}]\n"
		withZone = "accounts: [{id: more, zones: [{name: example.com, zone_file: db}]}]\n"
	)
	r := &rig{t: t, dir: t.TempDir()}
	r.write("maps/a.yaml", version("192.0.2.1"))
	r.write("maps/c.yaml", withZone)
	doc, zone := r.begin("maps/b.yaml", other), r.begin("maps/db", zoneText("www"))
	keepsWriting(t, doc, zone)
	r.do(r.open("maps", live.Options{}))
	r.check("www.example.org.", "192.0.2.1", "www.example.net.", "", "www.example.com.", "")
	if l := r.last(); !l.Degraded || !l.Refused {
		t.Errorf("load %+v, want it degraded and refused", l)
	}
	for _, want := range []string{
		`maps/b.yaml is refused, and nothing of it is in force: cannot read the map: "maps/b.yaml" is being written: close it`,
		`maps/c.yaml is refused, and nothing of it is in force: maps/c.yaml:1:`,
		`"maps/db" is being written`,
	} {
		if !r.has("error", want) {
			t.Errorf("no %q in %q", want, r.logged("error"))
		}
	}
	r.do(doc.Close()) // Nothing is written to it any more: only the close tells.
	r.untilTold("www.example.net.", "192.0.2.1")
	r.do(zone.Close())
	r.untilTold("www.example.com.", "192.0.2.1")
	r.until("that is reported", func() bool { return !r.last().Degraded })
}

// keepsWriting makes files look as if they had just been written, however slow the
// machine is, until the start is done.
func keepsWriting(t *testing.T, files ...*os.File) {
	future := time.Now().Add(time.Hour)
	for _, f := range files {
		if err := os.Chtimes(f.Name(), future, future); err != nil {
			t.Fatal(err)
		}
	}
}

// A single document that is being written fails the start, with the reason.
func TestLifeCycle_StartFailsForWhatIsBeingWritten(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	keepsWriting(t, r.begin("map.yaml", version("192.0.2.1")))
	if err := r.open("map.yaml", live.Options{}); err == nil || !strings.Contains(err.Error(), "is being written: close it") {
		t.Errorf("error %v", err)
	}
}

// Check says that a file is being written, and does not call it good.
func TestLifeCycle_CheckOfWhatIsBeingWritten(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"map.yaml", "zones/db.example.org"} {
		r := &rig{t: t, dir: t.TempDir()}
		r.write("map.yaml", withZoneFile)
		r.write("zones/db.example.org", zoneText("www"))
		text, err := os.ReadFile(r.path(name))
		r.do(err)
		keepsWriting(t, r.begin(name, string(text)))
		checked, err := live.Check(live.Options{Path: r.path("map.yaml")})
		r.do(err)
		if len(checked.Problems) != 1 || checked.Snapshot != nil || !strings.Contains(checked.Problems[0].Err.Error(), "is being written") {
			t.Errorf("%s: %+v", name, checked)
		}
	}
}

// Case 4 of issue 17: a document stays open, half of it is written, and that half is
// valid. It is not in force before the other half is there.
func TestLifeCycle_HalfWrittenDocument(t *testing.T) {
	t.Parallel()
	const head, tail = "anycast: [192.0.2.2]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www]}]}]\n", "# the end\n"
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1"), "mark/a.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	f := r.begin("map.yaml", head)
	// Another map that is changed afterwards is in force before: the pause was long.
	m := &rig{t: t, dir: r.dir}
	r.do(m.open("mark", live.Options{}))
	m.write("mark/a.yaml", version("192.0.2.3"))
	m.untilTold("www.example.org.", "192.0.2.3")
	m.write("mark/a.yaml", version("192.0.2.4"))
	m.untilTold("www.example.org.", "192.0.2.4")
	if age := time.Since(modified(t, f)); age < 8*time.Second { // else it is read as it is
		r.check("www.example.org.", "192.0.2.1")
	}
	r.end(f, tail)
	r.untilTold("www.example.org.", "192.0.2.2")
}

func modified(t *testing.T, f *os.File) time.Time {
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return fi.ModTime()
}

// Case 6 of issue 17: a map is renamed in while there are no descriptors. That is an
// error that shows, and it is in force when there are some, with no poll.
func TestLifeCycle_NoDescriptors(t *testing.T) { // Not beside others, which need some.
	for _, name := range []string{"map.yaml", "zones/db.example.org", "maps/a.yaml"} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"map.yaml": withZoneFile, "zones/db.example.org": zoneText("www"), "maps/a.yaml": version("192.0.2.1")}
			path, new := "map.yaml", map[string]string{
				"map.yaml":             strings.Replace(withZoneFile, "192.0.2.1", "192.0.2.2", 1),
				"zones/db.example.org": zoneText("api"),
				"maps/a.yaml":          strings.Replace(version("192.0.2.2"), "www", "www, api", 1),
			}[name]
			if strings.HasPrefix(name, "maps/") {
				path = "maps"
			}
			r := newRig(t, files, path, live.Options{})
			r.write("next", new)
			free := exhaust(t)
			r.do(os.Rename(r.path("next"), r.path(name)))
			r.until("the error shows", func() bool { l := r.last(); return l.Result == live.Failed && l.Degraded })
			r.check("www.example.org.", "192.0.2.1")
			if !r.has("error", "too many open files") {
				t.Errorf("log %q", r.logged("error"))
			}
			free()
			r.until("it is in force", func() bool { return !r.last().Degraded })
			if name == "zones/db.example.org" {
				r.check("www.example.org.", "", "api.example.org.", "192.0.2.1")
			} else {
				r.check("www.example.org.", "192.0.2.2")
			}
			if errs := r.logged("error"); len(errs) != 1 {
				t.Errorf("logged %q, want it once", errs)
			}
		})
	}
}

// exhaust takes all descriptors that this process may have, until free is called.
func exhaust(t *testing.T) (free func()) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	lower := limit
	lower.Cur = 64
	var taken []*os.File
	free = func() {
		for _, f := range taken {
			f.Close()
		}
		taken = nil
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(free)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lower); err != nil {
		t.Fatal(err)
	}
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return free
		}
		taken = append(taken, f)
	}
}
