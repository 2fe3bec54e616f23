package live

import (
	"errors"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// base is what a batch is compiled on top of. A map of one document is compiled
// anew as a whole, so that nothing of the document need be kept.
func (l *loader) base() sets {
	out := make(sets, len(l.views))
	for i, v := range l.views {
		out[i] = v.set
		if !l.dir || v.set == nil {
			out[i] = mapset.NewSet(v.compile)
		}
	}
	return out
}

// apply brings a batch into force, or as much of it as is good, at one stroke.
func (l *loader) apply(b *batch) {
	l.miss(b)
	b.gone = l.removed(b)
	b.gone = slices.DeleteFunc(b.gone, func(p string) bool {
		_, known := l.docs[p]
		if !known { // It was closed, and is no more.
			b.settled = append(b.settled, p)
			delete(l.absent, p)
			delete(l.names, p)
		}
		return !known
	})
	changes := b.changes()
	if b.unsettled { // What is being written may be what something moves to.
		changes = slices.DeleteFunc(changes, func(c change) bool { return c.next == nil && !l.isFresh(c) })
	}
	v := l.decide(changes)
	accepted := changesOf(v.accepted)
	if l.empties(accepted) {
		b.problems = append(b.problems, problem{path: l.opt.Path, err: errEmptied, result: Failed})
		b.settled = slices.DeleteFunc(b.settled, func(p string) bool { return p == l.opt.Path })
		accepted = nil
	}
	for _, g := range v.refused {
		for _, c := range g.changes {
			b.refuse(c.path, c.version(), c.document(), g.why(c))
		}
	}
	if len(accepted) > 0 {
		l.swap(v.sets, accepted)
	}
}

// errEmptied keeps what is in force of a directory that has nothing good any more.
// That is an accident: a mount that is not there, a copy that failed.
var errEmptied = errors.New("no good document is left of the map: put one back")

// empties reports whether nothing at all would be in force after the changes.
func (l *loader) empties(changes []change) bool {
	left := len(l.docs)
	for _, c := range changes {
		if _, known := l.docs[c.path]; c.next == nil {
			left--
		} else if !known {
			left++
		}
	}
	return len(changes) > 0 && left == 0
}

// swap puts the sets in force that the changes have led to.
func (l *loader) swap(next sets, changes []change) {
	for _, c := range changes {
		delete(l.troubles, c.path)
		delete(l.shut, c.path)
		if c.next != nil {
			l.take(c.next)
			continue
		}
		delete(l.docs, c.path)
		delete(l.absent, c.path)
		l.order = nil
		delete(l.names, c.path)
	}
	l.put(next)
}

// take notes that a document comes into force.
func (l *loader) take(c *candidate) {
	c.src.Doc.Forget()
	was, known := l.docs[c.path]
	if !known {
		l.order = nil
	}
	text := was.text
	if !known || was.sum != c.sum {
		text = pack(c.text)
	}
	l.docs[c.path] = document{digest: c.digest, sum: c.sum, text: text, zones: c.zones}
}
