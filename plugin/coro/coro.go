// Package coro runs short jobs on stacks that are deep already. A query has a
// goroutine of its own, whose stack is small at first. To make it grow means to copy it
// frame by frame, which for a job as short as an answer from memory can cost as much as
// all else. A coroutine keeps its stack from one job to the next, and to switch to it
// and back costs less than to send to a channel.
package coro

import (
	"iter"
	"math/rand/v2"
	"sync/atomic"
)

// Pool is coroutines that do jobs of one kind. It is safe for concurrent use.
//
// A job must not end on a locked thread (runtime.LockOSThread), nor be run from one:
// the runtime lets no coroutine switch between such, and ends the process. Jobs that
// may are to be done without a pool.
type Pool[J any] struct {
	do    func(*J)
	users atomic.Int32
	made  atomic.Int32
	idle  []atomic.Pointer[coroutine[J]]
}

type coroutine[J any] struct {
	job    J
	resume func() (struct{}, bool)
	stop   func()
}

// NewPool returns a pool of at most size coroutines, which are made when they are
// first needed.
func NewPool[J any](size int, do func(*J)) *Pool[J] {
	return &Pool[J]{do: do, idle: make([]atomic.Pointer[coroutine[J]], size)}
}

// Run does a job, and returns it as it is then: by a coroutine, or, if all are busy or
// nobody has opened the pool, on the caller's own stack. It panics if the job does.
func (p *Pool[J]) Run(j J) J {
	c := p.take()
	if c == nil {
		return p.here(j)
	}
	done := false
	defer func() {
		if !done { // The panic has ended the coroutine.
			p.made.Add(-1)
		}
	}()
	c.job = j
	c.resume()
	done = true
	j = c.job
	forget(&c.job)
	p.put(c)
	return j
}

// here does a job on the caller's stack. It is apart because the job is moved to the
// heap for it.
func (p *Pool[J]) here(j J) J {
	p.do(&j)
	return j
}

// forget drops what a job refers to.
func forget[J any](j *J) {
	var zero J
	*j = zero
}

// take returns a coroutine that nobody else has, or nil. It begins to look anywhere, so
// that many cores seldom look in the same place.
func (p *Pool[J]) take() *coroutine[J] {
	n := len(p.idle)
	for i, start := 0, rand.IntN(n); i < n; i++ {
		slot := &p.idle[(start+i)%n]
		if slot.Load() != nil {
			if c := slot.Swap(nil); c != nil {
				return c
			}
		}
	}
	if p.users.Load() == 0 {
		return nil
	}
	if int(p.made.Add(1)) > n {
		p.made.Add(-1)
		return nil
	}
	return p.start()
}

func (p *Pool[J]) start() *coroutine[J] {
	c := new(coroutine[J])
	c.resume, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		for more := true; more; more = yield(struct{}{}) {
			p.do(&c.job)
		}
	})
	return c
}

// put lets others have a coroutine. There are no more of them than there is room for.
func (p *Pool[J]) put(c *coroutine[J]) {
	n := len(p.idle)
	for i := rand.IntN(n); !p.idle[i%n].CompareAndSwap(nil, c); i++ {
	}
	if p.users.Load() == 0 {
		p.drain()
	}
}

// Open is for one more user of the pool, who must close it.
func (p *Pool[J]) Open() { p.users.Add(1) }

// Close is for one user less. After the last, nothing is left of the pool once the
// jobs under way are done.
func (p *Pool[J]) Close() {
	if p.users.Add(-1) == 0 {
		p.drain()
	}
}

func (p *Pool[J]) drain() {
	for i := range p.idle {
		if c := p.idle[i].Swap(nil); c != nil {
			c.stop()
			p.made.Add(-1)
		}
	}
}
