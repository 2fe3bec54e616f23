package live

import (
	"maps"
	"slices"
	"time"
)

// A document of a directory that is gone may be on its way back, as where a copy or a
// synchronisation is under way. Its removal is believed once its name, and those of all that
// went with it, have been absent for the time absence, and no other document has gone for
// the time calm.
// An edit that lets go of something waits for the time move, see [loader.holdBack].
type patience struct{ absence, calm, move time.Duration }

// waits is what the loader of a store has, but for tests.
var waits = patience{absence: 5 * time.Second, calm: 2 * time.Second, move: 250 * time.Millisecond}

// absent is since when the documents are gone that are in force. :: path → when
type absent map[string]time.Time

// miss notes which documents in force are gone now. Those of a map that is a directory no
// more, or was none, are none of its.
func (l *loader) miss(b *batch) {
	now := time.Now()
	was := l.absent
	l.absent = make(absent)
	for _, p := range b.gone {
		if !l.dir || p == l.opt.Path {
			continue
		}
		since, known := was[p]
		if !known {
			since = now
			what := "its last good version is answered"
			if _, closes := l.shut[p]; closes {
				what = "what it may hold stays closed"
			}
			if !l.pushed {
				l.opt.Log.Infof("%s is gone: %s until it has been away for %s", p, what, l.waits.absence)
			}
		}
		l.absent[p] = since
	}
}

// removed returns those of the documents that are gone that count as removed: absent for
// long enough, or moved to the candidates of the batch.
func (l *loader) removed(b *batch) []string {
	now, due := time.Now(), l.absent.due(l.waits)
	l.judged = now
	believed := !l.hidesDocuments(b)
	var out []string
	for _, p := range b.gone {
		at, waits := due[p]
		if !waits || l.pushed || believed && !now.Before(at) || l.hasMoved(p, b) {
			out = append(out, p)
		}
	}
	return out
}

// hidesDocuments reports whether the directory has a document of which no version is in force and
// nobody can tell what it holds: one that is gone may have moved there.
func (l *loader) hidesDocuments(b *batch) bool {
	return slices.ContainsFunc(b.problems, func(p problem) bool {
		_, known := l.docs[p.path]
		return !known && p.path != l.opt.Path
	}) || slices.ContainsFunc(b.candidates, func(c candidate) bool { return l.isNew(c) && !c.src.Doc.HasAllZones })
}

// due returns when each of the documents counts as removed. Those that went together, none
// long after the one before, do so together: what is lost at once is judged as one reload.
// :: path → when
func (a absent) due(w patience) map[string]time.Time {
	latestFirst := slices.SortedFunc(maps.Keys(a), func(p, q string) int { return a[q].Compare(a[p]) })
	out := make(map[string]time.Time, len(a))
	var calm, ripe time.Time
	for i, p := range latestFirst {
		if i == 0 {
			calm = a[p].Add(w.calm)
		}
		if i == 0 || a[latestFirst[i-1]].Sub(a[p]) > w.calm {
			ripe = a[p].Add(w.absence)
		}
		out[p] = ripe
		if calm.After(ripe) {
			out[p] = calm
		}
	}
	return out
}

// hasMoved reports whether all that only one document can hold, but for zones, stands in
// candidates of the batch and no longer in a document that is gone.
func (l *loader) hasMoved(path string, b *batch) bool {
	claimed := make(map[claim]bool)
	for i := range b.candidates {
		for _, what := range claimsOf(b.candidates[i].src.Doc) {
			claimed[what] = true
		}
	}
	moved := false
	for _, what := range l.holds(path) {
		if what.isOfZone() {
			continue
		}
		if !claimed[what] {
			return false
		}
		moved = true
	}
	return moved
}

// await has the documents that are gone looked at again once the next of them may count as
// removed, which may have passed since they were judged: a load takes its time.
func (l *loader) await() {
	var next time.Time
	for _, at := range l.absent.due(l.waits) { // Those that were due then and did not go wait for something else.
		if at.After(l.judged) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if !next.IsZero() && l.wake != nil {
		time.AfterFunc(time.Until(next)+time.Millisecond, l.wake)
	}
}
