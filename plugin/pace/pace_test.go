package pace

import (
	"crypto/sha256"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"
)

// with makes the test run with n processors.
func with(t *testing.T, n int) {
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func wantProcs(t *testing.T, when string, want int) {
	t.Helper()
	if got := runtime.GOMAXPROCS(0); got != want {
		t.Errorf("%s: GOMAXPROCS is %d, want %d", when, got, want)
	}
}

// One processor is shared by several threads until the last load is done.
func TestLoad_OneProcessor(t *testing.T) {
	with(t, 1)
	Load(func() {
		wantProcs(t, "while one load is under way", threads)
		Load(func() { wantProcs(t, "while two are", threads) })
		wantProcs(t, "after one of two", threads)
	})
	wantProcs(t, "after the load", 1)
}

// A load that panics leaves nothing raised.
func TestLoad_Panics(t *testing.T) {
	with(t, 1)
	func() {
		defer func() { _ = recover() }()
		Load(func() { panic("in a load") })
	}()
	wantProcs(t, "after a load that panicked", 1)
	if loads != 0 {
		t.Errorf("%d loads are counted, and none is under way", loads)
	}
}

func TestLoad_SeveralProcessors(t *testing.T) {
	with(t, 2)
	Load(func() { wantProcs(t, "during a load", 2) })
	wantProcs(t, "after it", 2)
}

// gogc returns GOGC, less than 0 for off.
func gogc() int {
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent
}

// During a load the heap may grow, and after it only as before.
func TestLoad_CollectsSeldom(t *testing.T) {
	for _, tc := range []struct{ before, during int }{{100, growth}, {50, growth}, {growth + 1, growth + 1}, {-1, -1}} {
		t.Run(strconv.Itoa(tc.before), func(t *testing.T) {
			with(t, 1)
			usual := debug.SetGCPercent(tc.before)
			t.Cleanup(func() { debug.SetGCPercent(usual) })
			Load(func() {
				Load(func() {})
				if got := gogc(); got != tc.during {
					t.Errorf("during a load GOGC is %d, want %d", got, tc.during)
				}
			})
			if got := gogc(); got != tc.before {
				t.Errorf("after a load GOGC is %d, want %d", got, tc.before)
			}
		})
	}
}

// fill takes memory and leaves it, octets in all, and breathes. It does something with
// it, as loads do: memory alone can be had faster than there are breaks. It returns how
// often garbage was collected because that was asked for, and because it was due.
func fill(octets int) (asked, due uint32) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range octets >> 18 {
		block = make([]byte, 1<<18)
		sum = sha256.Sum256(block)
		Breathe()
	}
	runtime.ReadMemStats(&after)
	asked = after.NumForcedGC - before.NumForcedGC
	return asked, after.NumGC - before.NumGC - asked
}

var (
	block []byte
	sum   [sha256.Size]byte
)

// A load hardly ever begins to collect by itself.
func TestBreathe_CollectsBeforeItIsDue(t *testing.T) {
	with(t, 1)
	runtime.GC()
	Load(func() {
		asked, due := fill(256 << 20) // The least heap is 4 MiB × GOGC/100.
		if asked <= due {             // After a long break, as on a busy machine, it may be due all the same.
			t.Errorf("garbage was collected %d times because that was asked for, %d times because it was due", asked, due)
		}
	})
}

// What a load leaves behind is collected when it ends, if it is much.
func TestLoad_CollectsAtItsEnd(t *testing.T) {
	for octets, want := range map[int]uint32{1 << 20: 0, 24 << 20: 1} {
		with(t, 1)
		runtime.GC()
		var before, after runtime.MemStats
		Load(func() {
			fill(octets)
			runtime.ReadMemStats(&before)
		})
		if runtime.ReadMemStats(&after); after.NumForcedGC-before.NumForcedGC != want {
			t.Errorf("%d octets: garbage was collected %d times at the end, want %d", octets, after.NumForcedGC-before.NumForcedGC, want)
		}
	}
}

// A load takes a break once in a while, and nobody else does.
func TestBreathe_OnlyDuringALoad(t *testing.T) {
	with(t, 1)
	before := next.Load()
	Breathe()
	if next.Load() != before {
		t.Error("a break was taken without a load")
	}
	Load(func() {
		deadline := time.Now().Add(time.Minute)
		for breaks := 0; breaks < 3; {
			before := next.Load()
			Breathe()
			switch now := time.Since(started); {
			case next.Load() != before:
				breaks++
			case time.Now().After(deadline):
				t.Fatal("no break was taken within a minute")
			case now > time.Duration(before)+time.Minute:
				t.Error("a break was due and not taken")
			}
		}
		before := next.Load()
		if Breathe(); next.Load() != before && time.Since(started) < time.Duration(before) {
			t.Error("a break was taken right after another one")
		}
	})
}
