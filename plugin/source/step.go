package source

import (
	"maps"
	"slices"
	"time"
)

const (
	// eventlessPoll is the longest interval of the poll without notifications:
	// with settleDelay, a change is then reported within a second.
	eventlessPoll = 400 * time.Millisecond
	// overflowDelay is the time from an overflow to the look at all files, so
	// that one look is for many overflows.
	overflowDelay = 100 * time.Millisecond
	// settleInterval is the least time between two looks at the unsettled files.
	settleInterval = 10 * time.Millisecond
)

// step does the work that is due. It returns the change to report, nil for none, and
// for how long there is no more work.
func (w *Watcher) step(now time.Time) (*Change, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events, overflowed := w.inbox.take()
	for _, e := range events {
		w.handleEvents(e, now)
	}
	if overflowed && w.resyncAt.IsZero() {
		// A queue that overflows once does so all the time: leave most of the
		// processor to other work.
		w.resyncAt = now.Add(max(overflowDelay, 5*w.syncTook))
	}
	switch {
	case reached(&w.resyncAt, now), reached(&w.pollAt, now), reached(&w.retryAt, now):
		w.watches.tryOpen()
		w.sync(true, now)
		w.syncTook = time.Since(now)
	case w.routesStale:
		w.sync(false, now)
	}
	w.reportSettled(now)
	if every := w.interval(); every > 0 && w.pollAt.IsZero() {
		w.pollAt = now.Add(every)
	}
	if w.change == nil && len(w.unreported) > 0 {
		w.change = &Change{Paths: slices.Sorted(maps.Keys(w.unreported)), Noticed: w.noticed}
	}
	return w.change, w.wait(now)
}

// reached reports whether the time at has come, and unsets at then.
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
	case w.watches.err == nil:
		return w.poll
	case w.poll == 0:
		return eventlessPoll
	}
	return min(w.poll, eventlessPoll)
}

// wait returns for how long there is no work.
func (w *Watcher) wait(now time.Time) time.Duration {
	if w.routesStale {
		return settleInterval
	}
	wait := time.Hour
	for _, at := range []time.Time{w.pollAt, w.resyncAt, w.retryAt, w.settleAt} {
		if !at.IsZero() {
			wait = min(wait, at.Sub(now))
		}
	}
	return max(0, wait)
}

// schedule makes the Watcher look at f when its pending change is due, which may be
// now.
func (w *Watcher) schedule(f *file, now time.Time) {
	switch {
	case f.pending == nil:
	case !f.pending.due.After(now) && !w.routesStale:
		w.finish(f, now)
	default:
		w.unsettled[f] = true
		if w.settleAt.IsZero() || f.pending.due.Before(w.settleAt) {
			w.settleAt = f.pending.due
		}
		w.logRestless(f, now)
	}
}

// reportSettled reports the files that have settled.
func (w *Watcher) reportSettled(now time.Time) {
	if w.routesStale || !reached(&w.settleAt, now) {
		return
	}
	for f := range w.unsettled {
		if !f.pending.due.After(now) {
			w.finish(f, now)
		}
	}
	for f := range w.unsettled {
		if at := f.pending.due; w.settleAt.IsZero() || at.Before(w.settleAt) {
			w.settleAt = at
		}
	}
	if soon := now.Add(settleInterval); !w.settleAt.IsZero() && w.settleAt.Before(soon) {
		w.settleAt = soon
	}
}

// finish reports f if it has settled, and schedules another look if not.
func (w *Watcher) finish(f *file, now time.Time) {
	p, readable := f.pending, !f.reported.unreadable()
	settled, report := f.settled(now)
	if !settled {
		w.unsettled[f] = true
		w.schedule(f, now)
		return
	}
	delete(w.unsettled, f)
	if report {
		w.report(f, p)
		w.logStaleMount(f)
	}
	switch {
	case f.reported.unreadable():
		if f.reported.err == errDangling.Error() {
			f.retry = 0 // A look at a link costs little.
		}
		w.scheduleRetry(f, false, now)
	case !readable:
		f.retry = 0
	}
	if f.root != nil && f.reported.err == absent {
		w.dropDoc(f)
	}
}

// report adds f, with its change p, to the unreported files.
func (w *Watcher) report(f *file, p *pending) {
	if len(w.unreported) == 0 || p.noticed.Before(w.noticed) {
		w.noticed = p.noticed
	}
	w.unreported[f.path] = true
	w.change = nil
}

// delivered clears the unreported files, whose Change c the consumer has received. If
// files were added since, as by Set, all are reported once more.
func (w *Watcher) delivered(c *Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.change == c {
		clear(w.unreported)
		w.change = nil
	}
}
