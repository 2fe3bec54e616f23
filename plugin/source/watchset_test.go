package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A lens lets a test take events away, as an overflowing queue does.
type lens struct {
	dropping atomic.Bool
	marked   atomic.Bool // an event of a file called marker was dropped
	errs     chan error  // fsnotify's own
}

func (l *lens) watchSet(t *testing.T) *watchSet {
	n := newNotifier()
	n.open = func() (*fsnotify.Watcher, error) {
		fw := newFsnotify(t)
		in, out := fw.Events, make(chan fsnotify.Event)
		fw.Events, l.errs = out, fw.Errors
		go func() {
			defer close(out)
			for ev := range in {
				switch {
				case !l.dropping.Load():
					out <- ev
				case filepath.Base(ev.Name) == "marker":
					l.marked.Store(true)
				}
			}
		}()
		return fw, nil
	}
	return newWatchSet(n)
}

// Events are lost: every kind of change is found all the same, also that of the
// directories themselves.
func TestLifeCycle_EventsLost(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dir := base + "/maps"
	a, b, c, plain := dir+"/a.yaml", dir+"/b.yaml", dir+"/c.yaml", base+"/plain/map"
	for _, p := range []string{a, b, plain} {
		put(t, p, before)
	}
	var l lens
	r := observe(t, mode{watches: func() *watchSet { return l.watchSet(t) }}, dir, plain)
	for _, p := range []string{a, b, c, plain} {
		r.onlyEver(p, before, after, "")
	}
	overflow := func() {
		l.dropping.Store(false)
		l.errs <- fsnotify.ErrEventOverflow
	}

	l.dropping.Store(true)
	put(t, a, after)
	must(t, os.Remove(b))
	put(t, c, before)
	must(t, os.Rename(base+"/plain", base+"/plain.old"))
	put(t, plain, after)
	put(t, dir+"/marker", "")
	eventually(t, l.marked.Load, func() string { return "the events did not come" })
	overflow()
	r.wait(a, after)
	r.wait(b, "")
	r.wait(c, before)
	r.wait(plain, after)

	// The watches stand again: no loss, and every change is reported.
	put(t, c, after)
	r.wait(c, after)
	put(t, plain, before)
	r.wait(plain, before)

	// An overflow while a writer is at work does not cut the wait short.
	done := make(chan struct{})
	go func() {
		defer close(done)
		writeSlowly(t, a, before, os.O_TRUNC)
	}()
	for range 5 {
		overflow()
	}
	<-done
	r.wait(a, before)
}

// What happens while the watches are placed has no event, and is
// found all the same.
func TestSet_WhileFilesChange(t *testing.T) {
	t.Parallel()
	// during returns a watchSet that calls do before the first watch of a directory.
	during := func(dir string, do func()) *watchSet {
		k := newNotifier()
		k.open = func() (*fsnotify.Watcher, error) { return newFsnotify(t), nil }
		add, done := k.add, false
		k.add = func(fw *fsnotify.Watcher, path string) error {
			if !done && (dir == "" || path == dir) {
				done = true
				do()
			}
			return add(fw, path)
		}
		return newWatchSet(k)
	}
	t.Run("directory replaced", func(t *testing.T) {
		dir := t.TempDir() + "/maps"
		path := dir + "/map.yaml"
		put(t, path, before)
		r := readFrom(t, newWatcher(Options{Log: t.Logf}, during("", func() {
			put(t, dir+".new/map.yaml", before)
			must(t, os.Rename(dir, dir+".old"))
			must(t, os.Rename(dir+".new", dir))
		})), path)
		put(t, path, after)
		r.wait(path, after)
	})
	t.Run("document created", func(t *testing.T) {
		dir := t.TempDir()
		path := dir + "/map.yaml"
		w := newWatcher(Options{Log: t.Logf}, during(dir, func() { put(t, path, before) }))
		defer w.Close()
		w.Set([]string{dir})
		if data, err := w.Read(path, 1<<20); err != nil || string(data) != before {
			t.Errorf("want %q at once, got %q, %v", before, data, err)
		}
	})
}

// A diary is a log that a test can read.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) log(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// with returns the lines that contain s.
func (d *diary) with(s string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []string
	for _, l := range d.lines {
		if strings.Contains(l, s) {
			found = append(found, l)
		}
	}
	return found
}

func (d *diary) want(t *testing.T, s string, times int) {
	t.Helper()
	eventually(t, func() bool { return len(d.with(s)) >= times }, func() string { return fmt.Sprintf("want %q logged %d times", s, times) })
	if got := d.with(s); len(got) != times {
		t.Errorf("want %q logged %d times, got %q", s, times, got)
	}
}

// Without notifications, or without enough of them, the poll finds what changes,
// even if it is off; that is said once, and said again when it is over.
func TestLifeCycle_NoNotifications(t *testing.T) {
	t.Parallel()
	noInstance := fmt.Errorf("couldn't initialize inotify: %w", syscall.EMFILE)
	tests := []struct {
		name    string
		watches func(broken *atomic.Bool) *watchSet
		said    string
	}{
		{"no instance", func(b *atomic.Bool) *watchSet { return unopened(b, noInstance) },
			"poll alone, every 400ms: no file notifications: couldn't initialize inotify: too many open files: raise the sysctl fs.inotify.max_user_instances"},
		{"not in this kernel", func(b *atomic.Bool) *watchSet { return unopened(b, syscall.ENOSYS) },
			"poll alone, every 400ms: no file notifications: function not implemented"},
		{"watch limit", func(b *atomic.Bool) *watchSet { return unadded(b, syscall.ENOSPC, 2) },
			`: no space left on device: raise the sysctl fs.inotify.max_user_watches`},
		{"directory that cannot be read", func(b *atomic.Bool) *watchSet { return unadded(b, syscall.EACCES, 1) },
			`: permission denied: let the directory be read`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var d diary
			var broken atomic.Bool
			broken.Store(true)
			dir := t.TempDir()
			path, doc := filepath.Join(dir, "one/two/map"), filepath.Join(dir, "maps/a.yaml")
			put(t, path, before)
			put(t, doc, before)
			r := readFrom(t, newWatcher(Options{Log: d.log}, tt.watches(&broken)), path, filepath.Dir(doc))
			d.want(t, tt.said, 1)
			writeSlowly(t, path, after, os.O_TRUNC)
			put(t, doc, after)
			r.wait(path, after)
			r.wait(doc, after)
			r.w.Set([]string{path, filepath.Dir(doc), dir + "/more"})
			d.want(t, tt.said, 1)

			broken.Store(false)
			d.want(t, "notifications work again", 1)
			put(t, path, before)
			put(t, doc, before)
			r.wait(path, before)
			r.wait(doc, before)
			d.want(t, tt.said, 1)
		})
	}
}

// unopened returns a watchSet without notifications while broken.
func unopened(broken *atomic.Bool, err error) *watchSet {
	k := newNotifier()
	open := k.open
	k.open = func() (*fsnotify.Watcher, error) {
		if broken.Load() {
			return nil, err
		}
		return open()
	}
	return newWatchSet(k)
}

// unadded returns a watchSet that, while broken, watches n directories and no more.
func unadded(broken *atomic.Bool, err error, n int) *watchSet {
	k := newNotifier()
	e, add := newWatchSet(k), k.add
	k.add = func(fw *fsnotify.Watcher, path string) error {
		if broken.Load() && len(e.watched) >= n {
			return err
		}
		return add(fw, path)
	}
	return e
}

// A poll that is set is used and named, unless it would be too late.
func TestLifeCycle_NoNotificationsButPoll(t *testing.T) {
	for poll, says := range map[time.Duration]string{30 * time.Second: "every 400ms", 100 * time.Millisecond: "every 100ms"} {
		var d diary
		w := newWatcher(Options{Poll: poll, Log: d.log}, closedWatchSet())
		defer w.Close()
		d.want(t, "poll alone, "+says, 1)
	}
}
