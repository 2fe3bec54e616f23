package live_test

import (
	"os"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
)

// A document that is gone answers until it has been away for a while, which shows, and
// then is removed; one that comes back in time was never away.
func TestDirectory_RemovalTakesAWhile(t *testing.T) {
	r := threeTenants(t)
	r.remove("maps/c.json")
	r.untilLoads(2)
	if l := r.last(); !l.Degraded || l.Result != live.Unchanged || r.told("www.c.example.") != "192.0.2.3" {
		t.Errorf("%+v; told %q", l, r.told("www.c.example."))
	}
	if got := r.logged("info"); !strings.Contains(got[len(got)-1], "c.json is gone: ") {
		t.Errorf("log %q", got)
	}
	r.untilTold("www.c.example.", "")
	r.until("all is well", func() bool { return !r.last().Degraded })

	text, err := os.ReadFile(r.path("maps/b.yaml"))
	r.do(err)
	changes := len(r.logged("info"))
	r.remove("maps/b.yaml")
	r.until("it is missed", func() bool { return r.last().Degraded })
	r.rename("maps/b.yaml", string(text))
	r.until("all is well again", func() bool { return !r.last().Degraded })
	r.check("www.b.example.", "192.0.2.2")
	for _, line := range r.logged("info")[changes:] {
		if strings.Contains(line, "removed") {
			t.Errorf("it was away: %s", line)
		}
	}
}

// A document whose account now stands in another one has moved, which is no removal: both
// come into force at once, whichever is seen first.
func TestDirectory_Moved(t *testing.T) {
	live.Hasten(time1h, time1h)
	defer live.Hasten(shortAbsence, shortCalm)
	r := threeTenants(t)
	r.rename("maps/z.yaml", tenant("c", "192.0.2.33"))
	r.until("the second one is refused", func() bool { return len(r.logged("error")) == 1 })
	r.check("www.c.example.", "192.0.2.3")
	r.remove("maps/c.json")
	r.untilTold("www.c.example.", "192.0.2.33")
	r.until("all is well", func() bool { return !r.last().Degraded })

	r.remove("maps/b.yaml")
	r.until("it is missed", func() bool { return r.last().Degraded })
	r.rename("maps/y.yaml", tenant("b", "192.0.2.22"))
	r.untilTold("www.b.example.", "192.0.2.22")
	r.until("all is well", func() bool { return !r.last().Degraded })
}

// Documents that go together, or all of them, are judged as one.
func TestDirectory_AllGone(t *testing.T) {
	r := threeTenants(t)
	for _, name := range []string{"maps/a.yaml", "maps/b.yaml", "maps/c.json"} {
		r.remove(name)
	}
	r.until("that is said", func() bool { return len(r.logged("error")) > 0 })
	r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2", "www.c.example.", "192.0.2.3")
	r.rename("maps/a.yaml", tenant("a", "192.0.2.1"))
	r.untilTold("www.b.example.", "")
	r.check("www.a.example.", "192.0.2.1", "www.c.example.", "")
}

// When what is in force is again what is on disk, one line says so.
func TestLifeCycle_Recovery(t *testing.T) {
	r := threeTenants(t)
	for n := 1; n <= 2; n++ {
		r.rename("maps/b.yaml", broken)
		r.until("it is refused", func() bool { return r.last().Degraded })
		r.rename("maps/b.yaml", tenant("b", "192.0.2.2"))
		r.until("all is well", func() bool { return !r.last().Degraded })
		got := 0
		for _, line := range r.logged("info") {
			if strings.Contains(line, "is in force as it is on disk again, after ") {
				got++
			}
		}
		if got != n {
			t.Errorf("said %d times, want %d: %q", got, n, r.logged("info"))
		}
	}
}
