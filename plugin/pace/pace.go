// Package pace lets queries have their turn while a map is loaded on one
// processor. There, Go's scheduler looks at the network only when nothing else is
// to be done, or every 10 ms or more, and what collects the garbage of the load
// comes first. The kernel's scheduler gives the processor to who has waited for
// something at once, but it has to be given several threads to choose from.
package pace

import (
	"runtime"
	"sync"
)

// threads is how many threads run Go code during a load. It is the least number of
// which the collector has one for itself, and lets the others be.
const threads = 4

var (
	mu    sync.Mutex
	loads int // under way with more threads than there were
)

// nice is how far a load stands back behind queries: it gets a tenth of the processor
// while queries want all of it, and all that they leave.
const nice = 10

// Load calls load, which takes long and does its work in one goroutine, and returns
// when that does. If GOMAXPROCS is 1 it is raised meanwhile, and the load has a thread
// of its own that stands back.
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
	// Where one is what the runtime chooses, let it go on to choose.
	runtime.SetDefaultGOMAXPROCS()
	if runtime.GOMAXPROCS(0) > 1 {
		runtime.GOMAXPROCS(1)
	}
}
