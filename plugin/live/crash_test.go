package live_test

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/live"
)

// How much is made of it: a few crashes by default, with the same seed each time. What
// depends on the seed is what is edited, and for how long, not what the process has
// done by then.
var (
	crashes   = flag.Int("crashes", 30, "how often TestLife_Crash crashes")
	crashSeed = flag.Uint64("crashes.seed", 1, "of what it does; 0 is for another one each time")
)

// A process that keeps a map in force while it is edited all the time is killed
// at random points, often while it writes its state. Whatever the map is by then,
// a start succeeds with a version that was accepted, the protected map is still
// protected, and no serial goes back or stands for two versions.
func TestLife_Crash(t *testing.T) {
	t.Parallel()
	seed, n := cmp.Or(*crashSeed, rand.Uint64()), *crashes/2
	for i, kind := range []string{"file", "directory"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newCrashWorld(t, rand.New(rand.NewPCG(seed, uint64(i))), kind == "directory")
			for i := 0; i < n && !t.Failed(); i++ {
				w.round()
			}
			c := &w.count
			t.Logf("seed %d; %d crashes: %d while the state was written, %d before the start was done; %d edits, %d versions seen in force", seed, n, c.writing, c.early, c.edits, len(w.seen))
			t.Logf("restarts: %d with no good map, %d without the protected map, %d with a good map", c.restarts[noMap], c.restarts[unprotected], c.restarts[goodMap])
			t.Logf("where the map was not to be used: %d began with what was in force at the crash, %d with the version before, %d with one not seen yet", c.last, c.before, c.ahead)
		})
	}
}

// round crashes a process and starts from what it has left.
func (w *crashWorld) round() {
	w.t.Helper()
	w.crash()
	if w.writing() {
		w.count.writing++
	}
	kind := atRestart(w.rng.IntN(int(restartKinds)))
	w.count.restarts[kind]++
	w.prepare(kind)

	r := &rig{t: w.t, dir: w.disk.dir}
	opt := crashOptions(w.path(), w.state)
	opt.Log, opt.Loaded = r, r.loaded
	var err error
	if r.Store, err = live.Open(opt); err != nil {
		w.t.Fatalf("want a start whatever the map is: %v", err)
	}
	defer func() { w.disk.do(r.Close()) }()
	w.wantStarted(kind, r)

	// What is protected is protected still.
	refused := len(p1(r))
	w.write(w.disk.rename, w.next(), withoutMap)
	r.until("the loss of the protected map is refused", func() bool { return len(p1(r)) > refused && r.last().Degraded })
	w.look(see(r.Snapshot()))
}

// p1 returns the errors that say that the protected map would go.
func p1(r *rig) []string {
	var out []string
	for _, line := range r.logged("error") {
		if strings.Contains(line, `P1: address map "keep/0" of account "keep" has can_delete: false`) {
			out = append(out, line)
		}
	}
	return out
}

// wantStarted compares what is in force after a restart with what may be.
func (w *crashWorld) wantStarted(kind atRestart, r *rig) {
	w.t.Helper()
	s := see(r.Snapshot())
	last, before := w.seen[len(w.seen)-1], w.seen[max(0, len(w.seen)-2)]
	w.look(s)
	switch {
	case kind == goodMap || kind == unprotected && w.dir: // there, the other documents are good
		if s.a != w.version || s.b != w.version {
			w.t.Errorf("in force: %v; want version %d, which was on disk", s, w.version)
		}
	case s == last:
		w.count.last++
	case s == before:
		w.count.before++
	case s.a >= last.a && s.b >= last.b:
		w.count.ahead++
	default:
		w.t.Errorf("in force: %v; want %v, or what came next to it; before: %v", s, last, before)
	}
	if degraded := r.last().Degraded; degraded != (kind != goodMap) {
		w.t.Errorf("degraded %t with a restart of kind %d; log %q", degraded, kind, r.logged("error"))
	}
	if kind == unprotected && !w.dir && len(p1(r)) == 0 { // a document that is gone is waited for
		w.t.Errorf("nobody says that the protected map would go: %q", r.logged("error"))
	}
}

// look checks what clients see next.
func (w *crashWorld) look(s sight) {
	w.t.Helper()
	last := s
	if len(w.seen) > 0 {
		last = w.seen[len(w.seen)-1]
	}
	if !s.kept {
		w.t.Errorf("the protected map is gone: %v after %v", s, last)
	}
	for _, z := range []struct {
		zone           string
		version        int
		serial, before uint32
		of             map[uint32]int
	}{{"a", s.a, s.aSer, last.aSer, w.aOf}, {"b", s.b, s.bSer, last.bSer, w.bOf}} {
		if !w.good[z.version] {
			w.t.Errorf("version %d of %s was never good: %v after %v", z.version, z.zone, s, last)
		}
		if z.serial < z.before {
			w.t.Errorf("the serial of %s went back: %v after %v", z.zone, s, last)
		}
		if v, known := z.of[z.serial]; known && v != z.version {
			w.t.Errorf("serial %d of %s stands for the versions %d and %d: %v after %v", z.serial, z.zone, v, z.version, s, last)
		}
		z.of[z.serial] = z.version
	}
	if s != last || len(w.seen) == 0 {
		w.seen = append(w.seen, s)
	}
}

// crash edits the map while a process has it in force, until that is killed, and
// looks at what clients of it saw.
func (w *crashWorld) crash() {
	w.t.Helper()
	cmd := exec.Command(os.Args[0], w.path(), w.state)
	cmd.Env = append(os.Environ(), crashChild+"=1")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	w.disk.do(err)
	w.disk.do(cmd.Start())
	var lines []string
	started, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			if lines = append(lines, s.Text()); len(lines) == 1 {
				close(started)
			}
		}
	}()
	aim := rand.New(rand.NewPCG(w.rng.Uint64(), 0)) // A source is not for two goroutines.
	go func() {
		w.await(aim, started, ended)
		_ = cmd.Process.Kill() // Wait says if it had ended before.
	}()
	for alive := true; alive; {
		w.edit()
		select {
		case <-ended:
			alive = false
		case <-time.After(time.Duration(w.rng.IntN(20_000)) * time.Microsecond):
		}
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		w.t.Fatalf("want a start whatever the map is, and the process killed, got %v: %s", err, &errs)
	}
	if len(lines) == 0 {
		w.count.early++
	}
	for _, line := range lines {
		w.look(parseSight(w.t, line))
	}
}

// await waits for a moment to kill a process: one of its start, or one after it,
// every other time one at which it writes its state.
func (w *crashWorld) await(aim *rand.Rand, started, ended <-chan struct{}) {
	// Not to wait for anything: to hit any point.
	within := func(d time.Duration) { time.Sleep(time.Duration(aim.Int64N(int64(d)))) }
	if aim.IntN(4) == 0 {
		within(15 * time.Millisecond)
		return
	}
	select {
	case <-started:
	case <-ended:
		return
	}
	within(80 * time.Millisecond)
	if aim.IntN(2) == 0 {
		for end := time.Now().Add(time.Second); !w.writing() && time.Now().Before(end); {
		}
	}
}

// writing reports whether there is a file in the state that is not complete.
func (w *crashWorld) writing() bool {
	found := false
	_ = filepath.WalkDir(w.state, func(path string, _ fs.DirEntry, err error) error {
		found = found || err == nil && strings.HasSuffix(path, ".tmp")
		return nil // Files come and go.
	})
	return found
}
