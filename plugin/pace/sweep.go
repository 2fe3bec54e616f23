package pace

import (
	"runtime"
	"sync"
	"time"
)

var watching sync.Once

// Watch lets queries have their turn while the memory of garbage is freed, on one
// processor. What frees it gives the processor up all along, but is itself the next
// to have it: Go's scheduler looks at the network only when nothing else is to be
// done, or every 10 ms. It looks there after the world was stopped as well, and so
// that is done, all along and for a few microseconds.
func Watch() { watching.Do(arm) }

// sentinel is of the smallest size in which there are pointers. The smallest is freed
// first, and so is noticed as soon as garbage was collected.
type sentinel struct{ _ *sentinel }

func arm() {
	runtime.SetFinalizer(new(sentinel), func(*sentinel) {
		arm()
		if wanted() {
			go relieve()
		}
	})
}

// wanted reports whether there is no other processor that looks at the network.
func wanted() bool { return runtime.GOMAXPROCS(0) == 1 }

const (
	every  = 300 * time.Microsecond
	octets = 2 << 20 // a guess of how much is looked through meanwhile at least; the less, the longer
)

// relieve stops the world now and then for as long as memory is likely to be freed.
func relieve() {
	_, held, _ := heap()
	var none [1]runtime.StackRecord
	for range held / octets {
		runtime.GoroutineProfile(none[:]) // Without room for all, it does nothing else.
		time.Sleep(every)
	}
}
