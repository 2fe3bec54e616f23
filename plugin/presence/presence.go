// Package presence remembers, for a few seconds, which owner names a backend has
// an address for, so that it need not be asked about them at each query, and which
// of its names the map does not proxy, so that the map need not be looked into. Its
// memory is bounded, and nobody's questions can push another's names out of it.
package presence

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Facts is what is remembered of what the backend has.
type Facts struct {
	// Exists says that the name has an address. If not, nothing is known of the backend,
	// but only what was decided: that the name is not proxied.
	Exists             bool
	Alias              bool // the name has an alias
	Authoritative      bool // the AA of the backend's reply
	RecursionAvailable bool // its RA
	// Wildcard is the wildcard that the backend told it answered from, or "".
	Wildcard fqdn.Name
}

// Known is what is remembered of a name: what a backend said, and what the map made
// of it, so that it need not be looked into again.
type Known struct {
	Snapshot *mapset.Snapshot // that decided; nil if it decided for an alias that led to the name
	Decision mapset.Decision
	Facts
}

// Memory is a lifetime of names, and the clock for it. It is used through a [View] for
// each backend, and safe for concurrent use.
type Memory struct {
	now   atomic.Uint32 // the tick
	known once          // the names of maps that were seen once
	other once          // the others

	mu   sync.Mutex // of whoever moves the clock
	skip uint32     // ticks that were skipped to forget
	stop context.CancelFunc
	done sync.WaitGroup
}

// All names of the process stand in one table, whatever their lifetime: how much memory
// they take has one bound, and a query can look for its name before it knows for which
// backend, so that it waits for both at the same time.
var (
	table [sets]set
	seed  = maphash.MakeSeed()
	views atomic.Uint64 // how many there have been
)

// View is the memory of one backend. Reading takes no lock and no time of day. The
// zero View remembers nothing. It is to be held in place: a pointer to it would be one
// more wait for memory.
type View struct {
	m  *Memory
	id uint64 // tells the names of one backend from those of another
}

// On reports whether anything is ever remembered.
func (v View) On() bool { return v.m != nil }

// set is where a name may stand, all in one line of memory. Beside the slots is an
// octet of the hash of what is in each, see [tagOf].
type set struct {
	tags  atomic.Uint64
	slots [ways]atomic.Pointer[entry]
}

// entry is one name of one view. Its order is by how often a part of it is needed,
// and the name is in it: most queries need no more than two lines of memory.
type entry struct {
	view  uint64
	born  atomic.Uint32 // the tick at which the backend was last asked
	size  uint8         // of the name
	known Known
	name  [longest]byte
	// version is what the name was found in, if that can be looked at.
	version Version
	memory  *Memory
}

// is reports whether the entry is that of a name of a view.
func (e *entry) is(view uint64, name fqdn.Name) bool {
	return e.view == view && string(e.name[:e.size]) == string(name)
}

// Version is what a backend has of a zone, until that changes.
type Version interface {
	// Current reports whether nothing in the zone has changed.
	Current() bool
}

// lasts reports whether the name is remembered still.
func (e *entry) lasts(now uint32) bool {
	return now-e.born.Load() < ticks-1
}

// ticks is how many ticks of the clock make a lifetime. A name is remembered for
// one less: it is born between two ticks, and a tick may come late.
const ticks = 16

// renew makes the name last on: the backend has said the same at the tick born.
func (e *entry) renew(born uint32) {
	if int32(born-e.born.Load()) > 0 {
		e.born.Store(born)
	}
}

// once has a part of the hash of each name that was seen once: in each element of
// the last four that fall to it.
type once []atomic.Uint64

// again reports whether the name was seen before.
func (o once) again(hash uint64) bool {
	at, tag := &o[(hash>>32)%uint64(len(o))], uint16(hash)|1
	seen := at.Load()
	for rest := seen; rest != 0; rest >>= 16 {
		if uint16(rest) == tag {
			return true
		}
	}
	at.Store(seen<<16 | uint64(tag))
	return false
}

// Sizes. A name may stand in any of ways slots of its set. The table has 2 MiB, what a
// lifetime needs besides 1.1, and an entry 192 octets while it is there.
const (
	sets    = 1 << 15
	ways    = 7
	knowns  = 1 << 17
	others  = 1 << 14
	longest = 80 // name that is remembered, in octets
)

// New returns an empty memory that remembers each name for at most lifetime,
// until Close.
func New(lifetime time.Duration) *Memory {
	ctx, stop := context.WithCancel(context.Background())
	m := &Memory{
		known: make(once, knowns),
		other: make(once, others),
		stop:  stop,
	}
	m.Forget()
	m.done.Go(func() { m.run(ctx, max(lifetime/ticks, time.Millisecond)) })
	return m
}

// run moves the clock until ctx ends, by the time that has passed: a ticker that
// is late drops ticks.
func (m *Memory) run(ctx context.Context, every time.Duration) {
	start := time.Now()
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			m.mu.Lock()
			m.now.Store(m.skip + uint32(now.Sub(start)/every))
			m.mu.Unlock()
		}
	}
}

// Close stops the clock. The memory must not be used for answers any more.
func (m *Memory) Close() {
	m.stop()
	m.done.Wait()
	m.Forget()
}

// View returns the memory of one more backend.
func (m *Memory) View() View { return View{m: m, id: views.Add(1)} }

// Forget forgets every name, and what is learned from questions under way. No
// snapshot stays in memory because of a name that nobody asks for any more. Names of
// other lifetimes are taken out as well: they are soon learned again, and to look at
// each would take longer.
func (m *Memory) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skip += ticks
	m.now.Add(ticks)
	for i := range table {
		for j := range table[i].slots {
			if slot := &table[i].slots[j]; slot.Load() != nil { // few are; to store takes longer
				slot.Store(nil)
			}
		}
	}
}

// Now is the tick to pass to [View.Add]. It is to be taken before the backend is
// asked.
func (v View) Now() uint32 {
	if !v.On() {
		return 0
	}
	return v.m.now.Load()
}

// Lasts reports whether what was learned at a tick is remembered still.
func (v View) Lasts(born uint32) bool { return v.On() && v.m.now.Load()-born < ticks-1 }

// Hash returns what is to be passed to [View.Get].
func Hash(name fqdn.Name) uint64 { return maphash.String(seed, string(name)) }

// tagOf returns what is kept of a hash beside the slots, so that only slots which
// are likely to hold the name are followed to their entry, which is far away.
func tagOf(hash uint64) byte { return byte(hash>>40) | 1 }

// setOf returns where a name may stand.
func setOf(hash uint64) *set { return &table[hash%sets] }

// find returns the entry of a name, however old it is, and where it is in the set;
// nil if it is not there. What has just been put there may be overlooked.
func (s *set) find(tag byte, view uint64, name fqdn.Name) (*entry, int) {
	tags := s.tags.Load()
	for i := range s.slots {
		if byte(tags>>(8*i)) != tag {
			continue
		}
		if e := s.slots[i].Load(); e != nil && e.is(view, name) {
			return e, i
		}
	}
	return nil, 0
}

// Get returns what is remembered of name, or nil. It is shared: read only. hash is
// that of the name, by [Hash]: a caller may have it at a better place.
func (v View) Get(name fqdn.Name, hash uint64) *Known {
	if !v.On() {
		return nil
	}
	e, _ := setOf(hash).find(tagOf(hash), v.id, name)
	if e == nil {
		return nil
	}
	if now := v.m.now.Load(); !e.lasts(now) {
		if e.version == nil || !e.version.Current() {
			return nil
		}
		e.renew(now)
	}
	return &e.known
}

// Add remembers a name from the tick at which the backend was asked, if it is seen
// for the second time: one that nobody asks for again would cost more than it
// saves. named says that the map itself names it. Other names are counted apart, so
// that a flood of random ones below a wildcard passes by. No name that was learned
// within the lifetime makes room for another, and none that is longer than [longest]
// is remembered.
//
// One that was found in a version lasts on if that is current at the end of its
// lifetime. It is nil if that cannot be told.
func (v View) Add(name fqdn.Name, hash uint64, born uint32, known Known, named bool, version Version) {
	if !v.On() || len(name) > longest {
		return
	}
	set, seen := setOf(hash), v.m.other
	if named {
		seen = v.m.known
	}
	old, _ := set.find(tagOf(hash), v.id, name)
	if old == nil && !seen.again(hash) {
		return
	}
	if old != nil && old.known == known && old.version == version {
		old.renew(born)
		return
	}
	e := &entry{view: v.id, size: uint8(len(name)), known: known, version: version, memory: v.m}
	copy(e.name[:], name)
	e.born.Store(born)
	set.put(tagOf(hash), e, name)
}

// put remembers the entry of a name if there is room for it.
func (s *set) put(tag byte, e *entry, name fqdn.Name) {
	old, at := s.find(tag, e.view, name)
	if old == nil {
		if old, at = s.room(e.view, name, e.known.Exists); at < 0 {
			return
		}
	}
	slot := &s.slots[at]
	if !slot.CompareAndSwap(old, e) {
		return
	}
	for slot.Load() == e {
		was := s.tags.Load()
		if s.tags.CompareAndSwap(was, was&^(0xff<<(8*at))|uint64(tag)<<(8*at)) {
			return
		}
	}
}

// room returns where the entry of a name may be put, and what is there: nothing, or
// what is forgotten, or the name itself, or, if the name exists, one of which that is
// not known; -1 for nowhere.
func (s *set) room(view uint64, name fqdn.Name, exists bool) (old *entry, at int) {
	for i := range s.slots {
		if s.slots[i].Load() == nil {
			return nil, i
		}
	}
	for i := range s.slots {
		if o := s.slots[i].Load(); o == nil || o.is(view, name) || !o.lasts(o.memory.now.Load()) {
			return o, i
		}
	}
	if !exists {
		return nil, -1
	}
	for i := range s.slots {
		if o := s.slots[i].Load(); o == nil || !o.known.Exists {
			return o, i
		}
	}
	return nil, -1
}
