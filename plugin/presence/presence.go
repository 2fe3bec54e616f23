// Package presence remembers, for a few seconds, which owner names a backend has
// an address for, so that it need not be asked about them at each query. Its
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

// Facts is what is remembered of a name that has an address.
type Facts struct {
	Authoritative      bool // the AA of the backend's reply
	RecursionAvailable bool // its RA
	// Wildcard is the wildcard that the backend told it answered from, or "".
	Wildcard fqdn.Name
}

// Known is what is remembered of a name: what a backend said, and what the map made
// of it, so that it need not be looked into again.
type Known struct {
	Facts
	Snapshot *mapset.Snapshot // that decided; nil if it decided for an alias that led to the name
	Decision mapset.Decision
}

// Memory is what is remembered for all backends of a process. It is used through
// a [View] for each of them, and safe for concurrent use.
type Memory struct {
	now   atomic.Uint32 // the tick
	views atomic.Uint64 // how many there are
	seed  maphash.Seed
	slots []atomic.Pointer[entry]
	tags  []atomic.Uint64 // of a set of slots: an octet of the hash of what is in each, see [tagOf]
	known once            // the names of maps that were seen once
	other once            // the others

	mu   sync.Mutex // of whoever moves the clock
	skip uint32     // ticks that were skipped to forget
	stop context.CancelFunc
	done sync.WaitGroup
}

// View is the memory of one backend. Reading takes no lock and no time of day. A
// nil View remembers nothing.
type View struct {
	m  *Memory
	id uint64 // tells the names of one backend from those of another
}

// entry is one name of one view.
type entry struct {
	view  uint64
	name  fqdn.Name
	born  atomic.Uint32 // the tick at which the backend was last asked
	known Known
	// version is what the name was found in, if that can be looked at.
	version Version
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

// Sizes. A name may stand in any of ways slots. All that is fixed has 3.4 MiB, an
// entry about 140 octets more while it is there.
const (
	slots  = 1 << 18
	ways   = 8
	knowns = 1 << 17
	others = 1 << 14
)

// New returns an empty memory that remembers each name for at most lifetime,
// until Close.
func New(lifetime time.Duration) *Memory {
	ctx, stop := context.WithCancel(context.Background())
	m := &Memory{
		seed:  maphash.MakeSeed(),
		slots: make([]atomic.Pointer[entry], slots),
		tags:  make([]atomic.Uint64, slots/ways),
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
}

// View returns the memory of one more backend.
func (m *Memory) View() *View { return &View{m: m, id: m.views.Add(1)} }

// Forget forgets every name, and what is learned from questions under way. No
// snapshot stays in memory because of a name that nobody asks for any more.
func (m *Memory) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skip += ticks
	m.now.Add(ticks)
	for i := range m.slots {
		m.slots[i].Store(nil)
	}
}

// Now is the tick to pass to [View.Add]. It is to be taken before the backend is
// asked.
func (v *View) Now() uint32 {
	if v == nil {
		return 0
	}
	return v.m.now.Load()
}

// Hash returns what is to be passed to [View.Get]. It tells apart the same name in
// two views.
func (v *View) Hash(name fqdn.Name) uint64 {
	if v == nil {
		return 0
	}
	return maphash.String(v.m.seed, string(name)) ^ v.id*0x9e3779b97f4a7c15
}

// tagOf returns what is kept of a hash beside the slots, so that only slots which
// are likely to hold the name are followed to their entry, which is far away.
func tagOf(hash uint64) byte { return byte(hash>>40) | 1 }

// find returns the entry of name, however old it is, or nil.
func (v *View) find(name fqdn.Name, hash uint64) *entry {
	base := setOf(hash)
	e, _ := v.m.among(base, v.m.tags[base/ways].Load(), tagOf(hash), v.id, name)
	return e
}

// setOf returns the first slot of those that a name may stand in.
func setOf(hash uint64) int { return int(hash) & (slots - ways) }

// among returns the entry of name in the set of slots from base on with these
// tags, and where it is in the set; nil if it is not there. What has just been
// put there may be overlooked.
func (m *Memory) among(base int, tags uint64, tag byte, view uint64, name fqdn.Name) (*entry, int) {
	for i := range ways {
		if byte(tags>>(8*i)) != tag {
			continue
		}
		if e := m.slots[base+i].Load(); e != nil && e.view == view && e.name == name {
			return e, i
		}
	}
	return nil, 0
}

// Get returns what is remembered of name, or nil. It is shared: read only. hash is
// that of the name, by [View.Hash]: a caller may have it at a better place.
func (v *View) Get(name fqdn.Name, hash uint64) *Known {
	if v == nil {
		return nil
	}
	e := v.find(name, hash)
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
// within the lifetime makes room for another.
//
// One that was found in a version lasts on if that is current at the end of its
// lifetime. It is nil if that cannot be told.
func (v *View) Add(name fqdn.Name, hash uint64, born uint32, known Known, named bool, version Version) {
	if v == nil {
		return
	}
	old, seen := v.find(name, hash), v.m.other
	if named {
		seen = v.m.known
	}
	if old == nil && !seen.again(hash) {
		return
	}
	if old != nil && old.known == known && old.version == version {
		old.renew(born)
		return
	}
	e := &entry{view: v.id, name: name, known: known, version: version}
	e.born.Store(born)
	v.m.put(hash, e)
}

// put remembers an entry if there is room for it.
func (m *Memory) put(hash uint64, e *entry) {
	base, tag := setOf(hash), tagOf(hash)
	tags := &m.tags[base/ways]
	old, at := m.among(base, tags.Load(), tag, e.view, e.name)
	if old == nil {
		if old, at = m.room(base, e); at < 0 {
			return
		}
	}
	slot := &m.slots[base+at]
	if !slot.CompareAndSwap(old, e) {
		return
	}
	for slot.Load() == e {
		was := tags.Load()
		if tags.CompareAndSwap(was, was&^(0xff<<(8*at))|uint64(tag)<<(8*at)) {
			return
		}
	}
}

// room returns where in the set from base on an entry may be put, and what is
// there: nothing, or a name that is forgotten; -1 for nowhere.
func (m *Memory) room(base int, e *entry) (old *entry, at int) {
	now := m.now.Load()
	for i := range ways {
		if m.slots[base+i].Load() == nil {
			return nil, i
		}
	}
	for i := range ways {
		o := m.slots[base+i].Load()
		if o.view == e.view && o.name == e.name || !o.lasts(now) {
			return o, i
		}
	}
	return nil, -1
}
