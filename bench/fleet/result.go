package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
)

// result is what was measured.
type result struct {
	settings
	octets   int // of all documents
	seeding  time.Duration
	listed   []time.Duration // of all servers, sorted
	cold     cost
	etcd     [3]rig.Memory // without a server, with all, at the end
	source   int64         // octets of the heap that one source has
	peak     int64         // octets of memory that all sources had at most
	kinds    []*kind
	back     []time.Duration // a put after a restart of etcd to each server, sorted
	again    cost            // of etcd alone, since its restart
	database float64
}

// kind is the changes of one kind.
type kind struct {
	title string
	came  []time.Duration // each change to each server, sorted
	last  []time.Duration // each change to the last server
	cost  cost            // of all changes, until they had come to all servers
}

// cost is what something takes of the machine.
type cost struct {
	etcd, sources time.Duration // CPU time
	*counters
	warnings map[string]int // of the sources
}

// costs begins to count, and returns what ends that.
func costs(c *cluster) (func() (cost, error), error) {
	look := func() (now cost, err error) {
		if now.etcd, err = c.cpu(); err != nil {
			return now, err
		}
		own, err := rig.OwnCPU()
		if err != nil {
			return now, err
		}
		now.sources = own.All
		now.counters, err = c.counters()
		return now, err
	}
	before, err := look()
	return func() (cost, error) {
		now, err := look()
		if err != nil {
			return now, err
		}
		return cost{etcd: now.etcd - before.etcd, sources: now.sources - before.sources, counters: now.since(before.counters)}, nil
	}, err
}

// add adds the cost of another change.
func (c *cost) add(o cost) {
	c.etcd, c.sources = c.etcd+o.etcd, c.sources+o.sources
	if c.counters == nil {
		c.counters = o.counters
		return
	}
	c.sent, c.received, c.failed = c.sent+o.sent, c.received+o.received, c.failed+o.failed
	for method, n := range o.requests {
		c.requests[method] += n
	}
}

// seed pushes the documents.
func (r *result) seed(ctx context.Context, c *cluster, w *writer) (err error) {
	begin := time.Now()
	if r.octets, err = w.seed(ctx); err != nil {
		return err
	}
	r.seeding = time.Since(begin)
	r.etcd[0], err = c.memory()
	return err
}

// coldStart starts all servers at once.
func (r *result) coldStart(c *cluster, servers *servers) error {
	debug.SetMemoryLimit(int64(r.memory) << 30)
	debug.SetGCPercent(50)
	before := heap()
	end, err := costs(c)
	if err != nil {
		return err
	}
	if r.listed, err = servers.start(c.connection()); err != nil {
		return err
	}
	if r.cold, err = end(); err != nil {
		return err
	}
	r.cold.warnings = servers.warned()
	fmt.Fprintf(r.progress, "all sources have listed after %v\n", r.listed[len(r.listed)-1])
	r.source = (heap() - before) / int64(r.sources)
	r.etcd[1], err = c.memory()
	return err
}

// heap is what is not garbage.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// prepare makes ready a change, and returns what writes it.
type prepare func(context.Context, *change) (func() error, error)

// change makes changes of one kind, each when the one before has come to all servers, the
// pause is over and they rest.
func (r *result) change(ctx context.Context, c *cluster, servers *servers, w *writer, title string, how prepare, pause time.Duration) error {
	// A server alone would collect a thousandth of this garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	k := &kind{title: title}
	for n := range r.changes {
		if err := r.rest(c, pause); err != nil {
			return err
		}
		next := w.next()
		write, err := how(ctx, next)
		if err != nil {
			return err
		}
		end, err := costs(c)
		if err != nil {
			return err
		}
		next.at = time.Now()
		servers.now.Store(next)
		if err := write(); err != nil {
			return err
		}
		came, err := servers.await(next)
		if err != nil {
			return err
		}
		took, err := end()
		if err != nil {
			return err
		}
		k.cost.add(took)
		k.came = append(k.came, came...)
		k.last = append(k.last, slices.Max(came))
		fmt.Fprintf(r.progress, "%s %d of %d: %v to the last source\n", title, n+1, r.changes, slices.Max(came))
	}
	slices.Sort(k.came)
	r.kinds = append(r.kinds, k)
	return nil
}

// Servers and etcd rest when together they use less than half a core for a moment: pings
// and leases of a thousand take a fifth.
const (
	moment  = 500 * time.Millisecond
	resting = moment / 2
)

// rest waits until the pause is over and neither servers nor etcd have anything to do, and
// collects the garbage.
func (r *result) rest(c *cluster, pause time.Duration) error {
	used := func() (time.Duration, error) {
		etcd, err := c.cpu()
		own, ownErr := rig.OwnCPU()
		if err == nil {
			err = ownErr
		}
		return etcd + own.All, err
	}
	begin := time.Now()
	for now, err := used(); ; {
		if err != nil {
			return err
		}
		before := now
		time.Sleep(moment)
		now, err = used()
		if took := time.Since(begin); took > pause && now-before < resting || took > r.patience {
			break
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if int64(m.HeapAlloc) > int64(r.memory)<<30/4*3 {
		runtime.GC()
	}
	return nil
}

// last looks at what is left when all changes are done.
func (r *result) last(c *cluster) (err error) {
	if r.etcd[2], err = c.memory(); err != nil {
		return err
	}
	own, err := rig.OwnMemory()
	if err != nil {
		return err
	}
	r.peak = own.Peak
	now, err := c.counters()
	if err != nil {
		return err
	}
	r.database = now.database
	return nil
}

// restart restarts etcd, and waits until a put has come to all servers: before, each looks
// whether it is the same store.
func (r *result) restart(ctx context.Context, c *cluster, servers *servers, w *writer) error {
	if err := r.rest(c, r.pause); err != nil {
		return err
	}
	if err := c.restart(); err != nil {
		return err
	}
	next := w.next()
	write, err := w.put(ctx, next)
	if err != nil {
		return err
	}
	next.at = time.Now()
	servers.now.Store(next)
	for err := write(); err != nil; err = write() { // The writer is not connected yet.
		if time.Since(next.at) > r.patience {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	if r.back, err = servers.await(next); err != nil {
		return err
	}
	slices.Sort(r.back)
	if r.again.etcd, err = c.cpu(); err != nil {
		return err
	}
	r.again.warnings = servers.warned()
	r.again.counters, err = c.counters()
	return err
}
