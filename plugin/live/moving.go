package live

import (
	"slices"
	"time"
)

// holdBack takes documents out of the batch that let go of a zone, an account or anycast which
// no other document of the batch takes, and has them looked at again a moment later. The one
// that takes it may be written just after, as where a whole directory is copied, and in between
// its names would be answered with their origins.
func (l *loader) holdBack(b *batch) {
	was, now := l.moving, time.Now()
	l.moving = make(map[string]time.Time)
	if l.pushed {
		return
	}
	changes := b.changes()
	letsGo := l.lettingGo(changes)
	for _, g := range l.linked(changes) {
		if !slices.ContainsFunc(g.changes, letsGo) {
			continue
		}
		for _, c := range g.changes {
			since, known := was[c.path]
			if !known {
				since = now
			}
			if now.Sub(since) < l.waits.move {
				l.moving[c.path] = since
			}
		}
	}
	b.candidates = slices.DeleteFunc(b.candidates, func(c candidate) bool {
		_, waits := l.moving[c.path]
		return waits
	})
	if len(l.moving) > 0 && l.wake != nil {
		time.AfterFunc(l.waits.move, l.wake)
	}
}

// lettingGo returns whether one of the changes is a new version of a document that lets go of
// something which none of them takes.
func (l *loader) lettingGo(changes []change) func(change) bool {
	left := l.left(changes)
	for _, c := range changes {
		for _, what := range c.claimed() {
			delete(left, what)
		}
	}
	lets := make(map[string]bool)
	for _, i := range left {
		lets[changes[i].path] = changes[i].next != nil && l.isFresh(changes[i])
	}
	return func(c change) bool { return lets[c.path] }
}
