package live_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashChild) != "" {
		fmt.Fprintln(os.Stderr, runCrashChild(os.Args[1], os.Args[2]))
		os.Exit(1)
	}
	live.Hasten(shortAbsence, shortCalm)
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // They wait for files to settle, and compute little.
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// How long tests wait for a document that is gone.
const (
	shortAbsence = 300 * time.Millisecond
	shortCalm    = 100 * time.Millisecond
	time1h       = time.Hour
)

// rig is a store of files in a directory of their own, and what it told.
type rig struct {
	*live.Store
	t   *testing.T
	dir string // where its files are

	mu    sync.Mutex
	lines []string // of the log, the level in front
	loads []live.Load
}

// newRig writes the files, by their names, and opens the map at path among them.
func newRig(t *testing.T, files map[string]string, path string, opt live.Options) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	for name, text := range files {
		r.write(name, text)
	}
	if err := r.open(path, opt); err != nil {
		t.Fatal(err)
	}
	return r
}

// open opens the map; whoever gets a store has it closed at the end of the test.
func (r *rig) open(path string, opt live.Options) error {
	opt.Path, opt.Log, opt.Loaded = r.path(path), r, r.loaded
	s, err := live.Open(opt)
	if err != nil {
		return err
	}
	r.Store = s
	r.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return nil
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

// write writes a file in place.
func (r *rig) write(name, text string) {
	r.t.Helper()
	r.do(os.MkdirAll(filepath.Dir(r.path(name)), 0o777))
	r.do(os.WriteFile(r.path(name), []byte(text), 0o666))
}

// rename writes a file beside it and renames that over it.
func (r *rig) rename(name, text string) {
	r.t.Helper()
	beside := r.path(name) + ".new"
	r.do(os.WriteFile(beside, []byte(text), 0o666))
	r.do(os.Rename(beside, r.path(name)))
}

func (r *rig) remove(name string) {
	r.t.Helper()
	r.do(os.RemoveAll(r.path(name)))
}

func (r *rig) do(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) Infof(format string, args ...any)    { r.log("info", format, args) }
func (r *rig) Warningf(format string, args ...any) { r.log("warning", format, args) }
func (r *rig) Errorf(format string, args ...any)   { r.log("error", format, args) }

func (r *rig) log(level, format string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, level+": "+strings.ReplaceAll(fmt.Sprintf(format, args...), r.dir+"/", ""))
}

func (r *rig) loaded(l live.Load) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loads = append(r.loads, l)
}

// logged returns the lines of one level.
func (r *rig) logged(level string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.lines), func(l string) bool { return !strings.HasPrefix(l, level+": ") })
}

// results returns the results of the loads so far.
func (r *rig) results() []live.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []live.Result
	for _, l := range r.loads {
		out = append(out, l.Result)
	}
	return out
}

// all returns the loads so far.
func (r *rig) all() []live.Load {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.loads)
}

// last returns the last load, also if it is still under way: the log tells of it before.
func (r *rig) last() live.Load {
	r.Snapshot() // It waits for the end of a load.
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.loads[len(r.loads)-1]
}

// told is the address that clients get for a name now, or "".
func (r *rig) told(name fqdn.Name) string {
	for _, ip := range r.Snapshot().Lookup(name).Addrs(mapset.IPv4) {
		return ip.String()
	}
	return ""
}

// until waits for something to become true.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("waited in vain until %s; loads %+v; log:\n%s", what, r.loads, strings.Join(r.lines, "\n"))
		}
	}
}

// untilTold waits until clients get the address for the name.
func (r *rig) untilTold(name fqdn.Name, address string) {
	r.t.Helper()
	r.until(fmt.Sprintf("%s is told %q", name, address), func() bool { return r.told(name) == address })
}

// untilLoads waits until there were n loads, the first one included.
func (r *rig) untilLoads(n int) {
	r.t.Helper()
	r.until(fmt.Sprintf("there are %d loads", n), func() bool { return len(r.results()) >= n })
}

// check compares what is told now with pairs of names and addresses.
func (r *rig) check(pairs ...string) {
	r.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := r.told(fqdn.Name(pairs[i])); got != pairs[i+1] {
			r.t.Errorf("%s is told %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}

// checkDegraded compares the last load with what is wanted. One that found nothing new may
// have followed it.
func (r *rig) checkDegraded(result live.Result, degraded bool) {
	r.t.Helper()
	l := r.last()
	loads := r.all()
	for i := len(loads) - 1; i > 0 && l.Result == live.Unchanged && result != live.Unchanged && l.Degraded == degraded; i-- {
		l = loads[i-1]
	}
	if l.Result != result || l.Degraded != degraded {
		r.t.Errorf("last load: %s, degraded %t; want %s, %t", l.Result, l.Degraded, result, degraded)
	}
}
