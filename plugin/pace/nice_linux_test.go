package pace

import (
	"runtime"
	"syscall"
	"testing"
)

// priority returns that of the calling thread, as the kernel counts: 20 is usual.
func priority(t *testing.T) int {
	t.Helper()
	p, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Error(err)
	}
	return p
}

// onOneThread keeps the test on a thread, and returns the priority of that.
func onOneThread(t *testing.T) int {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	return priority(t)
}

// A load stands back, and only that: the thread that it had is not used again.
func TestLoad_StandsBack(t *testing.T) {
	with(t, 1)
	usual := onOneThread(t)
	Load(func() {
		if got := priority(t); got != usual-nice && got != 1 { // 1 is the least there is
			t.Errorf("the load has priority %d, want %d", got, usual-nice)
		}
	})
	if got := priority(t); got != usual {
		t.Errorf("who loads has priority %d after it, want %d", got, usual)
	}
	done := make(chan struct{})
	for range 100 {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if got := priority(t); got != usual {
				t.Errorf("another goroutine has priority %d, want %d", got, usual)
			}
			done <- struct{}{}
		}()
	}
	for range 100 {
		<-done
	}
}

func TestLoad_SeveralProcessorsNeedNoPriority(t *testing.T) {
	with(t, 2)
	usual := onOneThread(t)
	Load(func() {
		if got := priority(t); got != usual {
			t.Errorf("the load has priority %d, want %d", got, usual)
		}
	})
}
