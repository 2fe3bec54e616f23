package source

import (
	"maps"
	"slices"
	"time"
)

const (
	// blindPoll is the longest interval of the poll where there are no
	// notifications: with the time to settle, a change is told within a second.
	blindPoll = 400 * time.Millisecond
	// lostDelay is for how long events may go on being lost before everything
	// is looked at once for all of them.
	lostDelay = 100 * time.Millisecond
	// restGrain is the least time between two searches for settled files.
	restGrain = 10 * time.Millisecond
)

// step does all there is to do now. It returns the change to tell, if any, and
// for how long there is nothing else to do.
func (w *Watcher) step(now time.Time) (*Change, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	bursts, lost := w.inbox.take()
	for _, b := range bursts {
		w.happened(b, now)
	}
	if lost && w.lostAt.IsZero() {
		// Where events are lost at all, they are all the time: leave most of
		// the time to others.
		w.lostAt = now.Add(max(lostDelay, 5*w.took))
	}
	switch {
	case reached(&w.lostAt, now), reached(&w.pollAt, now), reached(&w.retryAt, now):
		w.eyes.tryOpen()
		w.sync(true, now)
		w.took = time.Since(now)
	case w.dirty:
		w.sync(false, now)
	}
	w.rest(now)
	if every := w.interval(); every > 0 && w.pollAt.IsZero() {
		w.pollAt = now.Add(every)
	}
	if w.change == nil && len(w.news) > 0 {
		w.change = &Change{Paths: slices.Sorted(maps.Keys(w.news)), Noticed: w.noticed}
	}
	return w.change, w.wait(now)
}

// reached reports whether at has come, and unsets it then.
func reached(at *time.Time, now time.Time) bool {
	if at.IsZero() || at.After(now) {
		return false
	}
	*at = time.Time{}
	return true
}

// interval returns the time between two polls, 0 for none.
func (w *Watcher) interval() time.Duration {
	switch {
	case w.eyes.blind == nil:
		return w.poll
	case w.poll == 0:
		return blindPoll
	}
	return min(w.poll, blindPoll)
}

// wait returns for how long there is nothing to do.
func (w *Watcher) wait(now time.Time) time.Duration {
	if w.dirty {
		return restGrain
	}
	wait := time.Hour
	for _, at := range []time.Time{w.pollAt, w.lostAt, w.retryAt, w.restAt} {
		if !at.IsZero() {
			wait = min(wait, at.Sub(now))
		}
	}
	return max(0, wait)
}

// schedule sees to it that f is looked at again when its pending change is due,
// which may be now.
func (w *Watcher) schedule(f *file, now time.Time) {
	switch {
	case f.pending == nil:
	case !f.pending.due.After(now) && !w.dirty:
		w.finish(f, now)
	default:
		w.unrested[f] = true
		if w.restAt.IsZero() || f.pending.due.Before(w.restAt) {
			w.restAt = f.pending.due
		}
		w.sayRestless(f, now)
	}
}

// rest tells of the files that have settled.
func (w *Watcher) rest(now time.Time) {
	if w.dirty || !reached(&w.restAt, now) {
		return
	}
	for f := range w.unrested {
		if !f.pending.due.After(now) {
			w.finish(f, now)
		}
	}
	for f := range w.unrested {
		if at := f.pending.due; w.restAt.IsZero() || at.Before(w.restAt) {
			w.restAt = at
		}
	}
	if soon := now.Add(restGrain); !w.restAt.IsZero() && w.restAt.Before(soon) {
		w.restAt = soon
	}
}

// finish tells of f if it has settled, and has it looked at later if not.
func (w *Watcher) finish(f *file, now time.Time) {
	p, could := f.pending, !f.told.unreadable()
	rest, tell := f.settled(now)
	if !rest {
		w.unrested[f] = true
		w.schedule(f, now)
		return
	}
	delete(w.unrested, f)
	if tell {
		w.tell(f, p)
		w.sayStale(f)
	}
	switch {
	case f.told.unreadable():
		if f.told.err == errDangling.Error() {
			f.retry = 0 // to look at a link costs little
		}
		w.again(f, false, now)
	case !could:
		f.retry = 0
	}
	if f.in != nil && f.told.err == absent {
		w.dropDoc(f)
	}
}

// tell puts f, with its change p, into the news.
func (w *Watcher) tell(f *file, p *pending) {
	if len(w.news) == 0 || p.noticed.Before(w.noticed) {
		w.noticed = p.noticed
	}
	w.news[f.path] = true
	w.change = nil
}

// delivered forgets what has been told. If there is more since, which Set may
// have found, everything is told once more: the news do not say what is new.
func (w *Watcher) delivered(c *Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.change == c {
		clear(w.news)
		w.change = nil
	}
}
