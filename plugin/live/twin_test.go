package live_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
)

// twin opens a twin of the server of r, on the same files.
func (r *rig) twin(path string, opt live.Options) *rig {
	r.t.Helper()
	out := &rig{t: r.t, dir: r.dir}
	opt.ReadState = true
	r.do(out.open(path, opt))
	return out
}

// overtaken reports what each of two looks says.
func (r *rig) overtaken() (looks [2]bool) {
	for i := range looks {
		looks[i] = r.Overtaken()
	}
	return looks
}

// tree returns the files below a directory with all that a write would change.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A twin begins with what its server has in force, protections and claims of conflicts
// included, and judges by that. It leaves nothing behind, and is in nobody's way.
func TestTwin_BeginsAsTheServer(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	r := newRig(t, map[string]string{
		"maps/b.yaml": protectedTenant("b", "192.0.2.2"),
		"maps/z.yaml": tenant("z", "192.0.2.9"),
	}, "maps", live.Options{State: state})
	r.write("maps/a.yaml", tenant("z", "192.0.2.1")) // another one's account: at a cold start, a.yaml would have it
	r.write("maps/b.yaml", tenant("b", "192.0.2.3")) // P2
	r.write("maps/c.yaml", "anycats: []\n")
	r.until("all three are refused", func() bool { return len(r.logged("error")) == 3 })
	r.Snapshot()
	before := tree(t, state)

	w := r.twin("maps", live.Options{State: state})
	w.check("www.b.example.", "192.0.2.2", "www.z.example.", "192.0.2.9")
	if v := w.Version(); len(v.Refused) != 3 || len(v.Snapshot.Documents()) != 2 {
		t.Errorf("want two documents in force and three refused, got %+v", v)
	}
	if after := tree(t, state); after != before {
		t.Errorf("the twin has changed the state:\n%s\nwas\n%s", after, before)
	}

	cold := r.twin("maps", live.Options{})
	cold.check("www.z.example.", "192.0.2.1")
}

// A state that is not there is not made.
func TestTwin_MakesNoState(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": tenant("a", "192.0.2.1")}, "map.yaml", live.Options{})
	w := r.twin("map.yaml", live.Options{State: r.path("state")})
	w.check("www.a.example.", "192.0.2.1")
	if got := w.overtaken(); got != [2]bool{} {
		t.Error("want nothing to be overtaken by")
	}
	if names, _ := filepath.Glob(r.path("state*")); len(names) > 0 {
		t.Errorf("want no state, got %q", names)
	}
	if got := w.logged("warning"); len(got) != 1 || !strings.Contains(got[0], "holds no state of") {
		t.Errorf("log %q", got)
	}
}

// What the server has accepted and its twin refuses comes into force with the next twin.
// What both accept, whoever is first, does not call for one.
func TestTwin_Overtaken(t *testing.T) {
	t.Parallel()
	opt := live.Options{State: filepath.Join(t.TempDir(), "state")}
	r := newRig(t, map[string]string{"map.yaml": protectedTenant("a", "192.0.2.1")}, "map.yaml", opt)
	w := r.twin("map.yaml", live.Options{State: opt.State, Guard: 1})

	r.rename("map.yaml", strings.ReplaceAll(protectedTenant("a", "192.0.2.1"), "[www]", "[www, api]"))
	for _, each := range []*rig{r, w} {
		each.untilTold("api.a.example.", "192.0.2.1")
	}
	if got := w.overtaken(); got != [2]bool{} {
		t.Error("want the same version in force")
	}

	r.rename("map.yaml", protectedTenant("a", "192.0.2.1")) // half of the names
	r.untilTold("api.a.example.", "")
	w.until("the twin has refused it", func() bool { return len(w.logged("error")) == 1 })
	if got := w.overtaken(); got != [2]bool{false, true} {
		t.Errorf("want the twin overtaken at the second look, got %v", got)
	}
	next := r.twin("map.yaml", live.Options{State: opt.State, Guard: 1})
	next.check("www.a.example.", "192.0.2.1", "api.a.example.", "")
	if got := next.overtaken(); got != [2]bool{} {
		t.Error("want the next twin not to be overtaken")
	}
}

// The zone files of a version are those that are in force, not those on disk.
func TestTwin_ZoneFiles(t *testing.T) {
	t.Parallel()
	const zone = "@ 300 IN SOA ns1 h 1 2 3 4 5\nwww 300 IN A 198.51.100.1 ; cf_tags=cf-proxied:true\n"
	r := newRig(t, map[string]string{
		"map.yaml": "anycast: [192.0.2.1]\naccounts: [{id: a, zones: [{name: a.example, zone_file: db}]}]\n",
		"db":       zone,
	}, "map.yaml", live.Options{State: filepath.Join(t.TempDir(), "state")})
	text := func(w *rig) string {
		files := w.Version().ZoneFiles
		if len(files) != 1 || files[0].Apex != "a.example." || files[0].Path != r.path("db") {
			t.Fatalf("want the zone file of a.example, got %+v", files)
		}
		out, err := files[0].Text()
		r.do(err)
		return string(out)
	}
	r.write("db", "no zone file")
	r.until("it is refused", func() bool { return len(r.logged("error")) == 1 })
	if got := text(r); got != zone {
		t.Errorf("want the text in force, got %q", got)
	}
}
