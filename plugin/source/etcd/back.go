package etcd

import (
	"errors"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// errBack is why nothing of a store that went back is handed over.
var errBack = errors.New("the store went back: it was restored from a backup, or is another one; what is in force stays until addressmap push says that its content is meant")

// goneBack is a store that went back and of which nothing is handed over.
type goneBack struct {
	seen         fleet.Head // the last head before
	headRevision int64      // of the head that the store came back with
}

// ends reports whether somebody has pushed since, and so says that the content is meant.
func (g *goneBack) ends(st *store) bool {
	return st.headRevision > g.headRevision && (st.head.Digest != g.seen.Digest || st.head.Push > g.seen.Push)
}

// wentBack reports whether the store that next begins with is not what followed the one
// that was seen.
func (s *Source) wentBack(next *store) bool {
	was := s.store
	if was == nil {
		return false
	}
	return next.cluster != was.cluster || next.revision < s.seen ||
		next.headRevision != was.headRevision && next.headRevision <= s.seen
}

// adopt goes on with a store that was listed anew. What differs from what was handed over
// is offered, unless the store went back. whole says that the documents are those that the
// head was written with.
func (s *Source) adopt(next *store, back, whole bool) {
	first := s.store == nil
	switch {
	case back && s.isHanded(next):
		s.opt.Log("%s: etcd went back, and holds what is in force", s.opt.Map)
		s.goneBack = nil
	case back:
		if s.goneBack == nil {
			s.goneBack = &goneBack{seen: s.store.head}
		}
		s.goneBack.headRevision = next.headRevision
		s.opt.Log("%s: %v", s.opt.Map, errBack)
	case s.goneBack != nil && (s.goneBack.ends(next) || s.isHanded(next)):
		s.goneBack = nil
	}
	if back {
		s.seen = next.revision
	}
	s.store, s.verified, s.suspicious = next, true, false
	s.setStatus(func(st *Status) { st.Back = s.backError() })
	clear(s.dirty.names)
	now := time.Now()
	for name := range s.names(next) {
		s.dirty.add(name, now)
	}
	if s.goneBack == nil && !s.publish(whole) {
		s.dirty.last = now // when the offer before was taken
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
