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
)

// Facts is what is remembered of a name that has an address.
type Facts struct {
	Authoritative      bool // the AA of the backend's reply
	RecursionAvailable bool // its RA
	// Wildcard is the wildcard that the backend told it answered from, or "".
	Wildcard fqdn.Name
}

// Memory is safe for concurrent use. Reading takes no lock and no time of day. A
// nil Memory remembers nothing.
type Memory struct {
	now   atomic.Uint32 // the tick
	seed  maphash.Seed
	slots []atomic.Pointer[entry]
	doubt []atomic.Uint64 // hashes of names that were seen once

	mu   sync.Mutex // of whoever moves the clock
	skip uint32     // ticks that were skipped to forget
	stop context.CancelFunc
	done sync.WaitGroup
}

// entry is one name. It never changes.
type entry struct {
	name  fqdn.Name
	born  uint32 // the tick at which the backend was asked
	facts Facts
}

// ticks is how many ticks of the clock make a lifetime. A name is remembered for
// one less: it is born between two ticks, and a tick may come late.
const ticks = 16

// Sizes. A name may stand in any of ways slots. The slots are a fixed cost of
// 2 MiB, an entry about 90 octets more while it is there.
const (
	slots  = 1 << 18
	ways   = 8
	doubts = 1 << 16
)

// New returns an empty memory that remembers each name for at most lifetime,
// until Close.
func New(lifetime time.Duration) *Memory {
	ctx, stop := context.WithCancel(context.Background())
	m := &Memory{
		seed:  maphash.MakeSeed(),
		slots: make([]atomic.Pointer[entry], slots),
		doubt: make([]atomic.Uint64, doubts),
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
	if m == nil {
		return
	}
	m.stop()
	m.done.Wait()
}

// Now is the tick to pass to [Memory.Add]. It is to be taken before the backend
// is asked.
func (m *Memory) Now() uint32 {
	if m == nil {
		return 0
	}
	return m.now.Load()
}

// Forget forgets every name, and what is learned from questions under way.
func (m *Memory) Forget() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skip += ticks
	m.now.Add(ticks)
}

// Get returns what is remembered of name, or nil. It is shared: read only.
func (m *Memory) Get(name fqdn.Name) *Facts {
	if m == nil {
		return nil
	}
	now := m.now.Load()
	base := int(maphash.String(m.seed, string(name))) & (slots - ways)
	for i := range ways {
		e := m.slots[base+i].Load()
		if e != nil && e.name == name && now-e.born < ticks-1 {
			return &e.facts
		}
	}
	return nil
}

// Add remembers name from the tick at which the backend was asked. known says
// that the map itself names it: any other name is remembered only when it is
// seen for the second time, so that a flood of random names below a wildcard
// passes by. No name that is still remembered makes room for another.
func (m *Memory) Add(name fqdn.Name, born uint32, facts Facts, known bool) {
	if m == nil {
		return
	}
	hash := maphash.String(m.seed, string(name))
	if !known {
		seen := &m.doubt[hash>>48]
		if seen.Load() != hash {
			seen.Store(hash)
			return
		}
	}
	now := m.now.Load()
	base := int(hash) & (slots - ways)
	var room *atomic.Pointer[entry]
	var old *entry
	for i := range ways {
		slot := &m.slots[base+i]
		e := slot.Load()
		if e != nil && e.name == name {
			room, old = slot, e
			break
		}
		if room == nil && (e == nil || now-e.born >= ticks-1) {
			room, old = slot, e
		}
	}
	if room != nil {
		room.CompareAndSwap(old, &entry{name: name, born: born, facts: facts})
	}
}
