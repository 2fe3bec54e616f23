package live_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/test/privilege"
)

// Without a right to the state, or to a part of it, the server starts with a good map
// all the same; what can be read is read; and when the right is given it is written.
func TestState_NoRight(t *testing.T) {
	switch ran, all := privilege.GiveUp(t); {
	case ran:
		return
	case all:
		t.Skip("SKIPPED: another user cannot get to the directory of temporary files, so that nothing can be refused to it")
	}
	for name, c := range map[string]struct {
		take     []string // of these files
		restored bool     // whether the state can be read
	}{
		"the directory":             {[]string{".."}, false},
		"the map's directory":       {[]string{"."}, false},
		"the lock":                  {[]string{"../lock"}, true},
		"the texts":                 {[]string{"blobs"}, false},
		"a text":                    {[]string{"blobs/*/*"}, false},
		"both copies":               {[]string{"manifest", "manifest.copy"}, false},
		"one copy":                  {[]string{"manifest"}, true},
		"the lock and a text of it": {[]string{"../lock", "blobs/*/*"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &rig{t: t, dir: t.TempDir()}
			r.write("map.yaml", protectedTenant("a", "192.0.2.1"))
			r.ran("map.yaml", live.Options{State: r.path("state")})
			own := r.own("state")
			var paths []string
			for _, pattern := range c.take {
				found, err := filepath.Glob(filepath.Join(own, pattern))
				r.do(err)
				if len(found) == 0 {
					t.Fatalf("no %s", pattern)
				}
				paths = append(paths, found...)
			}
			modes := make(map[string]os.FileMode)
			for _, p := range paths {
				fi, err := os.Stat(p)
				r.do(err)
				modes[p] = fi.Mode().Perm()
				r.do(os.Chmod(p, 0))
			}
			give := func() {
				for _, p := range paths {
					_ = os.Chmod(p, modes[p]) // A text may have been written anew.
				}
			}
			t.Cleanup(give)
			r.write("map.yaml", tenant("a", "192.0.2.2"))
			r.do(r.open("map.yaml", live.Options{State: r.path("state")}))
			address := "192.0.2.2"
			if c.restored {
				address = "192.0.2.1" // P2 holds.
			}
			r.check("www.a.example.", address)
			if len(r.errors()) == 0 {
				t.Error("want it said")
			}
			if writable := name == "one copy" || name == "a text"; r.last().Degraded == writable && !c.restored {
				t.Errorf("degraded %t; log %q", r.last().Degraded, r.logged("error"))
			}
			give()
			if c.restored {
				r.rename("map.yaml", protectedTenant("a", "192.0.2.1"))
			}
			r.until("all is well", func() bool { return !r.last().Degraded })
			r.do(r.Store.Close())
			r.write("map.yaml", broken)
			after := &rig{t: t, dir: r.dir}
			r.do(after.open("map.yaml", live.Options{State: r.path("state")}))
			after.check("www.a.example.", address)
		})
	}
}
