//go:build unix

package live_test

import (
	"os"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
)

// A document that is a link to nothing is one that cannot be read, never one that is gone:
// what it leads to may come back, as a mount does.
func TestLifeCycle_DanglingDocument(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	r.write("elsewhere/b", tenant("b", "192.0.2.2"))
	r.do(os.Symlink("../elsewhere/b", r.path("link")))
	r.do(os.Rename(r.path("link"), r.path("maps/b.yaml")))
	r.until("it is in force", func() bool { return !r.last().Degraded && len(r.logged("error")) == 0 })

	r.do(os.Remove(r.path("elsewhere/b")))
	r.until("it is said", func() bool { return r.last().Degraded && len(r.logged("error")) == 1 })
	if got := r.logged("error")[0]; !strings.Contains(got, "b.yaml is not loaded, its last good version stays in force") || !strings.Contains(got, "leads to nothing") {
		t.Errorf("log %q", got)
	}
	r.check("www.b.example.", "192.0.2.2")
	r.rename("elsewhere/b", tenant("b", "192.0.2.22"))
	r.untilTold("www.b.example.", "192.0.2.22")

	r.do(os.Remove(r.path("elsewhere/b")))
	r.until("it is said again", func() bool { return r.last().Degraded })
	r.remove("maps/b.yaml")
	r.untilTold("www.b.example.", "") // the link itself is gone
}

// At a start what it may hold is closed.
func TestR26_DanglingDocument(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("maps/a.yaml", tenant("a", "192.0.2.1"))
	r.do(os.Symlink("nowhere", r.path("maps/b.yaml")))
	r.do(r.open("maps", live.Options{}))
	if !r.Snapshot().IsUnknown("www.b.example.") || !r.last().Degraded || len(r.logged("error")) != 1 {
		t.Errorf("closed %v, log %q", r.Snapshot().Closed(), r.lines)
	}
	checked, err := live.Check(live.Options{Path: r.path("maps")})
	r.do(err)
	if len(checked.Problems) != 1 {
		t.Errorf("check finds %v", checked.Problems)
	}
}
