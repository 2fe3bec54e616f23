package source

import (
	"os"
	"slices"
	"time"
)

// maxRounds is how often sync begins again because something changed while it
// placed the watches.
const maxRounds = 10

// sync goes all routes again, places the watches along them, and looks at the
// files whose events may have been missed; at all of them if all is true.
//
// A watch that is placed too late misses what happened just before, so the
// routes are gone once more after any watch was added: only when there is
// nothing to add does the kernel tell of all that can happen from then on.
func (w *Watcher) sync(all bool, now time.Time) {
	w.dirty, w.unseen = false, false
	afresh := all
	for round := 0; ; round++ {
		w.tree.gen++
		w.tree.rewalk()
		w.folders = w.folders[:0]
		for _, r := range w.roots {
			w.explore(r, all && round == 0)
		}
		w.prune()
		dirs, err := withMounts(w.tree.directories(), &w.tree)
		w.unseen = w.unseen || err != nil
		added, again := w.eyes.watch(dirs, afresh)
		w.tree.missed(added)
		afresh = false
		if !again {
			break
		}
		if round == maxRounds {
			w.dirty = len(added) > 0
			break
		}
	}
	w.sayBlind()
	if w.unseen {
		w.retry = w.longer(w.retry)
		w.retryAt = now.Add(w.retry)
	} else {
		w.retry, w.retryAt = 0, time.Time{}
	}
	for f := range w.unsure {
		w.judge(f, now)
	}
	clear(w.unsure)
	for _, r := range w.roots {
		r.fresh = false
	}
}

// explore finds the files of r that are not where they were, and the new ones.
func (w *Watcher) explore(r *root, all bool) {
	w.revisit(r.self, all)
	if w.unsure[r.self] {
		if fi, err := os.Stat(r.self.abs); err == nil && fi.IsDir() {
			r.within = w.tree.route(r.self.abs)
		} else if len(r.docs) == 0 {
			r.within = nil
		}
	}
	if r.within == nil {
		return
	}
	w.folders = append(w.folders, r)
	if all || r.within.gen > r.listed {
		r.listed = w.tree.gen
		names, err := documents(r.self.abs) // Known ones that are not listed are looked at anyway.
		if Temporary(err) {
			r.listed, w.unseen = 0, true
		}
		for _, name := range names {
			if r.docs[name] == nil {
				w.unsure[w.addDoc(r, name)] = true
			}
		}
	}
	for _, f := range r.docs {
		w.revisit(f, all)
	}
}

// revisit finds f anew if the way to it has changed, and has it looked at then,
// or anyway.
func (w *Watcher) revisit(f *file, anyway bool) {
	if w.tree.stale(f) {
		w.tree.find(f)
		anyway = true
	}
	if anyway {
		w.unsure[f] = true
	}
}

// prune takes out of the tree what no file needs.
func (w *Watcher) prune() {
	used := make(map[*route]bool)
	use := func(f *file) {
		for _, h := range f.hops {
			used[h.route] = true
		}
	}
	for _, r := range w.roots {
		use(r.self)
		if r.within != nil {
			used[r.within] = true
		}
		for _, f := range r.docs {
			use(f)
		}
	}
	w.tree.prune(used)
}

// judge looks at a file of which no event told.
func (w *Watcher) judge(f *file, now time.Time) {
	s := f.look()
	if r := w.rootOf(f); r.fresh {
		f.told = s
		if s.unreadable() {
			w.again(f, false, now)
		}
		return
	}
	if s != f.seen() && w.tree.find(f) { // A link to it was swapped, which nobody told.
		w.dirty = true
		s = f.look()
	}
	f.compare(s, now)
	w.schedule(f, now)
}

func (w *Watcher) rootOf(f *file) *root {
	if f.in != nil {
		return f.in
	}
	return w.roots[f.path]
}

// happened takes note of what events told.
func (w *Watcher) happened(b burst, now time.Time) {
	dir, name := split(b.path)
	seen, ok := w.eyes.watched[dir]
	if _, self := w.eyes.watched[b.path]; self && (b.created || b.gone) {
		// Something watched was moved or replaced: the watch is on what is not
		// there any more, or was dropped by the kernel.
		w.eyes.forget(b.path, true)
		w.dirty = true
	}
	if !ok {
		return
	}
	at := spot{seen.id, name}
	if w.tree.onWay[at] {
		w.dirty = true
	}
	if IsDocument(name) {
		for _, r := range w.folders {
			if r.within.id == seen.id && r.docs[name] == nil && len(w.addDoc(r, name).hops) > 1 {
				w.dirty = true // What is behind the link has to be watched.
			}
		}
	}
	for _, f := range slices.Clone(w.tree.files[at]) {
		w.touched(f, at, b, now)
	}
}

// touched takes note of events at a spot on the way to f, most often its own.
func (w *Watcher) touched(f *file, at spot, b burst, now time.Time) {
	links := len(f.hops) > 1
	if (b.created || b.gone || links) && w.tree.find(f) && (links || len(f.hops) > 1) {
		w.dirty = true // What is behind a new link has to be watched.
	}
	if f.hops[len(f.hops)-1].spot != at {
		// A link came or went. That says nothing of how the file behind it came.
		b.created, b.moved, b.wrote, b.gone = false, false, false, true
	}
	s := f.look()
	if r := w.roots[f.path]; f.in == nil && s.mode.IsDir() != (r.within != nil) {
		w.unsure[f] = true
		w.dirty = true
	}
	f.touch(b, s, now)
	w.schedule(f, now)
}

// sayBlind logs when the notifications fail and when they are back.
func (w *Watcher) sayBlind() {
	err := w.eyes.blind
	if w.blind == (err != nil) {
		return
	}
	if w.blind = err != nil; !w.blind {
		w.log("File notifications work again")
		return
	}
	w.log("Changes are found by the poll alone, every %s: %v%s", w.interval(), err, remedy(err))
}

// sayRestless logs once that f is not told of because it is always written, and
// has its consumer told so by Read.
func (w *Watcher) sayRestless(f *file, now time.Time) {
	p := f.pending
	age := now.Sub(p.noticed)
	switch {
	case p.warned || age <= patience || p.open && age <= 2*patience: // One that pauses is read as it is by then.
		return
	case p.open:
		w.log("%q has been open for writing for %s: it is read once it is closed, or not written for %s", f.path, 2*patience, patience)
	default:
		w.log("%q has been written for %s without a pause of %s: it is read once it is left alone", f.path, patience, settle)
	}
	p.warned = true
	w.tell(f, p)
}

// sayOpen logs once that f was read although it is open for writing.
func (w *Watcher) sayOpen(f *file, open bool) {
	if open && !f.saidAs {
		w.log("%q is open for writing, but has not been written for %s: it is read as it is", f.path, patience)
	}
	f.saidAs = open
}

// sayStale logs once that what f was mounted from has been replaced.
func (w *Watcher) sayStale(f *file) {
	if f.told.stale && f.warned != f.told.id {
		f.warned = f.told.id
		w.log("%q is a mount of a file that was since deleted or replaced, and still has its old content: mount the directory it is in", f.path)
	}
}
