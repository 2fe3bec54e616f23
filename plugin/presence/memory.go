package presence

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/addressmap/addressmap/plugin/answer"
)

// Memory is a lifetime of names, and the clock for it. A [Backend] is made with it for
// each server block. It is safe for concurrent use.
type Memory struct {
	now   atomic.Uint32 // the tick
	known once          // the names of maps that were seen once
	other once          // the others

	mu   sync.Mutex // of whoever moves the clock
	skip uint32     // ticks that were skipped to forget
	stop context.CancelFunc
	done sync.WaitGroup
}

// ticks is how many ticks of the clock make a lifetime. A name is remembered for
// one less: it is born between two ticks, and a tick may come late.
const ticks = 16

// lasts reports whether what was learned at a tick is remembered still.
func (m *Memory) lasts(tick uint32) bool { return m.now.Load()-tick < ticks-1 }

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

// Around returns a backend that remembers what is seen in z, and what the backend with
// these zones was found to have. What others made by Around remember stays theirs.
func (m *Memory) Around(z answer.Zones) *Backend {
	return &Backend{Zones: z, m: m, id: backends.Add(1)}
}

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
