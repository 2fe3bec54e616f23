package coro

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// sum is a job that needs much stack.
type sum struct{ n, got int }

func (s *sum) do() { s.got = deep(s.n) }

//go:noinline
func deep(n int) int {
	var room [128]byte
	if n == 0 {
		return int(room[n])
	}
	room[n%len(room)] = byte(n)
	return deep(n-1) + 1 + int(room[(n+1)%len(room)])
}

func TestRun(t *testing.T) {
	defer goleak.VerifyNone(t)
	p := NewPool(3, (*sum).do)
	if got := p.Run(sum{n: 7}).got; got != 7 || p.made.Load() != 0 {
		t.Errorf("a pool that nobody has opened has %d coroutines, and got %d", p.made.Load(), got)
	}
	p.Open()
	defer p.Close()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for range 200 {
				if got := p.Run(sum{n: i}).got; got != i {
					t.Errorf("got %d, want %d", got, i)
					return
				}
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
	if made := p.made.Load(); made < 1 || made > 3 {
		t.Errorf("%d coroutines were made", made)
	}
}

// A job that has others done meanwhile does not wait for a coroutine.
func TestRunWithinRun(t *testing.T) {
	defer goleak.VerifyNone(t)
	var p *Pool[int]
	p = NewPool(2, func(left *int) {
		if *left > 0 {
			*left = p.Run(*left-1) + 1
		}
	})
	p.Open()
	defer p.Close()
	if got := p.Run(9); got != 9 {
		t.Errorf("got %d, want 9", got)
	}
}

// A panic comes to who runs the job, and the pool goes on.
func TestAPanicPasses(t *testing.T) {
	defer goleak.VerifyNone(t)
	p := NewPool(1, func(n *int) {
		if *n < 0 {
			panic(fmt.Sprint("job ", *n))
		}
		*n++
	})
	p.Open()
	defer p.Close()
	for range 3 {
		func() {
			defer func() {
				if got := recover(); got != "job -1" {
					t.Errorf("recovered %v", got)
				}
			}()
			p.Run(-1)
		}()
		if got := p.Run(1); got != 2 || p.made.Load() != 1 || p.idle[0].Load() == nil {
			t.Errorf("got %d, not from the one coroutine, of which there are %d", got, p.made.Load())
		}
	}
}

// What is busy when the pool is closed ends when it is done.
func TestCloseMeanwhile(t *testing.T) {
	defer goleak.VerifyNone(t)
	busy, on := make(chan bool), make(chan bool)
	p := NewPool(4, func(*int) {
		busy <- true
		<-on
	})
	p.Open()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { p.Run(0) })
		<-busy
	}
	p.Close()
	close(on)
	wg.Wait()
	if n := p.made.Load(); n != 0 {
		t.Errorf("%d coroutines are left", n)
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	p := NewPool(1, (*sum).do)
	p.Open()
	defer p.Close()
	p.Run(sum{})
	if n := testing.AllocsPerRun(100, func() { p.Run(sum{n: 3}) }); n != 0 {
		t.Errorf("allocates %v times", n)
	}
}

// BenchmarkRun is a job that needs 8 KiB of stack, in goroutines that live for nothing
// else, as those of queries do.
func BenchmarkRun(b *testing.B) {
	for _, users := range []int{1, 0} {
		b.Run(map[int]string{1: "coroutine", 0: "own stack"}[users], func(b *testing.B) {
			p := NewPool(4, (*sum).do)
			if users > 0 {
				p.Open()
				defer p.Close()
			}
			done := make(chan struct{})
			b.ReportAllocs()
			for b.Loop() {
				go func() {
					p.Run(sum{n: 30})
					done <- struct{}{}
				}()
				<-done
			}
		})
	}
}
