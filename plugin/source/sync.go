package source

import (
	"os"
	"slices"
	"time"
)

// maxRounds is how often sync begins again because something changed while it
// placed the watches.
const maxRounds = 10

// sync walks all routes again, places the watches along them, and looks at the files
// whose events may have been missed; at all files if all is true.
//
// A watch that is placed too late misses the events just before, so sync walks the
// routes once more after it has added a watch. Only when no watch is missing does the
// kernel send an event for every change from then on.
func (w *Watcher) sync(all bool, now time.Time) {
	w.routesStale, w.incomplete = false, false
	afresh := all
	for round := 0; ; round++ {
		w.tree.gen++
		w.tree.rewalk()
		w.directories = w.directories[:0]
		for _, r := range w.roots {
			w.scan(r, all && round == 0)
		}
		w.prune()
		dirs, err := withMounts(w.tree.directories(), &w.tree)
		w.incomplete = w.incomplete || err != nil
		added, again := w.watches.watch(dirs, afresh)
		w.tree.markStale(added)
		afresh = false
		if !again {
			break
		}
		if round == maxRounds {
			w.routesStale = len(added) > 0
			break
		}
	}
	w.logPollOnly()
	if w.incomplete {
		w.retry = w.nextRetry(w.retry)
		w.retryAt = now.Add(w.retry)
	} else {
		w.retry, w.retryAt = 0, time.Time{}
	}
	w.checkAll(now)
	clear(w.unchecked)
	for _, r := range w.roots {
		r.isNew = false
	}
}

// scan marks the files of r that are not where they were as unchecked, and adds the
// new ones.
func (w *Watcher) scan(r *root, all bool) {
	w.recheck(r.self, all)
	if w.unchecked[r.self] {
		if fi, err := os.Stat(r.self.abs); err == nil && fi.IsDir() {
			r.route = w.tree.route(r.self.abs)
		} else if len(r.docs) == 0 {
			r.route = nil
		}
	}
	if r.route == nil {
		return
	}
	w.directories = append(w.directories, r)
	if all || r.route.gen > r.listedGen {
		r.listedGen = w.tree.gen
		names, err := documents(r.self.abs) // Known documents that are not listed are checked below.
		if Temporary(err) {
			r.listedGen, w.incomplete = 0, true
		}
		for _, name := range names {
			if r.docs[name] == nil {
				w.unchecked[w.addDoc(r, name)] = true
			}
		}
	}
	for _, f := range r.docs {
		w.recheck(f, all)
	}
}

// recheck looks f up again if a route to it has changed, and marks f as unchecked
// then, or if anyway is set.
func (w *Watcher) recheck(f *file, anyway bool) {
	if w.tree.stale(f) {
		w.tree.locate(f)
		anyway = true
	}
	if anyway {
		w.unchecked[f] = true
	}
}

// prune takes the routes that no file needs out of the tree.
func (w *Watcher) prune() {
	used := make(map[*route]bool)
	use := func(f *file) {
		for _, h := range f.hops {
			used[h.route] = true
		}
	}
	for _, r := range w.roots {
		use(r.self)
		if r.route != nil {
			used[r.route] = true
		}
		for _, f := range r.docs {
			use(f)
		}
	}
	w.tree.prune(used)
}

// checkAll looks at the unchecked files. If the swap of a link replaces documents of a
// directory, all those that have changed or come with it are due with the last of them: what
// changes at one stroke is reported as one, also if some of it was written just before.
func (w *Watcher) checkAll(now time.Time) {
	swapped := make(map[*root]time.Time) // :: directory → when the last of its documents is due
	changed := make(map[*file]bool)
	for f := range w.unchecked {
		before := f.lastStamp()
		w.check(f, now)
		if p := f.pending; f.root != nil && p != nil && p.stamp != before && p.stamp.exists() {
			changed[f] = true
			if leadsElsewhere(before, p.stamp) {
				swapped[f.root] = now
			}
		}
	}
	for f := range changed {
		if due, ok := swapped[f.root]; ok && f.pending.due.After(due) {
			swapped[f.root] = f.pending.due
		}
	}
	for f := range w.unchecked {
		if due, ok := swapped[f.root]; ok && changed[f] {
			f.pending.due = due
		}
		w.schedule(f, now)
	}
}

// check looks at a file without an event.
func (w *Watcher) check(f *file, now time.Time) {
	s := f.stat()
	if r := w.rootOf(f); r.isNew {
		f.reported = s
		if s.unreadable() {
			w.scheduleRetry(f, false, now)
		}
		return
	}
	if s != f.lastStamp() && w.tree.locate(f) { // A link to f was swapped without an event.
		w.routesStale = true
		s = f.stat()
	}
	f.applyStamp(s, now)
}

// rootOf returns the root that f belongs to.
func (w *Watcher) rootOf(f *file) *root {
	if f.root != nil {
		return f.root
	}
	return w.roots[f.path]
}

// handleEvents updates the files that the events of a path concern.
func (w *Watcher) handleEvents(e pathEvents, now time.Time) {
	dir, name := splitPath(e.path)
	watched, ok := w.watches.watched[dir]
	if _, self := w.watches.watched[e.path]; self && (e.created || e.gone) {
		// A watched file or directory was moved or replaced: its watch is on a
		// file elsewhere, or the kernel has dropped it.
		w.watches.remove(e.path, true)
		w.routesStale = true
	}
	if !ok {
		return
	}
	at := entry{watched.id, name}
	if w.tree.routeEntries[at] {
		w.routesStale = true
	}
	if IsDocument(name) {
		for _, r := range w.directories {
			if r.route.id == watched.id && r.docs[name] == nil && len(w.addDoc(r, name).hops) > 1 {
				w.routesStale = true // The target of the link has to be watched.
			}
		}
	}
	for _, f := range slices.Clone(w.tree.files[at]) {
		w.handleFileEvents(f, at, e, now)
	}
}

// handleFileEvents updates f by the events of an entry on the way to f, most often
// the entry of f itself.
func (w *Watcher) handleFileEvents(f *file, at entry, e pathEvents, now time.Time) {
	links := len(f.hops) > 1
	if (e.created || e.gone || links) && w.tree.locate(f) && (links || len(f.hops) > 1) {
		w.routesStale = true // The target of a new link has to be watched.
	}
	if f.hops[len(f.hops)-1].entry != at {
		// A link came or went: how its target was made is unknown.
		e.created, e.moved, e.wrote, e.gone = false, false, false, true
	}
	s := f.stat()
	if r := w.roots[f.path]; f.root == nil && s.mode.IsDir() != (r.route != nil) {
		w.unchecked[f] = true
		w.routesStale = true
	}
	f.applyEvents(e, s, now)
	w.schedule(f, now)
}

// logPollOnly logs when the notifications fail and when they work again.
func (w *Watcher) logPollOnly() {
	err := w.watches.err
	if w.pollOnly == (err != nil) {
		return
	}
	if w.pollOnly = err != nil; !w.pollOnly {
		w.log("File notifications work again")
		return
	}
	w.log("Changes are found by the poll alone, every %s: %v%s", w.interval(), err, remedy(err))
}

// logRestless logs once that f is not reported because it is always written, and
// reports f, which Read then refuses with ErrBeingWritten.
func (w *Watcher) logRestless(f *file, now time.Time) {
	p := f.pending
	age := now.Sub(p.noticed)
	switch {
	case p.loggedRestless || age <= maxWait || p.open && age <= 2*maxWait: // An open file whose writer pauses is read as it is by then.
		return
	case p.open:
		w.log("%q has been open for writing for %s: it is read once it is closed, or not written for %s", f.path, 2*maxWait, maxWait)
	default:
		w.log("%q has been written for %s without a pause of %s: it is read once it is left alone", f.path, maxWait, settleDelay)
	}
	p.loggedRestless = true
	w.report(f, p)
}

// logOpen logs once that f was read although it is open for writing.
func (w *Watcher) logOpen(f *file, open bool) {
	if open && !f.loggedOpen {
		w.log("%q is open for writing, but has not been written for %s: it is read as it is", f.path, maxWait)
	}
	f.loggedOpen = open
}

// logStaleMount logs once that the file that is mounted at f has been replaced.
func (w *Watcher) logStaleMount(f *file) {
	if f.reported.unlinked && f.loggedMount != f.reported.id {
		f.loggedMount = f.reported.id
		w.log("%q is a mount of a file that was since deleted or replaced, and still has its old content: mount the directory it is in", f.path)
	}
}
