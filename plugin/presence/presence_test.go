package presence

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// still returns a backend with a memory whose clock only the test moves.
func still(t testing.TB) *Backend {
	t.Helper()
	m := New(time.Hour)
	t.Cleanup(m.Close)
	return m.Around(answer.Opaque{})
}

// has reports whether a name is remembered.
func (b *Backend) has(name fqdn.Name) bool { return b.get(name, hashOf(name)) != nil }

// learn has a name of the map learned as often as it takes for it to be remembered.
func (b *Backend) learn(name fqdn.Name, asked answer.Moment, p answer.Presence) {
	b.see(name, asked, p, true)
	b.see(name, asked, p, true)
}

// see has a name learned once.
func (b *Backend) see(name fqdn.Name, asked answer.Moment, p answer.Presence, named bool) {
	p.Exists = true
	b.Learn(answer.Names{}, name, answer.Known{Presence: p}, named, asked)
}

// learnUnproxied has it learned that a name is not proxied, as often as it takes.
func (b *Backend) learnUnproxied(name fqdn.Name) {
	for range 2 {
		b.Learn(answer.Names{}, name, answer.Known{Final: true}, true, b.Now())
	}
}

func (b *Backend) pass(n uint32) { b.m.now.Add(n) }

func TestANameIsForgottenAfterItsLifetime(t *testing.T) {
	m := still(t)
	m.learn("www.example.org.", m.Now(), answer.Presence{Authoritative: true})
	m.pass(ticks - 2)
	if e := m.get("www.example.org.", hashOf("www.example.org.")); e == nil || !e.presence.Authoritative {
		t.Fatalf("get() = %v before the lifetime is over", e)
	}
	m.pass(1)
	if m.has("www.example.org.") {
		t.Fatal("the name is remembered beyond its lifetime")
	}
}

func TestTheClockFollowsTheTime(t *testing.T) {
	defer goleak.VerifyNone(t)
	const lifetime = 100 * time.Millisecond
	memory := New(lifetime)
	defer memory.Close()
	m := memory.Around(answer.Opaque{})
	born := time.Now()
	m.learn("www.example.org.", m.Now(), answer.Presence{})
	for {
		asked := time.Now()
		if !m.has("www.example.org.") {
			return
		}
		// Twice the lifetime bears a machine that is busy with other things.
		if asked.Sub(born) > 10*lifetime {
			t.Fatal("the name is never forgotten")
		}
	}
}

func TestForgetCoversQuestionsUnderWay(t *testing.T) {
	m := still(t)
	asked := m.Now()
	m.learn("a.example.org.", asked, answer.Presence{})
	m.m.Forget()
	m.learn("b.example.org.", asked, answer.Presence{})
	for _, n := range []fqdn.Name{"a.example.org.", "b.example.org."} {
		if m.has(n) {
			t.Errorf("%s is remembered from before Forget", n)
		}
	}
	m.learn("c.example.org.", m.Now(), answer.Presence{})
	if !m.has("c.example.org.") {
		t.Error("nothing is remembered after Forget")
	}
	m.m.Forget()
	if n := m.size(); n != 0 {
		t.Errorf("%d names take room after Forget", n)
	}
}

func TestViewsDoNotShareNames(t *testing.T) {
	a := still(t)
	b := a.m.Around(answer.Opaque{})
	a.learn("www.example.org.", a.Now(), answer.Presence{})
	if b.has("www.example.org.") {
		t.Error("a name of one backend is remembered for another")
	}
	if !a.has("www.example.org.") {
		t.Error("the name is not remembered")
	}
}

// A flood of random names below a wildcard neither takes room nor the place of
// names that are asked for again and again.
func TestAFloodPassesBy(t *testing.T) {
	m := still(t)
	useful := make([]fqdn.Name, 1000)
	for i := range useful {
		useful[i] = fqdn.Name(fmt.Sprintf("host%d.example.org.", i))
		m.learn(useful[i], m.Now(), answer.Presence{})
	}
	before := m.size()
	for i := range 200_000 {
		m.see(fqdn.Name(fmt.Sprintf("x%d.wild.example.org.", i)), m.Now(), answer.Presence{}, false)
	}
	if now := m.size(); now-before > 1000 {
		t.Errorf("the flood took %d places", now-before)
	}
	for _, n := range useful {
		if !m.has(n) {
			t.Fatalf("the flood pushed %s out", n)
		}
	}
	m.see("often.wild.example.org.", m.Now(), answer.Presence{}, false)
	m.see("often.wild.example.org.", m.Now(), answer.Presence{}, false)
	if !m.has("often.wild.example.org.") {
		t.Error("a name below a wildcard that is asked for twice is not remembered")
	}
}

// A name that is asked for once takes no room, and a flood of random names does not
// keep those of the map from being remembered when they are asked for again.
func TestANameIsRememberedFromTheSecondTime(t *testing.T) {
	m := still(t)
	m.see("www.example.org.", m.Now(), answer.Presence{}, true)
	if m.has("www.example.org.") || m.size() != 0 {
		t.Fatal("a name that was asked for once is remembered")
	}
	for i := range 4 * others {
		m.see(fqdn.Name(fmt.Sprintf("x%d.wild.example.org.", i)), m.Now(), answer.Presence{}, false)
	}
	m.see("www.example.org.", m.Now(), answer.Presence{}, true)
	if !m.has("www.example.org.") {
		t.Fatal("a name that was asked for twice is not remembered")
	}
}

// Once its lifetime is over, a name is remembered again as soon as the backend says
// the same of it, in the room it has.
func TestANameIsRenewed(t *testing.T) {
	m := still(t)
	m.learn("www.example.org.", m.Now(), answer.Presence{})
	asked := m.Now()
	for range 3 {
		m.pass(ticks)
		if m.has("www.example.org.") {
			t.Fatal("the name is remembered beyond its lifetime")
		}
		asked = m.Now()
		m.see("www.example.org.", asked, answer.Presence{}, true)
		if !m.has("www.example.org.") {
			t.Fatal("the name is not remembered again")
		}
	}
	m.pass(ticks - 2)
	m.see("www.example.org.", asked-1, answer.Presence{}, true) // An answer that took its time.
	if !m.has("www.example.org.") {
		t.Error("an old answer shortens the life of a name")
	}
	m.see("www.example.org.", m.Now(), answer.Presence{Authoritative: true}, true)
	if e := m.get("www.example.org.", hashOf("www.example.org.")); e == nil || !e.presence.Authoritative {
		t.Errorf("get() = %v after the backend said otherwise", e)
	}
	if n := testing.AllocsPerRun(100, func() { m.see("www.example.org.", m.Now(), answer.Presence{Authoritative: true}, true) }); n != 0 {
		t.Errorf("to renew a name allocates %v times", n)
	}
}

// fact is an [answer.Version] that changes when the test says so.
type fact struct{ current bool }

func (f *fact) Current() bool { return f.current }

// A name that was found in a version of a zone is remembered for as long as that is
// current, and for no longer than the lifetime after.
func TestANameOfAVersionLastsOn(t *testing.T) {
	m := still(t)
	v := &fact{true}
	learn := func(version answer.Version) {
		for range 2 {
			known := answer.Known{Presence: answer.Presence{Exists: true}}
			m.add(answer.Names{}, "www.example.org.", hashOf("www.example.org."), &known, version, true, uint32(m.Now()))
		}
	}
	learn(v)
	for range 3 {
		m.pass(ticks)
		if !m.has("www.example.org.") {
			t.Fatal("a name of a current version is forgotten")
		}
	}
	v.current = false
	m.pass(ticks - 1)
	if m.has("www.example.org.") {
		t.Fatal("a name of a version that has changed is remembered beyond its lifetime")
	}
	next := &fact{true}
	learn(next)
	m.pass(ticks)
	if !m.has("www.example.org.") {
		t.Fatal("a name is not remembered as one of the next version")
	}
	learn(nil)
	m.pass(ticks)
	if m.has("www.example.org.") {
		t.Fatal("a name that a backend told is remembered as one of a version")
	}
}

// size counts the names that take room.
func (b *Backend) size() int {
	n := 0
	for i := range table {
		for j := range table[i].slots {
			if table[i].slots[j].Load() != nil {
				n++
			}
		}
	}
	return n
}

// Names of which nothing is known but that they are not proxied give way to those that
// save a question.
func TestNamesThatExistComeFirst(t *testing.T) {
	m := still(t)
	first := hashOf("host0.example.org.")
	names := []fqdn.Name{"host0.example.org."}
	for i := 1; len(names) < ways+2; i++ {
		if n := fqdn.Name(fmt.Sprintf("host%d.example.org.", i)); setOf(hashOf(n)) == setOf(first) {
			names = append(names, n)
		}
	}
	for _, n := range names[:ways] {
		m.learnUnproxied(n)
	}
	unproxied, exists := names[ways], names[ways+1]
	if m.learnUnproxied(unproxied); m.has(unproxied) {
		t.Error("a name has pushed out another of its kind")
	}
	if m.learn(exists, m.Now(), answer.Presence{}); !m.has(exists) {
		t.Error("there is no room for a name that exists")
	}
	for _, n := range names[:ways] {
		m.learn(n, m.Now(), answer.Presence{})
	}
	remembered := 0
	for _, n := range names {
		if e := m.get(n, hashOf(n)); e != nil && e.presence.Exists {
			remembered++
		}
	}
	if remembered != ways {
		t.Errorf("%d names that exist are remembered, want %d", remembered, ways)
	}
}

// A name that is forgotten makes room.
func TestForgottenNamesMakeRoom(t *testing.T) {
	m := still(t)
	first := hashOf("host0.example.org.")
	last, filled := fqdn.Name(""), 0
	for i := 0; filled <= ways; i++ {
		last = fqdn.Name(fmt.Sprintf("host%d.example.org.", i))
		if setOf(hashOf(last)) != setOf(first) {
			continue
		}
		if filled++; filled <= ways {
			m.learn(last, m.Now(), answer.Presence{})
		}
	}
	if m.learn(last, m.Now(), answer.Presence{}); m.has(last) {
		t.Fatal("a name has pushed out one that is remembered")
	}
	m.pass(ticks)
	if m.learn(last, m.Now(), answer.Presence{}); !m.has(last) {
		t.Error("there is no room where names are forgotten")
	}
}

// Names of two lifetimes stand in one table, each with its own clock.
func TestLifetimesAreApart(t *testing.T) {
	a, b := still(t), still(t)
	const name = "www.example.org."
	a.learn(name, a.Now(), answer.Presence{})
	b.learn(name, b.Now(), answer.Presence{})
	a.pass(ticks)
	if a.has(name) || !b.has(name) {
		t.Errorf("after the lifetime of the first, it is remembered: %t; by the second: %t", a.has(name), b.has(name))
	}
	b.m.Close()
	if b.has(name) {
		t.Error("the name is remembered after the memory is closed")
	}
}

func TestALongNameIsNotRemembered(t *testing.T) {
	m := still(t)
	label := fqdn.Name(strings.Repeat("x", 47) + ".")
	for name, want := range map[fqdn.Name]bool{label + label[16:]: true, label + label[15:]: false} {
		m.learn(name, m.Now(), answer.Presence{})
		if got := m.has(name); got != want {
			t.Errorf("a name of %d octets is remembered: %t", len(name), got)
		}
	}
}

func TestKnownDoesNotAllocate(t *testing.T) {
	m := still(t)
	m.learn("www.example.org.", m.Now(), answer.Presence{})
	if n := testing.AllocsPerRun(100, func() { m.Known(answer.Names{}, "www.example.org.") }); n != 0 {
		t.Errorf("Known allocates %v times", n)
	}
}

func BenchmarkKnown(b *testing.B) {
	memory := New(time.Hour)
	defer memory.Close()
	m := memory.Around(answer.Opaque{})
	n, names := answer.Names{Scope: new(answer.Scope)}, make([]fqdn.Name, 100_000)
	for i := range names {
		names[i] = fqdn.Name(fmt.Sprintf("host%d.example.org.", i))
		m.learn(names[i], m.Now(), answer.Presence{})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Known(n, names[i%len(names)])
	}
}
