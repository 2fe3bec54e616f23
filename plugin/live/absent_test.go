package live_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
)

// A document that is gone answers until it has been away for a while, which shows, and
// then is removed; one that comes back in time was never away.
func TestDirectory_RemovalTakesAWhile(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	live.Await(r.Store, time1h, time1h)
	r.remove("maps/c.json")
	r.untilLoads(2)
	if l := r.last(); !l.Degraded || l.Result != live.Unchanged || r.told("www.c.example.") != "192.0.2.3" {
		t.Errorf("%+v; told %q", l, r.told("www.c.example."))
	}
	if got := r.logged("info"); !strings.Contains(got[len(got)-1], "c.json is gone: ") {
		t.Errorf("log %q", got)
	}
	live.Await(r.Store, shortAbsence, shortCalm)
	r.rename("maps/a.yaml", tenant("a", "192.0.2.11")) // so that it is looked at
	r.untilTold("www.c.example.", "")
	r.until("all is well", func() bool { return !r.last().Degraded })

	live.Await(r.Store, time1h, time1h)
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
	t.Parallel()
	r := threeTenants(t)
	live.Await(r.Store, time1h, time1h)
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
	t.Parallel()
	r := threeTenants(t)
	live.Await(r.Store, time1h, time1h)
	for _, name := range []string{"maps/a.yaml", "maps/b.yaml", "maps/c.json"} {
		r.remove(name)
	}
	r.until("that is said", func() bool { return len(r.logged("error")) > 0 })
	r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2", "www.c.example.", "192.0.2.3")
	live.Await(r.Store, shortAbsence, time.Second) // longer than from one to the next
	r.rename("maps/a.yaml", tenant("a", "192.0.2.1"))
	r.untilTold("www.b.example.", "")
	r.check("www.a.example.", "192.0.2.1", "www.c.example.", "")
}

// Documents that go one after the other are judged as one reload, however long that takes.
func TestP4_GoneOneByOne(t *testing.T) {
	t.Parallel()
	const tenants = 10
	files := make(map[string]string)
	for i := range tenants {
		files[fmt.Sprintf("maps/%d.yaml", i)] = tenant(fmt.Sprint("t", i), fmt.Sprintf("192.0.2.%d", i+1))
	}
	r := newRig(t, files, "maps", live.Options{Guard: 20})
	live.Await(r.Store, 7*time.Second, 4*time.Second) // longer than from one to the next
	for i := range 5 {
		r.remove(fmt.Sprintf("maps/%d.yaml", i))
		r.until("it is missed", func() bool { return strings.Contains(live.Waits(r.Store), fmt.Sprintf("%d.yaml", i)) })
	}
	r.until("a removal is refused", func() bool { return strings.Contains(strings.Join(r.logged("error"), ""), "P4") })
	gone := 0
	for i := range tenants {
		if r.told(fqdn.Name(fmt.Sprintf("www.t%d.example.", i))) == "" {
			gone++
		}
	}
	if gone > 2 {
		t.Errorf("%d of %d are gone: %q", gone, tenants, r.logged("info"))
	}
}

// When what is in force is again what is on disk, one line says so.
func TestLifeCycle_Recovery(t *testing.T) {
	t.Parallel()
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

// A document may have moved into one that nobody can read: while there is such a one, no
// removal is believed.
func TestDirectory_MovedToWhatNobodyReads(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no YAML":        "accounts: [",
		"an unknown key": "accounts: [{zonse: [{name: b.example, proxied: [www]}]}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := threeTenants(t)
			r.write("maps/z.yaml", text)
			r.until("it is refused", func() bool { return len(r.logged("error")) == 1 })
			r.remove("maps/b.yaml")
			r.until("the other one is missed", func() bool { return strings.Contains(live.Waits(r.Store), "b.yaml") })
			live.Await(r.Store, 0, 0)
			for i := range 3 { // Each is a load in which it would be removed.
				address := fmt.Sprintf("192.0.2.%d", 40+i)
				r.rename("maps/a.yaml", tenant("a", address))
				r.untilTold("www.a.example.", address)
			}
			r.check("www.b.example.", "192.0.2.2")
			r.remove("maps/z.yaml")
			r.untilTold("www.b.example.", "")
		})
	}
}

// A document that was renamed with a mistake stays in force. When the new one goes too, the
// old one is removed in its time, although that was refused before.
func TestDirectory_RemovedAfterARefusedMove(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	live.Await(r.Store, time1h, time1h)
	r.remove("maps/b.yaml")
	r.write("maps/z.yaml", strings.Replace(tenant("b", "192.0.2.2"), "ips: [192.0.2.2], m", "ips: [198.51.100.2], m", 1))
	r.until("the move is refused", func() bool { return len(r.logged("error")) >= 2 })
	r.check("www.b.example.", "192.0.2.2")
	live.Await(r.Store, 1500*time.Millisecond, shortCalm) // longer than the next step takes
	r.remove("maps/z.yaml")
	r.untilTold("www.b.example.", "")
}

// A rename is one change, whichever name is seen first, and nothing is wrong with it.
func TestDirectory_RenamedDocument(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	for range 3 {
		r.do(os.Rename(r.path("maps/a.yaml"), r.path("maps/z.yaml")))
		r.until("it has moved", func() bool { return r.holds("maps/z.yaml") })
		r.do(os.Rename(r.path("maps/z.yaml"), r.path("maps/a.yaml")))
		r.until("it has moved back", func() bool { return r.holds("maps/a.yaml") })
	}
	if got := r.logged("error"); len(got) > 0 {
		t.Errorf("log %q", got)
	}
}

// holds reports whether what is in force is what is on disk, with this name in it.
func (r *rig) holds(name string) bool {
	_, err := os.Stat(r.path(name))
	l := r.last()
	text := live.InForce(r.Store)
	return err == nil && !l.Degraded && strings.Contains(text, name)
}

// What a refused document holds stays closed when it goes, until that is believed, and
// when it comes back under another name.
func TestR26_ClosedDocumentGoes(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"maps/a.yaml": tenant("a", "192.0.2.1"), "maps/b.yaml": strings.Replace(tenant("b", "192.0.2.2"), "enabled", "enabeld", 1)}, "maps", live.Options{})
	closed := func(name string) bool { return r.Snapshot().IsClosed(fqdn.Name(name)) }
	if !closed("www.b.example.") || closed("www.a.example.") {
		t.Error("the wrong zones are closed")
	}
	if got := r.logged("warning"); len(got) == 0 || !strings.Contains(got[len(got)-1], "closed, answered with SERVFAIL until") || !strings.Contains(got[len(got)-1], "b.example.") {
		t.Errorf("log %q", got)
	}
	r.do(os.Rename(r.path("maps/b.yaml"), r.path("maps/c.yaml")))
	r.until("the new one is refused, and the old one believed gone", func() bool {
		return len(r.logged("error")) == 2 && strings.Contains(live.Waits(r.Store), "none")
	})
	if !closed("www.b.example.") {
		t.Error("the rename has opened it")
	}
	r.remove("maps/c.yaml")
	r.until("it is missed", func() bool { return strings.Contains(live.Waits(r.Store), "c.yaml") || !closed("www.b.example.") })
	r.until("it is gone", func() bool { return !closed("www.b.example.") })
	if got := r.logged("info"); !strings.Contains(strings.Join(got, "\n"), "nothing is closed any more") {
		t.Errorf("log %q", got)
	}
}

// A document that is refused still closes what it closed, whatever its next mistake is.
func TestR26_ClosedDocumentEdited(t *testing.T) {
	t.Parallel()
	wrong := strings.Replace(tenant("b", "192.0.2.2"), "enabled: true", "enabled: maybe", 1)
	r := newRig(t, map[string]string{"maps/a.yaml": tenant("a", "192.0.2.1"), "maps/b.yaml": wrong}, "maps", live.Options{})
	closed := func(name string) bool { return r.Snapshot().IsClosed(fqdn.Name(name)) }
	r.rename("maps/b.yaml", strings.Replace(wrong, "b.example", "bb.example", 1))
	r.until("the next mistake is refused", func() bool { return len(r.logged("error")) == 2 })
	if !closed("www.b.example.") || !closed("www.bb.example.") || closed("www.c.example.") {
		t.Errorf("closed: %v, %v, %v", closed("www.b.example."), closed("www.bb.example."), closed("www.c.example."))
	}
	r.rename("maps/b.yaml", tenant("b", "192.0.2.2"))
	r.untilTold("www.b.example.", "192.0.2.2")
	if closed("www.bb.example.") {
		t.Error("it is closed after the refusal")
	}
}

// Two documents in one file are refused, and what the second one holds may be anything: the
// document that it stood in before is not removed.
func TestDirectory_MovedIntoASecondDocument(t *testing.T) {
	t.Parallel()
	r := threeTenants(t)
	r.write("maps/z.yaml", tenant("c", "192.0.2.3")+"---\n"+tenant("b", "192.0.2.2"))
	r.until("it is refused", func() bool { return len(r.logged("error")) >= 1 })
	r.remove("maps/b.yaml")
	r.until("the other one is missed", func() bool { return strings.Contains(live.Waits(r.Store), "b.yaml") })
	live.Await(r.Store, 0, 0)
	r.rename("maps/a.yaml", tenant("a", "192.0.2.41")) // a load in which it would be removed
	r.untilTold("www.a.example.", "192.0.2.41")
	r.check("www.b.example.", "192.0.2.2")
}
