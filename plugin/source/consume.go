package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// What cannot be read is tried again after pauses that grow from firstRetry to
// the interval of the poll, or to lastRetry without one.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// Read is [Read] of a file that the Watcher watches, but for this: if the file is
// not as it was when it was last told of (or Set), or is open for writing, then it
// may be just half written, and Read refuses it with [ErrUnsettled], even if it is
// gone. A Change names it again, also if it was not read for a [Temporary] reason.
// Of a file that was said to be written without a pause, it is [ErrBeingWritten].
func (w *Watcher) Read(path string, limit int64) ([]byte, error) {
	r, err := readStable(path, limit, w.asIs(path))
	if err := w.noted(path, r, err); err != nil {
		return nil, err
	}
	return r.data, nil
}

// Await is [Await] of a file that the Watcher watches: at the start, when nothing
// was told of yet. If it fails for a writer or for a [Temporary] reason, a Change
// names the file again. It waits as well for a file that was there when it was Set
// and is not: its directory may be on the way back.
func (w *Watcher) Await(path string, limit int64, until time.Time) ([]byte, error) {
	r, err := await(path, limit, until, func(r reading, err error) bool {
		return !errors.Is(err, fs.ErrNotExist) || w.asTold(path, r.stamp)
	})
	_ = w.noted(path, r, err) // What is not as told is read here nevertheless.
	return r.data, err
}

// List is [List] of a directory that the Watcher watches. If it fails for a
// [Temporary] reason, a Change names the directory.
func (w *Watcher) List(dir string) ([]string, error) {
	paths, err := List(dir)
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.roots[dir]
	switch {
	case r == nil || w.closed:
	case Temporary(err):
		w.again(r.self, true, time.Now())
		w.rouse()
	default:
		r.self.retry = 0
	}
	return paths, err
}

// noted takes note of how the reading of a file went. It returns err, or why the
// file must not be read as it is.
func (w *Watcher) noted(path string, r reading, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, watched := w.fileAt(path)
	switch {
	case !watched || w.closed:
		return err
	case f == nil && r.stamp.err == absent:
		return err
	case f == nil: // It is new, and will be found.
		return fmt.Errorf("reading %q: %w", path, ErrUnsettled)
	}
	defer w.rouse()
	now := time.Now()
	switch {
	case errors.Is(err, ErrBeingWritten):
		w.lookSoon(f, now)
	case !f.told.sameContent(r.stamp):
		f.compare(f.look(), now)
		w.lookSoon(f, now) // If it is as told again by now.
		w.schedule(f, now)
	case Temporary(err):
		w.again(f, true, now)
		return err
	default:
		f.retry = 0
		w.sayOpen(f, err == nil && r.open)
		return err
	}
	if f.pending != nil && f.pending.warned {
		return beingWritten(path)
	}
	return fmt.Errorf("reading %q: %w", path, ErrUnsettled)
}

// lookSoon sees to it that f is told of, once it has settled.
func (w *Watcher) lookSoon(f *file, now time.Time) {
	if f.pending == nil {
		f.pend(now).due = now.Add(lookAgain)
	}
	f.pending.named = true
	w.schedule(f, now)
}

// again sees to it that f is looked at again after a pause that is longer each
// time, and, if it is named, told of even if it is as it was.
func (w *Watcher) again(f *file, named bool, now time.Time) {
	if f.pending == nil {
		f.retry = w.longer(f.retry)
		p := f.pend(now)
		p.due, p.retry = now.Add(f.retry), true
	}
	f.pending.named = f.pending.named || named
	w.schedule(f, now)
}

// longer returns the pause that follows one, or the first after none.
func (w *Watcher) longer(pause time.Duration) time.Duration {
	most := w.poll
	if most == 0 {
		most = lastRetry
	}
	return min(max(firstRetry, 2*pause), most)
}

// rouse wakes up run, for which there may be a new time to do so.
func (w *Watcher) rouse() {
	select {
	case w.set <- struct{}{}:
	default:
	}
}

// asIs returns the stamp with which path is to be read though it is open for
// writing.
func (w *Watcher) asIs(path string) stamp {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f, _ := w.fileAt(path); f != nil && f.asIs {
		return f.told
	}
	return stamp{}
}

// asTold reports whether s is what was told of path. Of a path that is not
// watched, everything is.
func (w *Watcher) asTold(path string, s stamp) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, watched := w.fileAt(path)
	if f == nil {
		return !watched || s.err == absent
	}
	return f.told.sameContent(s)
}

// fileAt returns the file that the consumer knows by path, nil if there was none,
// and whether one would be watched.
func (w *Watcher) fileAt(path string) (f *file, watched bool) {
	if r := w.roots[path]; r != nil {
		return r.self, true
	}
	name := filepath.Base(path)
	for _, r := range w.folders {
		if filepath.Join(r.self.path, name) == path {
			return r.docs[name], true
		}
	}
	return nil, false
}
