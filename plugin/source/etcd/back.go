package etcd

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// errBack is why nothing of a store that went back is handed over.
var errBack = errors.New("the store went back: it was restored from a backup, or is another one; what is in force stays until addressmap push says that its content is meant")

// goneBack is a store that went back and of which nothing is handed over.
type goneBack struct {
	head         fleet.Head // that the store came back with
	headRevision int64
}

// ends reports whether somebody has pushed since, and so says that the content is meant.
func (g *goneBack) ends(st *store) bool {
	return st.headRevision > g.headRevision && (st.head.Digest != g.head.Digest || st.head.Push > g.head.Push)
}

// wentBack reports whether the store that next begins with is not what followed the one
// that was seen.
func (s *Source) wentBack(next *store) bool {
	was := s.store
	if was == nil {
		return false
	}
	return next.cluster != was.cluster || next.revision < s.seen ||
		next.headRevision != was.headRevision && next.headRevision <= was.revision
}

// isRewritten reports whether a document is not the one that was seen at its revision: the
// store was restored and then written beyond the revision that was seen.
func (s *Source) isRewritten(next *store) bool {
	if !s.isListed {
		return false // Of a position, no documents are known.
	}
	for name, doc := range next.documents {
		was := s.store.documents[name]
		if doc.Revision <= s.store.revision && (doc.Revision != was.Revision || !bytes.Equal(doc.Value, was.Value)) {
			return true
		}
	}
	return false
}

// adopt goes on with a store that was listed anew. What differs from what was handed over
// is offered, unless the store went back. judged says that the documents are those that the
// head was written with.
func (s *Source) adopt(next *store, back, judged bool) {
	first := !s.isListed
	switch {
	case back && s.isHanded(next):
		s.opt.Log("%s: etcd went back, and holds what is in force", s.opt.Map)
		s.goneBack = nil
	case back && next.head.Push > s.store.head.Push: // A restored head has a lower number.
		s.opt.Log("%s: etcd went back, and somebody has pushed since", s.opt.Map)
		s.goneBack = nil
	case back:
		s.goneBack = &goneBack{next.head, next.headRevision}
		s.opt.Log("%s: %v", s.opt.Map, errBack)
	case s.goneBack != nil && (s.goneBack.ends(next) || s.isHanded(next)):
		s.goneBack = nil
	}
	if back {
		s.seen = next.revision
	}
	s.store, s.stage, s.isListed, s.anew, s.verified, s.suspicious = next, s.opt.Stage, true, false, true, false
	s.setStatus(func(st *Status) { st.Back = s.backError() })
	clear(s.dirty.names)
	s.dirty.addNames(s.names(next))
	switch {
	case s.goneBack != nil:
	case judged:
		s.setDrains()
		s.publish(everything)
	default:
		s.setDrains()
		s.publish(nothing)
	}
	if first {
		close(s.listed)
	}
}

// backError is why nothing is handed over, nil if it is.
func (s *Source) backError() error {
	if s.goneBack == nil {
		return nil
	}
	return errBack
}

// Position is where what was handed over is from. The zero value is that of nowhere.
type Position struct {
	Cluster      uint64
	Revision     int64 // of the store
	HeadRevision int64
	Push         int64  // of the head
	Digest       string // of the head
}

// position returns that of the store.
func (st *store) position() Position {
	return Position{st.cluster, st.revision, st.headRevision, st.head.Push, st.head.Digest}
}

// store returns a store of which no more is known than its position; nil for nowhere.
func (p Position) store() *store {
	if p == (Position{}) {
		return nil
	}
	return &store{cluster: p.Cluster, revision: p.Revision, headRevision: p.HeadRevision, head: fleet.Head{Push: p.Push, Digest: p.Digest}}
}

// String returns the position as [ParsePosition] reads it; "" for nowhere.
func (p Position) String() string {
	if p == (Position{}) {
		return ""
	}
	return fmt.Sprintf("cluster %d revision %d head %d push %d digest %s", p.Cluster, p.Revision, p.HeadRevision, p.Push, cmp.Or(p.Digest, "-"))
}

// ParsePosition reads what String has written. What it did not write is nowhere.
func ParsePosition(s string) (p Position) {
	if _, err := fmt.Sscanf(s, "cluster %d revision %d head %d push %d digest %s", &p.Cluster, &p.Revision, &p.HeadRevision, &p.Push, &p.Digest); err != nil {
		return Position{}
	}
	if p.Digest == "-" {
		p.Digest = ""
	}
	return p
}
