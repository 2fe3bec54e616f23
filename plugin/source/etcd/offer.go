package etcd

import (
	"bytes"
	"slices"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
)

// How long documents that change without a head wait for others to change with them: quiet
// after the last one, restless after the first.
const (
	quiet    = 200 * time.Millisecond
	restless = 700 * time.Millisecond
)

// dirty is the documents that may have changed and are in no offer yet.
type dirty struct {
	names       map[string]struct{}
	first, last time.Time
}

func (d *dirty) add(name string, now time.Time) {
	if d.names == nil {
		d.names = make(map[string]struct{})
	}
	if len(d.names) == 0 {
		d.first = now
	}
	d.names[name], d.last = struct{}{}, now
}

// due is when they are handed over without a head; zero if there are none.
func (d *dirty) due() time.Time {
	if len(d.names) == 0 {
		return time.Time{}
	}
	due, latest := d.last.Add(quiet), d.first.Add(restless)
	if due.After(latest) {
		return latest
	}
	return due
}

// offer is what is to be handed over next.
type offer struct {
	values  map[string][]byte // :: name → value, nil if it was removed
	noticed time.Time
	judged  bool
	push    int64
}

// publish offers what is dirty. What was judged and what was not go one after the other,
// for they are judged differently: publish reports false if the former is not taken yet.
func (s *Source) publish(judged bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offer != nil && s.offer.judged && !judged {
		return false
	}
	next := s.offer
	if next == nil {
		next = &offer{values: make(map[string][]byte), noticed: s.dirty.first}
	}
	next.judged, next.push = judged, s.store.head.Push
	for name := range s.dirty.names {
		doc := s.store.document(name)
		if was, is := s.handed(name); is == !doc.Removed && bytes.Equal(was, doc.Value) {
			continue
		}
		if doc.Removed {
			next.values[name] = nil
		} else {
			next.values[name] = append([]byte{}, doc.Value...) // of a whole message
		}
	}
	clear(s.dirty.names)
	s.offer = next
	s.signal()
	return true
}

// handed returns what is or will be handed over of a document. The caller holds mu.
func (s *Source) handed(name string) (value []byte, is bool) {
	if s.offer != nil {
		if value, is := s.offer.values[name]; is {
			return value, value != nil
		}
	}
	value, is = s.current[name]
	return value, is
}

// Take hands over what has changed: from now on, List and Read tell of this version.
func (s *Source) Take() Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Change{Change: source.Change{Noticed: time.Now()}}
	o := s.offer
	if o == nil {
		return c
	}
	c.Noticed, c.Judged = o.noticed, o.judged
	for name, value := range o.values {
		c.Paths = append(c.Paths, s.Path(name))
		if value == nil {
			delete(s.current, name)
		} else {
			s.current[name] = value
		}
	}
	slices.Sort(c.Paths)
	s.status.Push, s.offer = o.push, nil
	select {
	case s.taken <- struct{}{}:
	default:
	}
	return c
}

// names returns all names of documents that may be handed over or are.
func (s *Source) names(st *store) map[string]struct{} {
	out := make(map[string]struct{})
	for _, docs := range []fleet.Documents{st.documents, st.staging, st.stage} {
		for name := range docs {
			out[name] = struct{}{}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.current {
		out[name] = struct{}{}
	}
	if s.offer != nil {
		for name := range s.offer.values {
			out[name] = struct{}{}
		}
	}
	return out
}

// isHanded reports whether everything of the store is or will be handed over.
func (s *Source) isHanded(st *store) bool {
	for name := range s.names(st) {
		doc := st.document(name)
		s.mu.Lock()
		was, is := s.handed(name)
		s.mu.Unlock()
		if is == doc.Removed || is && !bytes.Equal(was, doc.Value) {
			return false
		}
	}
	return true
}
