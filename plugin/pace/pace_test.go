package pace

import (
	"runtime"
	"testing"
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
