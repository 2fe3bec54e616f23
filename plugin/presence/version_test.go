package presence

import (
	"fmt"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

const apex = fqdn.Name("example.org.")

// versioned returns a memory in which www.example.org. is remembered from a
// version of its zone, and that version's data.
func versioned(t *testing.T) (*View, any) {
	t.Helper()
	m := still(t)
	data := new(int)
	m.Observe(apex, m.Now(), data)
	m.pass(1)
	m.learn("www.example.org.", m.Now(), Facts{}, apex)
	return m, data
}

// later lets nearly a lifetime pass, looks at the zone again, and lets the rest of
// the lifetime pass.
func (v *View) later(data any) {
	v.pass(ticks - 2)
	v.Observe(apex, v.Now(), data)
	v.pass(1)
}

func TestANameOfAnUnchangedZoneIsRemembered(t *testing.T) {
	m, data := versioned(t)
	for range 5 {
		m.later(data)
		if !m.has("www.example.org.") {
			t.Fatal("the name is forgotten, and its zone is as it was")
		}
	}
	m.pass(ticks)
	if m.has("www.example.org.") {
		t.Fatal("the name is remembered, and nobody has looked at its zone")
	}
	if _, ripe := m.Get("www.example.org.", m.Hash("www.example.org.")); ripe != apex {
		t.Fatalf("ripe is %q, want %q", ripe, apex)
	}
	m.Observe(apex, m.Now(), data)
	if !m.has("www.example.org.") {
		t.Fatal("the name is forgotten, and its zone was as it was all the time")
	}
}

// Whatever happens to a zone, a name lives on for its lifetime at most.
func TestANameOfAChangedZoneIsForgotten(t *testing.T) {
	for what, then := range map[string]func(m *View, data any){
		"changed":            func(m *View, _ any) { m.later(new(int)) },
		"changed back":       func(m *View, _ any) { m.later(new(int)); m.later(new(int)) },
		"gone":               func(m *View, _ any) { m.later(nil) },
		"gone and back":      func(m *View, data any) { m.later(nil); m.later(data) },
		"forgotten":          func(m *View, data any) { m.m.Forget(); m.Observe(apex, m.Now(), data) },
		"of another backend": func(m *View, data any) { m.m.View().Observe(apex, m.Now(), data); m.pass(ticks) },
	} {
		t.Run(what, func(t *testing.T) {
			m, data := versioned(t)
			then(m, data)
			if m.has("www.example.org.") {
				t.Error("the name is remembered")
			}
		})
	}
}

// An answer from before a version was first seen may be from the one before it.
func TestANameIsTiedToNoLaterVersion(t *testing.T) {
	m, data := still(t), new(int)
	before := m.Now()
	m.pass(1)
	m.Observe(apex, m.Now(), data)
	m.learn("before.example.org.", before, Facts{}, apex)
	m.learn("same.example.org.", m.Now(), Facts{}, apex)
	m.later(data)
	m.pass(1)
	for _, n := range []fqdn.Name{"before.example.org.", "same.example.org."} {
		if f, ripe := m.Get(n, m.Hash(n)); f != nil || ripe != "" {
			t.Errorf("%s is tied to a version that it may not be from", n)
		}
	}
}

// To look at a zone is worth it only if several names depend on it.
func TestAZoneOfFewNamesIsNotObserved(t *testing.T) {
	m := still(t)
	for i := range few {
		observe := m.learn(fqdn.Name(fmt.Sprintf("host%d.example.org.", i)), m.Now(), Facts{}, apex)
		if want := i == few-1; observe != want {
			t.Errorf("name %d: observe = %v, want %v", i, observe, want)
		}
	}
	m.Observe(apex, m.Now(), nil)
	if m.learn("one.example.org.", m.Now(), Facts{}, apex) {
		t.Error("a backend that does not tell is asked again at once")
	}
}

// What stays remembered for its version alone makes room for names that are asked
// for now, and for no others.
func TestRoomForNewNames(t *testing.T) {
	m, data := versioned(t)
	for i := range 4 * slots {
		m.learn(fqdn.Name(fmt.Sprintf("host%d.example.org.", i)), m.Now(), Facts{}, apex)
	}
	full := m.held()
	m.later(data)
	kept := 0
	for i := range 1000 {
		n := fqdn.Name(fmt.Sprintf("new%d.example.org.", i))
		m.Add(n, m.Now(), Facts{}, false, "")
		m.Add(n, m.Now(), Facts{}, false, "")
		if m.has(n) {
			t.Fatalf("%s, which the map does not name, took the place of one that it does", n)
		}
		m.learn(n, m.Now(), Facts{}, apex)
		if m.has(n) {
			kept++
		}
	}
	if kept < 990 {
		t.Errorf("%d of 1000 new names found room", kept)
	}
	if m.held() != full {
		t.Errorf("%d places are taken, before %d", m.held(), full)
	}
}
