package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// A file that cannot be read is read again after pauses that grow from firstRetry
// to the interval of the poll, or to lastRetry without a poll.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// Read is [Read] of a file that the Watcher watches. A file that is not as last
// reported (or as it was at Set), or is open for writing, may be half written: Read
// refuses such a file with [ErrUnsettled], even if it is gone, and a Change names it
// again. A Change also names a file that Read could not read for a [Temporary]
// reason. Read refuses a file that is written without a pause with
// [ErrBeingWritten].
func (w *Watcher) Read(path string, limit int64) ([]byte, error) {
	r, err := readStable(path, limit, w.openStamp(path))
	if err := w.noteRead(path, r, err); err != nil {
		return nil, err
	}
	return r.data, nil
}

// Await is [Await] of a file that the Watcher watches, for the start, when no Change
// was received yet. If Await fails because of a writer or for a [Temporary] reason, a
// Change names the file again. Await also waits for a file that was there at Set and
// has disappeared: its directory may be on the way back.
func (w *Watcher) Await(path string, limit int64, until time.Time) ([]byte, error) {
	r, err := await(path, limit, until, func(r reading, err error) bool {
		return !errors.Is(err, fs.ErrNotExist) || w.isReported(path, r.stamp)
	})
	_ = w.noteRead(path, r, err) // A file that is not as reported is read here nevertheless.
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
		w.scheduleRetry(r.self, true, time.Now())
		w.wakeUp()
	default:
		r.self.retry = 0
	}
	return paths, err
}

// noteRead schedules another look at a file by the outcome of reading it. It returns
// err, or why the content must not be used.
func (w *Watcher) noteRead(path string, r reading, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, watched := w.fileAt(path)
	switch {
	case !watched || w.closed:
		return err
	case f == nil && r.stamp.err == absent:
		return err
	case f == nil: // The file is new: the next sync adds it.
		return fmt.Errorf("reading %q: %w", path, ErrUnsettled)
	}
	defer w.wakeUp()
	now := time.Now()
	switch {
	case errors.Is(err, ErrBeingWritten):
		w.scheduleSoon(f, now)
	case !f.reported.sameContent(r.stamp):
		f.applyStamp(f.stat(), now)
		w.scheduleSoon(f, now) // For a file that is as reported again by now.
		w.schedule(f, now)
	case Temporary(err):
		w.scheduleRetry(f, true, now)
		return err
	default:
		f.retry = 0
		w.logOpen(f, err == nil && r.open)
		return err
	}
	if f.pending != nil && f.pending.loggedRestless {
		return beingWritten(path)
	}
	return fmt.Errorf("reading %q: %w", path, ErrUnsettled)
}

// scheduleSoon makes the Watcher report f once f has settled.
func (w *Watcher) scheduleSoon(f *file, now time.Time) {
	if f.pending == nil {
		f.startPending(now).due = now.Add(openPoll)
	}
	f.pending.named = true
	w.schedule(f, now)
}

// scheduleRetry makes the Watcher look at f after a pause that is longer each time,
// and if named is set report f even if it has not changed.
func (w *Watcher) scheduleRetry(f *file, named bool, now time.Time) {
	if f.pending == nil {
		f.retry = w.nextRetry(f.retry)
		p := f.startPending(now)
		p.due, p.retry = now.Add(f.retry), true
	}
	f.pending.named = f.pending.named || named
	w.schedule(f, now)
}

// nextRetry returns the pause that follows the given one; 0 stands for none.
func (w *Watcher) nextRetry(pause time.Duration) time.Duration {
	most := w.poll
	if most == 0 {
		most = lastRetry
	}
	return min(max(firstRetry, 2*pause), most)
}

// wakeUp makes run compute anew when it has work to do.
func (w *Watcher) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// openStamp returns the stamp with which the file at path is read although it is
// open for writing, or a zero stamp.
func (w *Watcher) openStamp(path string) stamp {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f, _ := w.fileAt(path); f != nil && f.readOpen {
		return f.reported
	}
	return stamp{}
}

// isReported reports whether s has the content that was last reported for path. For a
// path that is not watched, it is true.
func (w *Watcher) isReported(path string, s stamp) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, watched := w.fileAt(path)
	if f == nil {
		return !watched || s.err == absent
	}
	return f.reported.sameContent(s)
}

// fileAt returns the file that the consumer knows by path, nil if there is none, and
// whether the path is watched.
func (w *Watcher) fileAt(path string) (f *file, watched bool) {
	if r := w.roots[path]; r != nil {
		return r.self, true
	}
	name := filepath.Base(path)
	for _, r := range w.directories {
		if filepath.Join(r.self.path, name) == path {
			return r.docs[name], true
		}
	}
	return nil, false
}
