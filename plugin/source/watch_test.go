package source

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

// patienceOfTests is how long a test waits for what must happen. It is not what
// is promised, only what no loaded machine should need.
const patienceOfTests = time.Minute

// What the files of most tests hold, before they change and after.
const (
	before = "old: [1, 2, 3]\nsum: 6\n"
	after  = "new: [4, 5, 6, 7]\nsum: 22\n"
)

// mountChild is set in the environment of a test run in a mount namespace of its
// own.
const mountChild = "SOURCE_TEST_MOUNT_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(mountChild) != "" {
		os.Exit(m.Run())
	}
	// The tests wait for writers and for files to settle; they need no CPU.
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("20")
	}
	goleak.VerifyTestMain(m)
}

// A mode is a way in which the Watcher comes to know of changes.
type mode struct {
	name    string
	opts    Options
	watches func() *watchSet
}

var modes = []mode{
	{"notified", Options{}, func() *watchSet { return newWatchSet(shared) }},
	{"polled", Options{Poll: 40 * time.Millisecond}, closedWatchSet},
}

// closedWatchSet returns the watchSet of a machine without free inotify instances.
func closedWatchSet() *watchSet {
	k := newNotifier()
	k.open = func() (*fsnotify.Watcher, error) { return nil, syscall.EMFILE }
	return newWatchSet(k)
}

// A reader does what the consumer of a Watcher does: it reads what is named and
// keeps the last good content.
type reader struct {
	t *testing.T
	w *Watcher

	mu      sync.Mutex
	inForce map[string]string // :: path → content; "" if it was named and is gone
	refused map[string]error  // :: path → why it was not read when last named
	changes []Change
	wrong   []string                        // what a judge has found
	judges  map[string]func(content string) // :: path → called with every content that comes into force
}

// observe starts a Watcher of paths and a reader of it.
func observe(t *testing.T, m mode, paths ...string) *reader {
	t.Helper()
	m.opts.Log = t.Logf
	return readFrom(t, newWatcher(m.opts, m.watches()), paths...)
}

func readFrom(t *testing.T, w *Watcher, paths ...string) *reader {
	t.Helper()
	r := &reader{t: t, w: w, inForce: make(map[string]string), refused: make(map[string]error),
		judges: make(map[string]func(string))}
	w.Set(paths)
	for _, p := range paths {
		r.read(p)
		if docs, err := List(p); err == nil {
			for _, d := range docs {
				r.read(d)
			}
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c := range w.Changes() {
			r.take(c)
		}
	}()
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("closing the watcher: %v", err)
		}
		<-done
		_, excused := heldUp.Load(t.Name())
		for _, wrong := range r.wrong {
			if t.Log(wrong); !excused {
				t.Fail()
			}
		}
	})
	return r
}

func (r *reader) take(c Change) {
	r.mu.Lock()
	r.changes = append(r.changes, c)
	r.mu.Unlock()
	for _, p := range c.Paths {
		r.read(p)
	}
}

func (r *reader) read(path string) {
	data, err := r.w.Read(path, 1<<20)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.refused, path)
	switch {
	case err == nil:
		r.inForce[path] = string(data)
	case errors.Is(err, fs.ErrNotExist):
		r.inForce[path] = ""
	default:
		r.refused[path] = err
		return
	}
	if judge := r.judges[path]; judge != nil {
		judge(r.inForce[path])
	}
}

// onlyEver makes the test fail if anything else than contents is ever in force
// for path; "" is for its absence.
func (r *reader) onlyEver(path string, contents ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judges[path] = func(content string) {
		if !slices.Contains(contents, content) {
			r.wrong = append(r.wrong, fmt.Sprintf("in force for %s: %q, want only ever one of %q", path, content, contents))
		}
	}
}

// content returns what is in force for path.
func (r *reader) content(path string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inForce[path]
}

// named returns how often path was named, and by the last of all changes when.
func (r *reader) named(path string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.changes {
		if slices.Contains(c.Paths, path) {
			n++
		}
	}
	return n
}

// wait waits until path has the content want in force.
func (r *reader) wait(path, want string) {
	r.t.Helper()
	eventually(r.t, func() bool { return r.content(path) == want },
		func() string {
			return fmt.Sprintf("want %q in force for %s, got %q (refused: %v)", want, path, r.content(path), r.refusal(path))
		})
}

func (r *reader) refusal(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused[path]
}

// newNotifier returns fsnotify's watcher, if need be when other processes have
// left one to open.
func newFsnotify(t *testing.T) *fsnotify.Watcher {
	t.Helper()
	var fw *fsnotify.Watcher
	var err error
	eventually(t, func() bool { fw, err = fsnotify.NewWatcher(); return err == nil },
		func() string { return fmt.Sprintf("no notifications: %v", err) })
	return fw
}

// eventually polls until ok, or fails with what say says.
func eventually(t *testing.T, ok func() bool, say func() string) {
	t.Helper()
	for end := time.Now().Add(patienceOfTests); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s within %s", say(), patienceOfTests)
		}
	}
}

// The rest are the moves of the writers.

func put(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writeSlowly writes content into path in three writes with pauses, opened with
// flag.
func writeSlowly(t *testing.T, path, content string, flag int) {
	t.Helper()
	third := len(content) / 3
	writeParts(t, path, []string{content[:third], content[third : 2*third], content[2*third:]}, flag,
		func() time.Duration { return 150 * time.Millisecond })
}

// longestPause is what a writer of the tests may pause for; it is less than the
// settling time, or the tests are wrong.
const longestPause = 400 * time.Millisecond

// heldUp has the names of tests whose writer made a longer pause than it wanted:
// the machine had other things to do. What was read then is nobody's fault.
var heldUp sync.Map

// writeParts writes parts into path, opened with flag, with pauses between.
func writeParts(t *testing.T, path string, parts []string, flag int, pause func() time.Duration) {
	t.Helper()
	f, err := os.OpenFile(path, flag|os.O_WRONLY, 0o644)
	must(t, err)
	last := time.Now()
	for i, part := range parts {
		if i > 0 {
			time.Sleep(pause())
		}
		_, err := f.WriteString(part)
		must(t, err)
		if gap := time.Since(last); gap > longestPause {
			heldUp.Store(t.Name(), true)
			t.Logf("the writer was delayed for %s", gap)
		}
		last = time.Now()
	}
	must(t, f.Close())
}

// link makes the symbolic link at path point to target, by rename.
func link(t *testing.T, target, path string) {
	t.Helper()
	must(t, os.Symlink(target, path+".tmp"))
	must(t, os.Rename(path+".tmp", path))
}

// publish writes files as kubelet does for a ConfigMap: a directory with the
// payload, the ..data link swapped over to it by rename, then the links that
// users see, and at last the old payload removed.
func publish(t *testing.T, dir, version string, files map[string]string) {
	t.Helper()
	payload := "..2026_02_20_" + version
	for name, content := range files {
		put(t, filepath.Join(dir, payload, name), content)
	}
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	must(t, os.Symlink(payload, filepath.Join(dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	for name := range files {
		err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if _, ok := files[e.Name()]; !ok && !strings.HasPrefix(e.Name(), "..") {
			must(t, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	if old != "" {
		must(t, os.RemoveAll(filepath.Join(dir, old)))
	}
}
