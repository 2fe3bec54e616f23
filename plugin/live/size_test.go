package live_test

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/live"
)

// limitMemory sets a memory limit that the tests are far below, and a large document is
// far above.
func limitMemory(t *testing.T) {
	t.Helper()
	debug.SetMemoryLimit(40 << 20)
	t.Cleanup(liftLimit)
}

func liftLimit() { debug.SetMemoryLimit(math.MaxInt64) }

// large makes a document large, which counts, and cheap to load, which does not.
func large(text string) string {
	return text + strings.Repeat("#"+strings.Repeat(" ", 1023)+"\n", 5<<10)
}

const tooLarge = "its load is estimated to take 42.0 MB (for 5.2 MB of changed files) beside "

// checkTooLarge compares the errors in the log with those of documents that are too
// large, one line each.
func (r *rig) checkTooLarge(docs ...string) {
	r.t.Helper()
	got := r.logged("error")
	if len(got) != len(docs) {
		r.t.Fatalf("log %q, want that %q are too large", got, docs)
	}
	for i, doc := range docs {
		want := fmt.Sprintf("error: %s is refused, its last good version stays in force: its load is estimated to take ", doc)
		if !strings.HasPrefix(got[i], want) || !strings.Contains(got[i], " MB in use, more than 90 % of the memory limit of 41.9 MB: ") {
			r.t.Errorf("log %q, want %q and the figures", got[i], want)
		}
	}
}

// A version that would need more memory than there may be is refused before it is read.
// The last good one stays in force, and later ones come into force.
func TestLifeCycle_TooLarge(t *testing.T) {
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	limitMemory(t)
	r.rename("map.yaml", large(version("192.0.2.2")))
	r.until("that is refused", func() bool { return len(r.logged("error")) > 0 })
	r.checkTooLarge("map.yaml")
	r.untilLoads(2)
	r.checkDegraded(live.Refused, true)
	r.check("www.example.org.", "192.0.2.1")
	r.rename("map.yaml", version("192.0.2.3"))
	r.untilTold("www.example.org.", "192.0.2.3")
	r.untilLoads(3)
	r.checkDegraded(live.OK, false)
	liftLimit()
	r.rename("map.yaml", large(version("192.0.2.2")))
	r.untilTold("www.example.org.", "192.0.2.2")
}

// A document of a directory that is too large keeps no other back. It is said once, and
// comes into force once there is memory for it.
func TestLifeCycle_TooLargeBesideOthers(t *testing.T) {
	r := newRig(t, map[string]string{"maps/a.yaml": tenant("a", "192.0.2.1"), "maps/b.yaml": tenant("b", "192.0.2.2")}, "maps", live.Options{})
	limitMemory(t)
	r.rename("maps/a.yaml", large(tenant("a", "192.0.2.11")))
	r.until("that is refused", func() bool { return len(r.logged("error")) > 0 })
	for i := range 3 {
		address := fmt.Sprintf("192.0.2.2%d", i)
		r.rename("maps/b.yaml", tenant("b", address))
		r.untilTold("www.b.example.", address)
		r.until("that is reported", func() bool { return r.last().InForce == r.Snapshot() })
		r.checkDegraded(live.OK, true)
	}
	r.checkTooLarge("maps/a.yaml")
	r.check("www.a.example.", "192.0.2.1")
	liftLimit()
	r.rename("maps/b.yaml", tenant("b", "192.0.2.29"))
	r.untilTold("www.a.example.", "192.0.2.11")
	r.until("all is well", func() bool { return !r.last().Degraded })
}

// Zone files count, also those that a document names for the first time.
func TestLifeCycle_TooLargeZoneFile(t *testing.T) {
	r := newRig(t, map[string]string{"maps/a.yaml": tenant("a", "192.0.2.1"), "maps/b.yaml": tenant("b", "192.0.2.2")}, "maps", live.Options{})
	limitMemory(t)
	big := marks("a.example", "www", "mail") + strings.Repeat(";"+strings.Repeat(" ", 1023)+"\n", 5<<10)
	r.write("maps/a.zone", big)
	r.rename("maps/a.yaml", zoned("a", "192.0.2.11", "a.zone"))
	r.until("that is refused", func() bool { return len(r.logged("error")) > 0 })
	r.checkTooLarge("maps/a.yaml")
	r.rename("maps/a.zone", marks("a.example", "www", "mail"))
	r.untilTold("www.a.example.", "192.0.2.11")
	r.rename("maps/a.zone", big)
	r.until("that is refused", func() bool { return len(r.logged("error")) > 1 })
	r.checkTooLarge("maps/a.yaml", "maps/a.yaml")
	r.check("www.a.example.", "192.0.2.11")
}

// At a start the estimate decides only where there is another version to start with.
func TestLifeCycle_TooLargeAtTheStart(t *testing.T) {
	limitMemory(t)
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", large(version("192.0.2.1")))
	start := func(opt live.Options) {
		t.Helper()
		r.lines, r.loads = nil, nil
		s, err := live.Open(live.Options{Path: r.path("map.yaml"), State: opt.State, Log: r, Loaded: r.loaded})
		r.do(err)
		r.Store = s
		r.do(s.Close())
	}
	start(live.Options{})
	if got := r.logged("warning"); len(got) != 1 || !strings.HasPrefix(got[0], "warning: map.yaml: "+tooLarge) {
		t.Errorf("log %q, want one warning", got)
	}
	r.check("www.example.org.", "192.0.2.1")

	state := live.Options{State: r.path("state")}
	start(state)
	for range 2 { // It is in force: nothing of it is new, and nothing is refused.
		start(state)
		r.checkDegraded(live.OK, false)
		if got := append(r.logged("warning"), r.logged("error")...); len(got) > 0 {
			t.Errorf("log %q", got)
		}
		r.do(os.Chtimes(r.path("map.yaml"), time.Now(), time.Now().Add(-time.Hour)))
	}
	r.write("map.yaml", large(version("192.0.2.2")))
	start(state)
	r.checkTooLarge("map.yaml")
	r.checkDegraded(live.Refused, true)
	r.check("www.example.org.", "192.0.2.1")
}
