//go:build unix

package source

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// exhaust takes all descriptors that this process may have, until free is called.
func exhaust(t *testing.T) (free func()) {
	t.Helper()
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	lower := limit
	lower.Cur = 64
	var taken []*os.File
	freed := false
	free = func() {
		if freed {
			return
		}
		freed = true
		for _, f := range taken {
			f.Close()
		}
		must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	}
	t.Cleanup(free)
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lower))
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return free
		}
		taken = append(taken, f)
	}
}

// Case of issue 17: what was renamed in while there were no descriptors is read
// when there are, though nothing happens to it any more and there is no poll.
func TestLifeCycle_NoDescriptors(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			dir := t.TempDir()
			path, doc := dir+"/map.yaml", dir+"/maps/new.yaml"
			put(t, path, before)
			put(t, path+".tmp", after)
			put(t, dir+"/doc.tmp", after)
			must(t, os.Mkdir(dir+"/maps", 0o755))
			r := observe(t, m, path, dir+"/maps")
			free := exhaust(t)
			must(t, os.Rename(path+".tmp", path))
			must(t, os.Rename(dir+"/doc.tmp", doc))
			eventually(t, func() bool { return errors.Is(r.refusal(path), syscall.EMFILE) },
				func() string { return "the lack of descriptors is not logged" })
			free()
			r.wait(path, after)
			r.wait(doc, after)
			r.w.mu.Lock()
			defer r.w.mu.Unlock()
			if f, _ := r.w.fileAt(path); f.retry != 0 {
				t.Errorf("after a success, the next pause is %s", f.retry)
			}
		})
	}
}

// A directory that could not be listed is listed again, and its documents are reported.
func TestLifeCycle_NoDescriptorsForTheDirectory(t *testing.T) {
	dir := t.TempDir()
	doc := dir + "/a.yaml"
	put(t, doc, before)
	w := newWatcher(Options{Log: t.Logf}, newWatchSet(shared))
	defer w.Close()
	free := exhaust(t)
	w.Set([]string{dir})
	if _, err := w.List(dir); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("want %v, got %v", syscall.EMFILE, err)
	}
	free()
	named := make(map[string]bool)
	for deadline := time.After(patienceOfTests); !named[dir] || !named[doc]; {
		select {
		case c := <-w.Changes():
			for _, p := range c.Paths {
				named[p] = true
			}
		case <-deadline:
			t.Fatalf("want the directory and its document named, got %v", named)
		}
	}
}

// The watches that could not be placed are placed when they can be; till then the
// poll finds what happens.
func TestLifeCycle_NoDescriptorsForTheWatches(t *testing.T) {
	path := t.TempDir() + "/map.yaml"
	put(t, path, before)
	put(t, path+".tmp", after)
	var d diary
	free := exhaust(t)
	w := newWatcher(Options{Log: d.log}, newWatchSet(newNotifier()))
	r := readFrom(t, w, path)
	d.want(t, "Changes are found by the poll alone", 1)
	must(t, os.Rename(path+".tmp", path))
	free()
	r.wait(path, after)
	d.want(t, "File notifications work again", 1)
}

// Pauses double from a quarter of a second to the interval of the poll, or to half a
// minute if there is none.
func TestLifeCycle_GrowingPauses(t *testing.T) {
	for _, tt := range []struct {
		poll time.Duration
		want []time.Duration // the first ones
		last time.Duration
	}{
		{0, []time.Duration{firstRetry, 2 * firstRetry, 4 * firstRetry}, 30 * time.Second},
		{time.Second, []time.Duration{firstRetry, 2 * firstRetry}, time.Second},
		{100 * time.Millisecond, []time.Duration{100 * time.Millisecond}, 100 * time.Millisecond},
	} {
		w := &Watcher{poll: tt.poll}
		var pause time.Duration
		for i := range 20 {
			pause = w.nextRetry(pause)
			if i < len(tt.want) && pause != tt.want[i] {
				t.Errorf("poll %s: pause %d is %s, want %s", tt.poll, i, pause, tt.want[i])
			}
		}
		if pause != tt.last {
			t.Errorf("poll %s: at last the pause is %s, want %s", tt.poll, pause, tt.last)
		}
	}
}

func TestTemporary(t *testing.T) {
	dir := t.TempDir()
	_, missing := Read(dir+"/none", 1)
	_, below := List(dir + "/none/below")
	put(t, dir+"/file", before)
	_, none := Read(dir+"/file/below", 1)
	_, nodir := List(dir + "/file")
	_, large := Read(dir+"/file", 1)
	_, irregular := Read(dir, 1)
	for _, err := range []error{nil, missing, below, none, nodir, large, irregular, ErrUnsettled, beingWritten("x")} {
		if Temporary(err) {
			t.Errorf("%v is temporary", err)
		}
	}
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EACCES, syscall.EIO, syscall.ESTALE} {
		if !Temporary(&os.PathError{Op: "open", Path: "x", Err: err}) {
			t.Errorf("%v is not temporary", err)
		}
	}
}
