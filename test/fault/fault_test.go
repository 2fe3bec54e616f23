package fault

import (
	"errors"
	"flag"
	"fmt"
	golog "log"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/addressmap/addressmap/test/privilege"
)

// How much is made of it: a few sequences by default, the same each time; many more
// at leisure, others each time, by
//
//	go test -run TestLifeCycle_Faults$ -v -timeout 0 ./test/fault -faults.sequences=10000 -faults.seed=0 -faults.parallel=40 -faults.breath=5ms
//
// A failure prints the seed, and the fewest operations that fail by it, to be
// repeated with -faults.seed and -faults.ops. What depends on the seed is what is
// done, and how; when the server notices does not.
var (
	flagSequences = flag.Int("faults.sequences", 16, "how many random sequences TestLifeCycle_Faults drives")
	flagLength    = flag.Int("faults.length", 6, "how many things happen in each of them")
	flagParallel  = flag.Int("faults.parallel", 16, "how many sequences run at the same time")
	flagFor       = flag.Duration("faults.for", 0, "for how long new sequences are begun; 0 is for no limit")
	flagSeed      = flag.Uint64("faults.seed", 1, "of the first sequence; 0 is for another one each time")
	flagBreath    = flag.Duration("faults.breath", time.Millisecond, "what a client leaves to others after each question: the writers must not be held up")
	flagOps       = flag.String("faults.ops", "", "run just this list of operations, as a failure prints it, with -faults.seed")
)

// timeIsOver returns what reports whether the time for new sequences is over.
func timeIsOver() func() bool {
	begin := time.Now()
	return func() bool { return *flagFor > 0 && time.Since(begin) > *flagFor }
}

// figures are what many sequences add up to. It is safe for concurrent use.
type figures struct {
	mu        sync.Mutex
	sequences int
	single    int // of them with one document, and so on
	polled    int
	absent    int
	asked     int64
	tally
}

func (f *figures) add(w *world) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sequences++
	f.single += btoi(w.single)
	f.polled += btoi(w.began.poll != "off")
	f.absent += btoi(w.began.presence == "off")
	f.asked += w.clients.asked.Load()
	f.reloads += w.tally.reloads
	f.changes += w.tally.changes
	f.complaints += w.tally.complaints
	f.heldUp += w.tally.heldUp
	f.starts += w.tally.starts
	f.refused += w.tally.refused
	f.closed += w.tally.closed
	f.slowest = max(f.slowest, w.tally.slowest)
	for kind, n := range w.tally.faults {
		f.faults[kind] += n
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (f *figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d sequences (%d of one document, %d polled, %d without presence), %d queries, %d versions in force, %d complaints, %d Corefile reloads, %d starts anew and %d refused ones, %d documents closed; longest wait %v; a writer was held up %d times",
		f.sequences, f.single, f.polled, f.absent, f.asked, f.changes, f.complaints, f.reloads, f.starts, f.refused, f.closed, f.slowest.Round(time.Millisecond), f.heldUp)
	for _, kind := range slices.Sorted(maps.Keys(f.faults)) {
		fmt.Fprintf(&b, "\n%6d %s", f.faults[kind], kind)
	}
	return b.String()
}

// Whatever happens to the files, every answer comes wholly from a version that
// may be in force, none fails, and in the end what is in force, the metrics and
// the log are what the model says.
func TestLifeCycle_Faults(t *testing.T) {
	switch ran, all := privilege.GiveUp(t, "faults.", "test.timeout", "test.short"); {
	case ran:
		return
	case all:
		t.Log("permissions are not taken away: this process has all, and another user cannot get to its directories")
	}
	log := new(lines)
	golog.SetOutput(log)
	t.Cleanup(func() { golog.SetOutput(os.Stderr) })
	figures := &figures{tally: tally{faults: make(map[string]int)}}
	run := func(seed uint64, ops []operation) (string, error) {
		return runFaults(t.TempDir(), seed, ops, log, figures)
	}
	seed := *flagSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	if *flagOps != "" {
		ops, err := parseOps(*flagOps)
		if err != nil {
			t.Fatal(err)
		}
		said, err := run(seed, ops)
		t.Logf("%s", said)
		if err != nil {
			t.Error(err)
		}
		return
	}
	var wg sync.WaitGroup
	turn := make(chan struct{}, *flagParallel)
	over := timeIsOver()
	sequences := *flagSequences
	if testing.Short() {
		sequences /= 2
	}
	for i := range uint64(sequences) {
		turn <- struct{}{}
		if t.Failed() || over() {
			break
		}
		wg.Go(func() {
			defer func() { <-turn }()
			ops := randomOps(rand.New(rand.NewPCG(seed+i, 1)), *flagLength)
			if said, err := run(seed+i, ops); err != nil {
				t.Errorf("seed %d: %v\n%s", seed+i, err, said)
				small, said, err := shrink(ops, time.Minute, func(ops []operation) (string, error) { return run(seed+i, ops) })
				t.Errorf("smallest that fails: -faults.seed=%d -faults.ops=%s: %v\n%s", seed+i, joinOps(small), err, said)
			}
		})
	}
	wg.Wait()
	t.Logf("seed %d: %v", seed, figures)
}

// runFaults makes a world and lets everything happen to it. It returns what was
// done, and the first failure.
func runFaults(root string, seed uint64, ops []operation, log *lines, figures *figures) (said string, err error) {
	root, err = filepath.EvalSymlinks(root)
	if err != nil {
		return "", err
	}
	var w *world
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r
		case mishap:
			err = fmt.Errorf("the test itself is in trouble: %w", r)
		default:
			panic(r)
		}
		if w == nil {
			return
		}
		err = errors.Join(err, w.clients.halt(), w.stop())
		_ = os.Chmod(w.disk.dir(), 0o755) // for it to be cleaned up
		figures.add(w)
		if err != nil {
			said = strings.Join(append(w.said, log.entries(root)...), "\n")
		}
		log.forget(root)
		forgetMetrics(w.path())
		_ = os.RemoveAll(root)
	}()
	w = newFaultWorld(root, rand.New(rand.NewPCG(seed, 2)), log)
	w.start()
	w.clients.run(2, &w.current, seed)
	for _, op := range ops {
		w.do(op)
	}
	w.finish()
	return "", nil
}

// finish compares the log and the metrics with the model, mends everything and
// looks whether that is in force.
func (w *world) finish() {
	w.await()
	w.until("no more is said than had to", w.saidNoMore)
	if w.conf.guard > 0 {
		conf := w.conf
		conf.guard = 0
		w.reload(conf)
	}
	rng := rand.New(rand.NewPCG(0, 0))
	w.say("everything is mended")
	w.write(rng, marksName, w.marksFile(3).edition, false)
	for range 2 {
		for i := range tenants {
			w.good(rng, i, false)
		}
	}
	if len(w.troubles) > 0 || len(w.now) == 0 {
		w.fail("the model says that not all is mended: %v", w.troubles)
	}
	w.until("no more is said than had to", w.saidNoMore)
}
