// Package pace lets queries have their turn on one processor: while a map is loaded,
// and while the memory of garbage is freed. There, Go's scheduler looks at the network
// only when nothing else is to be done, or every 10 ms or more, and what collects the
// garbage of the load comes first. The kernel's scheduler gives the processor to who
// has waited for something at once, but it has to be given several threads to choose
// from, a load that does not hold on to it, and less garbage to collect meanwhile.
package pace

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// threads is how many threads run Go code during a load. It is the least number of
// which the collector has one for itself, and lets the others be.
const threads = 4

// nice is how far a load stands back behind queries: it gets a tenth of the processor
// while queries want all of it, and all that they leave.
const nice = 10

// growth is by how many percent the heap may grow before garbage is collected during
// a load, if no memory limit (GOMEMLIMIT) is nearer: queries wait for that.
const growth = 2400

var (
	mu      sync.Mutex
	loads   int    // under way with more threads than there were
	percent int    // GOGC before them
	goal    uint64 // at how many octets of the heap garbage would have been collected
)

// Load calls load, which takes long and does its work in one goroutine, and returns
// when that does. If GOMAXPROCS is 1 it is raised meanwhile, and GOGC with it, and the
// load has a thread of its own that stands back.
func Load(load func()) {
	if !raise() {
		load()
		return
	}
	defer restore()
	done := make(chan any)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread is not to be used by others
		give()
		var failed any
		defer func() { done <- failed }()
		defer func() { failed = recover() }()
		load()
	}()
	if failed := <-done; failed != nil {
		panic(failed)
	}
}

// raise reports whether there is a need for more threads, and sees to them.
func raise() bool {
	mu.Lock()
	defer mu.Unlock()
	if loads == 0 {
		if runtime.GOMAXPROCS(0) > 1 {
			return false
		}
		runtime.GOMAXPROCS(threads)
		_, _, goal = heap()
		if percent = debug.SetGCPercent(growth); percent < 0 || percent > growth { // less than 0 is off
			debug.SetGCPercent(percent)
		}
		breathing.Store(true)
	}
	loads++
	return true
}

func restore() {
	mu.Lock()
	defer mu.Unlock()
	if loads--; loads > 0 {
		return
	}
	breathing.Store(false)
	// Where one is what the runtime chooses, let it go on to choose.
	runtime.SetDefaultGOMAXPROCS()
	if runtime.GOMAXPROCS(0) > 1 {
		runtime.GOMAXPROCS(1)
	}
	// With the room that there was before, queries would have to help with it.
	if _, held, _ := heap(); held > goal {
		runtime.GC()
	}
	debug.SetGCPercent(percent)
}

// collectEarly collects the garbage before the load would begin to: its thread, which
// has to wait for others at every turn, would hold all of them up. With one thread, for
// which the load waits, it is done in small shares; see Watch for what comes after.
func collectEarly() {
	// The runtime begins when seven tenths of the growth are reached, or later.
	if live, held, goal := heap(); held < live || held-live < (max(goal, live)-live)/3*2 {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		mu.Lock()
		defer mu.Unlock()
		if loads == 0 { // It was somebody else's, and is over.
			return
		}
		runtime.GOMAXPROCS(1)
		runtime.GC()
		runtime.GOMAXPROCS(threads)
	}()
	<-done
}

// heap returns the octets of the heap that were in use when garbage was collected
// last, those that are taken now, and at how many the next collection begins.
func heap() (live, held, goal uint64) {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/goal:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64(), s[1].Value.Uint64(), s[2].Value.Uint64()
}

// Stretch is how many bytes to read, check or hash between two breaths, at most.
const Stretch = 64 << 10

// step is how long a load goes on without a break.
const step = 200 * time.Microsecond

var (
	breathing atomic.Bool  // loads are to let queries go
	next      atomic.Int64 // when one of them takes a break, in nanoseconds after started

	started = time.Now()
)

// Breathe lets queries go while a load is under way: the kernel may otherwise leave
// the processor to who has it until its next tick, milliseconds away. What goes on for a
// millisecond or more in a load calls it all along.
func Breathe() {
	if !breathing.Load() {
		return
	}
	now := time.Since(started)
	if now < time.Duration(next.Load()) {
		return
	}
	runtime.Gosched() // A goroutine with a thread of its own gives up the thread's turn.
	collectEarly()
	// While queries want all of the processor, the load still gets a tenth.
	after := time.Since(started)
	next.Store(int64(after + max(step, (after-now)/10)))
}
