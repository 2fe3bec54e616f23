package etcd

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

var seeds = flag.Uint64("seeds", 500, "how many random orders of events are tried")

// orders drives a source that is connected to no etcd with the events of one in memory.
type orders struct {
	old bool // pushes are those of a backup
	*testing.T
	rng     *rand.Rand
	m       *memory
	s       *Source
	stage   string
	pushes  int64
	watched int64 // the events of everyone's documents up to this revision were delivered
	own     int64 // those of the stage
	at      int64 // the revision that the source has handed over, at least
	said    []string
}

func (o *orders) note(format string, args ...any) {
	o.said = append(o.said, fmt.Sprintf(format, args...))
}

func (o *orders) fail(format string, args ...any) {
	o.Helper()
	o.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(o.said, "\n"))
}

// put is a random transaction, with a head or not.
func (o *orders) put() {
	values := make(map[string][]byte)
	random := func() []byte {
		return slices.Clone([][]byte{nil, {}, []byte("1"), []byte("2"), []byte("3")}[o.rng.IntN(5)])
	}
	for range 1 + o.rng.IntN(3) {
		name := []string{"a.yaml", "b.yaml", "c.json", "none"}[o.rng.IntN(4)]
		prefix := testMap.Documents()
		if o.rng.IntN(4) == 0 {
			prefix = testMap.Stage("canary")
		}
		values[prefix+name] = random()
	}
	if o.rng.IntN(3) == 0 {
		o.pushes++
		h := fleet.Head{Push: o.pushes, Digest: o.m.digest(values)}
		if o.old { // One with a higher number than was seen says that the content is meant.
			h.Push = 1
		}
		values[testMap.Head()] = h.Encode()
	}
	if o.rng.IntN(12) == 0 {
		values[testMap.Head()] = []byte("x") // The last one that is any counts.
	}
	if o.rng.IntN(6) == 0 { // abandoned
		for key := range o.m.revisions[o.m.revision()] {
			if strings.HasPrefix(key, testMap.Stages()) {
				values[key] = nil
			}
		}
	}
	o.m.write(values)
	o.note("revision %d: %q", o.m.revision(), values)
}

// large is a push by a staging, whose documents move to their places later.
func (o *orders) large() {
	o.pushes++
	from := testMap.Staging(o.pushes)
	values := make(map[string][]byte)
	for _, name := range []string{"a.yaml", "b.yaml", "d.yaml"} {
		value := [][]byte{{}, []byte("4"), []byte("5")}[o.rng.IntN(3)]
		o.m.write(map[string][]byte{from + name: value})
		if values[testMap.Documents()+name] = value; len(value) == 0 {
			values[testMap.Documents()+name] = nil
		}
	}
	h := fleet.Head{Push: o.pushes, Digest: o.m.digest(values), From: fleet.FromStaging(o.pushes)}
	o.m.write(map[string][]byte{testMap.Head(): h.Encode()})
	o.note("revision %d: push %d of %q", o.m.revision(), o.pushes, values)
	for key, value := range values {
		o.m.write(map[string][]byte{key: value, from + strings.TrimPrefix(key, testMap.Documents()): nil})
	}
}

// deliver delivers some of the events that were not, of one watch.
func (o *orders) deliver(own bool) error {
	until, in := &o.watched, func(key string) bool { return key >= testMap.Documents() && key <= testMap.Head() }
	if own {
		until, in = &o.own, func(key string) bool { return strings.HasPrefix(key, testMap.Stage("canary")) }
	}
	var events []*clientv3.Event
	for n := o.rng.IntN(6); n > 0 && *until < o.m.revision(); n-- {
		*until++
		for _, e := range o.m.events[*until] {
			if in(string(e.Kv.Key)) {
				events = append(events, e)
			}
		}
	}
	if len(events) == 0 {
		return nil
	}
	o.note("events of the stage %t up to %d", own, *until)
	if own {
		return o.s.staged(context.Background(), o.m, events[len(events)-1].Kv.ModRevision)
	}
	return o.s.watched(context.Background(), o.m, events)
}

// do does what a session would after an error.
func (o *orders) do(err error) {
	o.Helper()
	if err == nil {
		return
	}
	o.s.anew = true
	o.list()
}

func (o *orders) list() {
	o.Helper()
	if err := o.s.list(context.Background(), o.m); err != nil {
		o.fail("%v", err)
	}
	o.watched, o.own = o.s.store.revision, o.s.store.revision
	o.note("listed at %d", o.watched)
}

// work lets time pass for what was put without a head, and for looks.
func (o *orders) work() {
	o.Helper()
	if o.rng.IntN(3) == 0 {
		o.s.connected(false)
		o.s.connected(true)
	}
	err := o.s.work(context.Background(), o.m, time.Now().Add(restless))
	o.do(err)
}

// take takes one offer: a version that the store had, none older than the one before, and
// judged only if a head covers it.
func (o *orders) take() {
	o.Helper()
	c := o.s.Take()
	if len(c.Paths) == 0 && !c.Judged {
		return
	}
	var docs = make(fleet.Documents)
	for _, path := range o.s.List() {
		value, err := o.s.Read(path)
		if err != nil {
			o.fail("%v", err)
		}
		docs[strings.TrimPrefix(path, o.s.Path(""))] = fleet.Document{Value: value}
	}
	got := written(docs)
	o.note("taken, judged %t: %s", c.Judged, got)
	for r := o.at; r <= o.m.revision(); r++ {
		if o.m.view(r, o.stage) == got && (!c.Judged || o.isJudged(r)) {
			o.at = r
			return
		}
	}
	o.fail("no version from revision %d on is this, judged %t", o.at, c.Judged)
}

// isJudged reports whether a head is the last that has changed at a revision what the
// source has, or everyone's documents came back because the stage went.
func (o *orders) isJudged(revision int64) bool {
	for r := revision; r > 0; r-- {
		for _, e := range o.m.events[r] {
			if string(e.Kv.Key) == testMap.Head() && e.Type == clientv3.EventTypePut && string(e.Kv.Value) != "x" {
				return true
			}
		}
		left := o.stage != "" && !o.hasStage(r) && o.hasStage(r-1)
		if left || r > 1 && o.m.view(r-1, o.stage) != o.m.view(revision, o.stage) {
			return left
		}
	}
	return false
}

func (o *orders) hasStage(revision int64) bool {
	for key := range o.m.revisions[revision] {
		if strings.HasPrefix(key, testMap.Stage(o.stage)) {
			return true
		}
	}
	return false
}

// Whatever is written, delivered, looked at, listed and taken in whatever order: what is
// handed over is a version that the store had, and in the end the one that it has.
func TestSource_AnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range *seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		o := &orders{T: t, rng: rng, m: newMemory(), at: 1}
		if seed%2 == 1 {
			o.stage = "canary"
		}
		o.note("seed %d, stage %q", seed, o.stage)
		for range rng.IntN(4) {
			o.put()
		}
		o.s = newSource(Options{Map: testMap, Stage: o.stage, Log: o.note})
		o.list()
		for range 30 {
			switch rng.IntN(12) {
			case 0, 1, 2:
				o.put()
			case 3:
				o.large()
			case 4, 5, 6:
				o.do(o.deliver(false))
			case 7:
				if o.stage != "" {
					o.do(o.deliver(true))
				}
			case 8:
				o.work()
			case 9, 10:
				o.take()
			case 11:
				if rng.IntN(3) == 0 {
					o.m.compacted = o.m.revision() - int64(rng.IntN(3))
				} else if rng.IntN(3) == 0 {
					o.do(errAnew)
				}
			}
		}
		for o.watched < o.m.revision() || o.stage != "" && o.own < o.m.revision() {
			o.do(o.deliver(rng.IntN(2) == 0 && o.stage != ""))
		}
		for range 4 {
			o.work()
		}
		for len(o.s.offers) > 0 {
			o.take()
		}
		if got, want := written(handedOver(o.s)), o.m.view(o.m.revision(), o.stage); got != want || o.s.goneBack != nil {
			o.fail("in the end it has %s, and the store %s, went back: %v", got, want, o.s.goneBack)
		}
	}
}

// A store that was restored takes nothing out of force before somebody pushes, however far
// it was written since, and by whatever the source notices it.
func TestSource_AnyRestore(t *testing.T) {
	t.Parallel()
	noticed := 0
	for seed := range *seeds {
		rng := rand.New(rand.NewPCG(seed, 2))
		o := &orders{T: t, rng: rng, m: newMemory(), at: 1}
		o.note("seed %d", seed)
		for range 2 + rng.IntN(8) {
			o.put()
		}
		o.s = newSource(Options{Map: testMap, Log: o.note})
		o.list()
		for len(o.s.offers) > 0 {
			o.take()
		}
		for more := true; more; more = rng.IntN(3) > 0 {
			o.put()
			for o.watched < o.m.revision() {
				o.do(o.deliver(false))
			}
			o.work()
			for len(o.s.offers) > 0 {
				o.take()
			}
		}
		want := written(handedOver(o.s))
		if o.s.store.revision < 3 {
			continue
		}
		o.m = o.m.restored(2 + rng.Int64N(o.s.store.revision-2))
		o.note("restored to revision %d", o.m.revision())
		o.old = true
		for range rng.IntN(8) {
			o.put()
		}
		if o.s.store.head.Push == 0 {
			continue
		}
		o.m.write(map[string][]byte{testMap.Documents() + "z.yaml": []byte("of the restored store")})
		if seen := o.s.store.revision; o.m.revision() >= seen && o.m.view(seen, "") == want {
			continue // Nothing that was handed over has gone back.
		}
		o.watched = max(o.watched, o.m.revision()) // The watch heard nothing, or what was written since comes late.
		o.s.connected(false)
		if rng.IntN(2) == 0 {
			o.s.connected(true)
			o.do(o.s.work(context.Background(), o.m, time.Now()))
		} else {
			o.do(errAnew)
		}
		for len(o.s.offers) > 0 {
			o.s.Take()
		}
		if got := written(handedOver(o.s)); got != want {
			o.fail("it has %s after %s", got, want)
		}
		if o.s.goneBack != nil {
			noticed++
		}
		o.pushes += 10
		h := fleet.Head{Push: o.pushes, Digest: o.m.digest(nil)}
		o.m.write(map[string][]byte{testMap.Head(): h.Encode()})
		for o.watched = o.s.store.revision; o.watched < o.m.revision(); { // Also where there was nothing to notice.
			o.do(o.deliver(false))
		}
		for len(o.s.offers) > 0 {
			o.s.Take()
		}
		if got, want := written(handedOver(o.s)), o.m.view(o.m.revision(), ""); got != want {
			o.fail("after a push it has %s, and the store %s", got, want)
		}
	}
	if noticed < int(*seeds/4) {
		t.Errorf("%d restored stores were noticed", noticed)
	}
}

func handedOver(s *Source) fleet.Documents {
	out := make(fleet.Documents)
	for name, value := range s.current {
		out[name] = fleet.Document{Value: value}
	}
	return out
}
