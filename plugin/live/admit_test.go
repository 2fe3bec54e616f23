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

// linkedRig is a directory of documents, behind a link, so that many of them can
// change at one stroke.
func linkedRig(t *testing.T, files map[string]string, opt live.Options) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	r.swap("1", files)
	if err := r.open("maps", opt); err != nil {
		t.Fatal(err)
	}
	return r
}

// swap makes these files all that is in the directory.
func (r *rig) swap(version string, files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		r.write("v"+version+"/"+name, text)
	}
	r.do(os.Symlink("v"+version, r.path("link")))
	r.do(os.Rename(r.path("link"), r.path("maps")))
}

// always checks that a name had an address after every load.
func (r *rig) always(check string, accounts int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, l := range r.loads {
		if got := l.InForce.Stats().Accounts; got != accounts {
			r.t.Errorf("%s: after load %d %d accounts are in force, want %d", check, i+1, got, accounts)
		}
	}
}

// with is a document with another zone too.
func with(zone, text string) string {
	return strings.Replace(text, "zones: [", "zones: [{name: "+zone+", proxied: [www]}, ", 1)
}

// The document in force keeps its claim, also when it changes at the same time.
func TestLife_ConflictWithAChange(t *testing.T) {
	t.Parallel()
	r := linkedRig(t, map[string]string{"a.yaml": tenant("a", "192.0.2.1"), "b.yaml": tenant("b", "192.0.2.2")}, live.Options{})
	r.swap("2", map[string]string{"a.yaml": with("b.example", tenant("a", "192.0.2.1")), "b.yaml": tenant("b", "192.0.2.22")})
	r.untilTold("www.b.example.", "192.0.2.22")
	r.until("that is reported", func() bool { return len(r.results()) > 1 })
	r.checkDegraded(live.OK, true)
	if got := r.logged("error"); len(got) != 1 || !strings.HasPrefix(got[0], "error: maps/a.yaml is refused, its last good version stays in force") {
		t.Errorf("log %q", got)
	}
}

// A document that is called otherwise is never out of force, whatever is wrong
// with others.
func TestLife_DocumentRenamedBesideABreach(t *testing.T) {
	t.Parallel()
	r := linkedRig(t, map[string]string{"a.yaml": tenant("a", "192.0.2.1"), "b.yaml": protectedTenant("b", "192.0.2.2")}, live.Options{})
	r.swap("2", map[string]string{"z.yaml": tenant("a", "192.0.2.11")})
	r.untilTold("www.a.example.", "192.0.2.11")
	r.until("that is reported", func() bool { return len(r.results()) > 1 })
	r.check("www.b.example.", "192.0.2.2")
	r.always("a document was renamed beside a removal that P1 refuses", 2)
}

// An account that moves into a document with mistakes stays where it was.
func TestLife_MovedIntoABadDocument(t *testing.T) {
	t.Parallel()
	two := tenant("b", "192.0.2.2") + strings.TrimPrefix(tenant("a", "192.0.2.11"), "accounts:\n")
	r := linkedRig(t, map[string]string{"a.yaml": tenant("a", "192.0.2.1"), "b.yaml": tenant("b", "192.0.2.2"), "c.yaml": tenant("c", "192.0.2.3")}, live.Options{})
	r.swap("2", map[string]string{"b.yaml": strings.Replace(two, "enabled", "enbled", 1), "c.yaml": tenant("c", "192.0.2.33")})
	r.untilTold("www.c.example.", "192.0.2.33")
	r.until("a.yaml is missed", func() bool {
		return strings.Contains(strings.Join(r.logged("error"), ""), "maps/a.yaml is refused, its last good version stays in force: accounts or zones move between it and ")
	})
	r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2")
	r.swap("3", map[string]string{"b.yaml": two, "c.yaml": tenant("c", "192.0.2.33")})
	r.untilTold("www.a.example.", "192.0.2.11")
	r.until("all is well", func() bool { return !r.last().Degraded })
	r.always("an account moved", 3)
}

// It stays there also while that document is being corrected.
func TestLife_MovedIntoADocumentBeingWritten(t *testing.T) {
	t.Parallel()
	two := tenant("b", "192.0.2.2") + strings.TrimPrefix(tenant("a", "192.0.2.11"), "accounts:\n")
	bad := strings.Replace(two, "enabled", "enbled", 1)
	r := newRig(t, map[string]string{"maps/a.yaml": tenant("a", "192.0.2.1"), "maps/b.yaml": tenant("b", "192.0.2.2"), "maps/c.yaml": tenant("c", "192.0.2.3")}, "maps", live.Options{})
	r.rename("maps/b.yaml", bad)
	r.until("that is refused", func() bool { return len(r.logged("error")) == 1 })
	r.remove("maps/a.yaml")
	r.until("a.yaml is missed", func() bool { return strings.Contains(strings.Join(r.logged("error"), ""), "move between it and ") })
	r.rename("maps/c.yaml", tenant("c", "192.0.2.33"))
	writes := 0
	r.until("c.yaml is in force", func() bool {
		writes++
		r.write("maps/b.yaml", bad+strings.Repeat("#", writes))
		return r.told("www.c.example.") == "192.0.2.33"
	})
	r.check("www.a.example.", "192.0.2.1")
	r.rename("maps/b.yaml", two)
	r.untilTold("www.a.example.", "192.0.2.11")
	r.until("all is well", func() bool { return !r.last().Degraded })
	r.always("a document was corrected", 3)
}

// An account that moves into a new document at one stroke is in force all the time, also
// if the document that it leaves was complete long before the new one.
func TestLife_MovedIntoANewDocument(t *testing.T) {
	t.Parallel()
	both := tenant("a", "192.0.2.1") + strings.TrimPrefix(tenant("b", "192.0.2.2"), "accounts:\n")
	r := linkedRig(t, map[string]string{"a.yaml": both}, live.Options{})
	r.write("v2/a.yaml", tenant("a", "192.0.2.1"))
	before := time.Now().Add(-time.Hour)
	r.do(os.Chtimes(r.path("v2/a.yaml"), before, before))
	r.swap("2", map[string]string{"b.yaml": tenant("b", "192.0.2.22")})
	r.untilTold("www.b.example.", "192.0.2.22")
	r.always("an account moved", 2)
}

// What was refused for what it would have done with others comes into force once
// they are, in the same load.
func TestLife_LenderAfterBorrower(t *testing.T) {
	t.Parallel()
	const lender = "accounts: [{id: lender, prefixes: [203.0.113.0/24]}]\n"
	borrower := strings.Replace(tenant("a", "203.0.113.129"), "static_ips: [203.0.113.129]", "delegated_prefixes: [203.0.113.128/28]", 1)
	protected := protectedTenant("p", "192.0.2.9")
	r := linkedRig(t, map[string]string{"p.yaml": protected}, live.Options{})
	r.swap("2", map[string]string{"a.yaml": borrower, "b.yaml": lender, "p.yaml": strings.ReplaceAll(protected, "192.0.2.9", "192.0.2.99")})
	r.untilTold("www.a.example.", "203.0.113.129")
	r.until("that is reported", func() bool { return len(r.results()) > 1 })
	if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], "P2: ") {
		t.Errorf("log %q, want the breach alone", got)
	}
}

// A loss that was refused keeps no later change back, and comes into force in
// smaller steps.
func TestP4_LaterChange(t *testing.T) {
	t.Parallel()
	files := make(map[string]string)
	for i := range 8 {
		files[fmt.Sprintf("t%d.yaml", i)] = tenant(fmt.Sprintf("t%d", i), fmt.Sprintf("192.0.2.%d", i))
	}
	r := linkedRig(t, files, live.Options{Guard: 30})
	text := make(map[string]string)
	for i := range 4 {
		name := fmt.Sprintf("t%d.yaml", i)
		text[name] = files[name]
		delete(files, name)
	}
	r.swap("2", files)
	r.until("that is refused", func() bool { return len(r.logged("error")) == 4 })
	r.rename("maps/t7.yaml", tenant("t7", "192.0.2.77"))
	r.untilTold("www.t7.example.", "192.0.2.77")
	r.check("www.t0.example.", "192.0.2.0", "www.t3.example.", "192.0.2.3")
	r.rename("maps/t0.yaml", text["t0.yaml"])
	r.rename("maps/t1.yaml", text["t1.yaml"])
	r.untilTold("www.t3.example.", "")
	r.until("all is well", func() bool { return !r.last().Degraded })
	r.check("www.t1.example.", "192.0.2.1", "www.t2.example.", "")
}

// keep puts these files in force and into the state, and ends. A start then judges
// all that has changed since in one load.
func (r *rig) keep(files map[string]string) {
	r.t.Helper()
	r.swap("1", files)
	s, err := live.Open(live.Options{Path: r.path("maps"), State: r.path("state"), Log: r})
	r.do(err)
	r.do(s.Close())
}

// named is a tenant with so many proxied names.
func named(id, address string, names int) string {
	list := []string{"www"}
	for i := range names - 1 {
		list = append(list, fmt.Sprintf("n%d", i))
	}
	return strings.Replace(tenant(id, address), "[www]", "["+strings.Join(list, ", ")+"]", 1)
}

// The documents come into force in their order as far as the guard goes, and the one
// that goes beyond is refused, as are not those that lose nothing.
func TestP4_InOrderOfAdmission(t *testing.T) {
	t.Parallel()
	files := make(map[string]string)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		files[id+".yaml"] = named(id, "192.0.2."+fmt.Sprint(id[0]), 10)
	}
	r := &rig{t: t, dir: t.TempDir()}
	r.keep(files)
	for id, names := range map[string]int{"a": 5, "b": 4, "c": 6, "e": 10} { // They lose 5, 6 and 4: b goes beyond 10.
		files[id+".yaml"] = named(id, "192.0.2."+fmt.Sprint(id[0]), names)
	}
	files["e.yaml"] = strings.Replace(files["e.yaml"], "n3", "other", 1) // Another one.
	r.swap("2", files)
	r.do(r.open("maps", live.Options{State: r.path("state"), Guard: 20}))
	r.check("other.e.example.", "192.0.2."+fmt.Sprint('e'))
	r.checkDegraded(live.OK, true)
	if got := r.logged("error"); len(got) != 1 || !strings.HasPrefix(got[0], "error: maps/b.yaml is refused, its last good version stays in force: P4: 16 of 50 proxied names in force would go at once, more than 20 %") {
		t.Errorf("log %q, want b.yaml alone", got)
	}
	r.check("n5.a.example.", "", "n7.b.example.", "192.0.2."+fmt.Sprint('b'), "n7.c.example.", "", "n7.d.example.", "192.0.2."+fmt.Sprint('d'))
}

// Many documents that lose something at once are an accident: they are not judged
// each by itself, and those that lose nothing come into force all the same.
func TestP4_ManyInOrder(t *testing.T) {
	t.Parallel()
	const documents, guard = 300, 10
	files := make(map[string]string)
	write := func(names func(i int) int) {
		for i := range documents {
			files[fmt.Sprintf("t%03d.yaml", i)] = named(fmt.Sprintf("t%03d", i), fmt.Sprintf("198.18.%d.%d", i>>8, i&255), names(i))
		}
	}
	r := &rig{t: t, dir: t.TempDir()}
	write(func(int) int { return 4 })
	r.keep(files)
	write(func(i int) int {
		if i%3 == 0 {
			return 5
		}
		return 2
	})
	r.swap("2", files)
	r.do(r.open("maps", live.Options{State: r.path("state"), Guard: guard}))
	lost := 0
	for i := range documents {
		has := func(label string) bool { return r.told(fqdn.Name(fmt.Sprintf("%s.t%03d.example.", label, i))) != "" }
		switch {
		case i%3 == 0 && !has("n3"):
			t.Errorf("t%03d lost nothing and is not in force", i)
		case !has("n2"):
			lost += 2
		}
	}
	if most := documents * 4 * guard / 100; lost != most {
		t.Errorf("%d names are gone, want %d", lost, most)
	}
}

// What waits for a document that the guard refuses comes into force without it.
func TestP4_WaitedForARefusedOne(t *testing.T) {
	t.Parallel()
	files := map[string]string{"a.yaml": named("a", "192.0.2.1", 10), "b.yaml": named("b", "192.0.2.2", 10)}
	r := &rig{t: t, dir: t.TempDir()}
	r.keep(files)
	files["a.yaml"] = with("new.example", named("a", "192.0.2.1", 3)) // loses too much, and claims what b does
	files["b.yaml"] = with("new.example", named("b", "192.0.2.2", 10))
	r.swap("2", files)
	r.do(r.open("maps", live.Options{State: r.path("state"), Guard: 20}))
	r.check("www.new.example.", "192.0.2.2", "n5.a.example.", "192.0.2.1")
	if got := r.logged("error"); len(got) != 1 || !strings.HasPrefix(got[0], "error: maps/a.yaml is refused") {
		t.Errorf("log %q, want a.yaml alone", got)
	}
}

// Documents that are emptied together are refused together, though each by itself
// would do no harm, and go with guard 100%.
func TestP5_Directory(t *testing.T) {
	t.Parallel()
	files := map[string]string{"0.yaml": "anycast: [192.0.2.9]\n", "a.yaml": tenant("a", "192.0.2.1"), "b.yaml": tenant("b", "192.0.2.2")}
	empty := map[string]string{"0.yaml": files["0.yaml"], "a.yaml": "{}\n", "b.yaml": "accounts: []\n"}
	t.Run("refused", func(t *testing.T) {
		r := linkedRig(t, files, live.Options{})
		r.swap("2", empty)
		r.until("that is refused", func() bool { return len(r.logged("error")) == 2 })
		r.checkDegraded(live.Refused, true)
		for i, line := range r.logged("error") {
			if want := fmt.Sprintf("error: maps/%c.yaml is refused, its last good version stays in force: P5: none of the 2 zones in force would be left", 'a'+i); !strings.HasPrefix(line, want) {
				t.Errorf("log %q, want %q", line, want)
			}
		}
		r.rename("maps/0.yaml", "anycast: [192.0.2.99]\n") // It is judged anew, and brings nothing into force.
		r.until("that is in force", func() bool { return len(r.results()) > 2 })
		r.check("www.a.example.", "192.0.2.1", "www.b.example.", "192.0.2.2")
		r.rename("maps/b.yaml", tenant("b", "192.0.2.22")) // One of the two comes back, and the other may go.
		r.untilTold("www.b.example.", "192.0.2.22")
		r.untilTold("www.a.example.", "")
		r.until("all is well", func() bool { return !r.last().Degraded })
	})
	t.Run("the last one", func(t *testing.T) {
		r := linkedRig(t, files, live.Options{})
		r.rename("maps/a.yaml", "{}\n")
		r.untilTold("www.a.example.", "")
		r.remove("maps/b.yaml")
		r.until("that is refused", func() bool { return len(r.logged("error")) == 1 })
		r.check("www.b.example.", "192.0.2.2")
		if got := r.logged("error")[0]; !strings.Contains(got, "P5: ") {
			t.Errorf("log %q", got)
		}
	})
	t.Run("replaced", func(t *testing.T) { // What others replace has not gone.
		r := linkedRig(t, files, live.Options{})
		r.swap("2", map[string]string{"0.yaml": files["0.yaml"], "c.yaml": tenant("c", "192.0.2.3")})
		r.untilTold("www.c.example.", "192.0.2.3")
		r.untilTold("www.a.example.", "")
		r.check("www.b.example.", "")
	})
	t.Run("guard 100%", func(t *testing.T) {
		r := linkedRig(t, files, live.Options{Guard: 100})
		r.swap("2", empty)
		r.untilTold("www.a.example.", "")
		r.check("www.b.example.", "")
	})
}

// What is wrong with a version is said once, also if it is something else in
// between.
func TestLife_SaidOncePerVersion(t *testing.T) {
	t.Parallel()
	files := map[string]string{"a.yaml": tenant("a", "192.0.2.1"), "b.yaml": tenant("b", "192.0.2.2"), "c.yaml": tenant("c", "192.0.2.3")}
	r := linkedRig(t, files, live.Options{Guard: 40})
	delete(files, "b.yaml")
	delete(files, "c.yaml")
	r.swap("2", files)
	r.until("that is refused", func() bool { return len(r.logged("error")) == 2 })
	for range 2 { // The counts of what would go are others each time.
		r.rename("maps/d.yaml", tenant("d", "192.0.2.4"))
		r.untilTold("www.d.example.", "192.0.2.4")
		r.rename("maps/d.yaml", tenant("d", "192.0.2.44"))
		r.untilTold("www.d.example.", "192.0.2.44")
		r.remove("maps/d.yaml")
		r.untilTold("www.d.example.", "")
		r.until("that is reported", func() bool { return r.last().InForce == r.Snapshot() })
	}
	said := make(map[string]int)
	for _, line := range r.logged("error") {
		if said[line]++; said[line] > 1 {
			t.Errorf("said again: %q", line)
		}
	}
	if len(said) < 4 {
		t.Errorf("log %q, want something to alternate", r.logged("error"))
	}
}

// An error that joins others, because another document has changed, is said alone.
func TestLife_SaysWhatIsNew(t *testing.T) {
	t.Parallel()
	const block = "accounts: [{id: %s, prefixes: [203.0.113.0/24], %s}]\n"
	files := map[string]string{"a.yaml": tenant("a", "192.0.2.1"), "c.yaml": tenant("c", "192.0.2.3")}
	r := linkedRig(t, files, live.Options{})
	r.rename("maps/a.yaml", fmt.Sprintf(block, "a", "wrong: 1"))
	r.until("that is refused", func() bool { return len(r.logged("error")) == 1 })
	r.rename("maps/b.yaml", fmt.Sprintf(block, "b", "zones: []"))
	r.until("more is wrong", func() bool { return len(r.logged("error")) == 2 })
	if got := r.logged("error")[1]; strings.Contains(got, "V1: ") || !strings.Contains(got, "a.yaml:1:31: V6: ") || !strings.HasSuffix(got, "\nsee docs/rules.md#v6") {
		t.Errorf("got %s", got)
	}
}

// A directory in the map's place while the server was down: the last good version
// is in force, and the map is read when it is back.
func TestLife_StartWithADirectoryInItsPlace(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map.yaml", version("192.0.2.1"))
	s, err := live.Open(live.Options{Path: r.path("map.yaml"), State: r.path("state"), Log: r})
	r.do(err)
	r.do(s.Close())
	r.remove("map.yaml")
	r.do(os.Mkdir(r.path("map.yaml"), 0o777))
	r.do(r.open("map.yaml", live.Options{State: r.path("state")}))
	r.check("www.example.org.", "192.0.2.1")
	r.checkDegraded(live.Failed, true)
	r.remove("map.yaml")
	r.write("map.yaml", version("192.0.2.2"))
	r.untilTold("www.example.org.", "192.0.2.2")
	r.until("all is well", func() bool { return !r.last().Degraded })
}
