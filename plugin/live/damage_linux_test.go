package live_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
)

// Each file of a state is damaged in turn. With a good map the server starts and
// protections and serials hold; without, only the document of a lost text is lost.
func TestState_EachFileDamaged(t *testing.T) {
	t.Parallel()
	a := strings.Replace(protectedTenant("a", "192.0.2.1"), "proxied: [www]", "zone_file: db.a", 1)
	fresh := func(t *testing.T) *rig {
		r := &rig{t: t, dir: t.TempDir()}
		r.write("maps/a.yaml", a)
		r.write("maps/b.yaml", tenant("b", "192.0.2.2"))
		r.write("maps/db.a", zoneText("www"))
		opt := live.Options{State: r.path("state"), Path: r.path("maps"), Log: r}
		s, err := live.Open(opt)
		r.do(err)
		for _, address := range []string{"192.0.2.3", "192.0.2.4"} { // so that there are serials
			before := s.Snapshot()
			r.rename("maps/b.yaml", tenant("b", address))
			r.until("that is in force", func() bool { return s.Snapshot() != before })
		}
		r.do(s.Close())
		return r
	}
	var names []string
	pristine := fresh(t)
	contents := make(map[string]string) // :: file → what is in it
	r := filepath.Join(pristine.own("state"))
	_ = filepath.WalkDir(r, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(r, path)
			data, _ := os.ReadFile(path)
			names, contents[name] = append(names, name), string(data)
		}
		return nil
	})
	names = append(names, "../lock")
	if len(names) != 6 {
		t.Fatalf("want a lock, two copies and three texts, got %q", names)
	}
	damages := map[string]func(path string) error{
		"flipped": func(path string) error {
			data, err := os.ReadFile(path)
			if err == nil && len(data) > 0 {
				data[len(data)/2] ^= 1
			}
			return errors.Join(err, os.WriteFile(path, data, 0o600))
		},
		"cut":       func(path string) error { return os.Truncate(path, 3) },
		"empty":     func(path string) error { return os.Truncate(path, 0) },
		"removed":   os.Remove,
		"directory": func(path string) error { return errors.Join(os.Remove(path), os.MkdirAll(path+"/x", 0o700)) },
	}
	for kind, damage := range damages {
		for _, name := range names {
			t.Run(kind+" "+filepath.Base(name), func(t *testing.T) {
				r := fresh(t)
				r.do(damage(filepath.Join(r.own("state"), name)))
				good := &rig{t: t, dir: r.dir}
				r.do(os.CopyFS(r.path("kept"), os.DirFS(r.path("state"))))
				good.do(good.open("maps", live.Options{State: r.path("state")}))
				good.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.4")
				good.checkDegraded(live.OK, false)
				if got := good.serial("b.example."); got != 2 {
					t.Errorf("serial %d, want 2", got)
				}
				if said := good.errors(); (len(said) == 0) != (name == "../lock") {
					t.Errorf("log %q, want the damage said, but of the lock, which holds nothing", said)
				}
				good.rename("maps/a.yaml", strings.Replace(a, "192.0.2.1", "192.0.2.9", 2))
				good.until("P2 holds", func() bool {
					return slices.ContainsFunc(good.logged("error"), func(l string) bool { return strings.Contains(l, "P2") })
				})

				// The same without the map that the texts could be taken from, and without
				// the other store, through which this one would hear of what comes next.
				good.do(good.Store.Close())
				bad := &rig{t: t, dir: r.dir}
				bad.write("maps/a.yaml", broken)
				bad.write("maps/b.yaml", broken)
				bad.write("maps/db.a", zoneText("www", "api"))
				bad.do(bad.open("maps", live.Options{State: r.path("kept")}))
				wantA, wantB := "192.0.2.1", "192.0.2.4"
				switch text := contents[name]; {
				case name == "../lock" || strings.HasPrefix(name, "manifest"):
				case strings.Contains(text, "id: b"):
					wantB = ""
				default: // the document or its zone file
					wantA = ""
				}
				bad.check("www.a.example.", wantA, "www.b.example.", wantB)
				bad.checkDegraded(live.Refused, true)
				if got := bad.serial("b.example."); got != 2 {
					t.Errorf("serial %d without a good map, want 2", got)
				}
			})
		}
	}
}

// The text of the document with the anycast is lost: that of another document is in
// force again beside the one on disk.
func TestState_OthersAnycastLost(t *testing.T) {
	t.Parallel()
	const anycast = "anycast: [192.0.2.1]\n"
	b := "accounts: [{id: b, zones: [{name: b.example, proxied: [www]}]}]\n"
	r := &rig{t: t, dir: t.TempDir()}
	r.write("maps/a.yaml", anycast)
	r.write("maps/b.yaml", b)
	r.ran("maps", live.Options{State: r.path("state")})
	texts, err := filepath.Glob(r.own("state") + "/blobs/*/*")
	r.do(err)
	for _, path := range texts {
		data, err := os.ReadFile(path)
		r.do(err)
		if string(data) == anycast {
			r.do(os.Truncate(path, 2))
		}
	}
	r.write("maps/a.yaml", anycast+"# another version\n")
	r.write("maps/b.yaml", broken)
	r.do(r.open("maps", live.Options{State: r.path("state")}))
	r.check("www.b.example.", "192.0.2.1")
	r.checkDegraded(live.OK, true)
}

// No text can be read: serials go on from where they were all the same.
func TestState_SerialsWithoutTexts(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", tenant("a", "192.0.2.1"))
	r.ran("map.yaml", live.Options{State: r.path("state")}, tenant("a", "192.0.2.2"), tenant("a", "192.0.2.3"), tenant("a", "192.0.2.4"))
	r.do(os.RemoveAll(filepath.Join(r.own("state"), "blobs")))
	r.do(os.Truncate(filepath.Join(r.own("state"), "manifest"), 9))
	r.write("map.yaml", tenant("a", "192.0.2.5"))
	r.do(r.open("map.yaml", live.Options{State: r.path("state")}))
	if got := r.serial("a.example."); got != 4 {
		t.Errorf("serial %d, want 4: one more than it was", got)
	}
	wantRestored(t, r, "map.yaml", "192.0.2.5", 4)
}
