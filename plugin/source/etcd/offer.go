package etcd

import (
	"bytes"
	"maps"
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

// maxOffers is how many offers wait for a slow taker. Only stages that come and go make so
// many of them.
const maxOffers = 8

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

// addAll adds all names of documents.
func (d *dirty) addAll(docs fleet.Documents) {
	now := time.Now()
	for name := range docs {
		d.add(name, now)
	}
}

// addNames adds names.
func (d *dirty) addNames(names map[string]struct{}) {
	now := time.Now()
	for name := range names {
		d.add(name, now)
	}
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

// offer is what is handed over at once.
type offer struct {
	values   map[string][]byte // :: name → value, nil if it was removed
	noticed  time.Time
	judged   bool
	alone    bool // of a judged one: nothing before it is judged by it
	position Position
}

// covers says what an offer was judged with.
type covers int

const (
	nothing    covers = iota // it is judged where it is taken
	itself                   // it alone was judged
	everything               // it was, with all that was offered before
)

// publish offers what is dirty. What was judged and what was not are offers of their own,
// for they are judged differently, unless the former covers the latter.
func (s *Source) publish(judged covers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &offer{values: make(map[string][]byte), noticed: time.Now(), judged: judged != nothing, alone: judged == itself, position: s.store.position()}
	if len(s.dirty.names) > 0 {
		next.noticed = s.dirty.first
	}
	for name := range s.dirty.names {
		doc := s.store.document(name)
		if was, is := s.handed(name); is == !doc.Removed && bytes.Equal(was, doc.Value) {
			continue
		}
		switch {
		case doc.Removed:
			next.values[name] = nil
		case doc.Value == nil:
			next.values[name] = []byte{}
		default:
			next.values[name] = doc.Value
		}
	}
	clear(s.dirty.names)
	if judged != everything && len(next.values) == 0 {
		return
	}
	for n := len(s.offers); n > 0 && (judged == everything || n >= maxOffers || s.offers[n-1].judged == next.judged); n-- {
		was := s.offers[n-1]
		maps.Copy(was.values, next.values)
		was.judged = judged == everything || was.judged && next.judged
		was.alone = judged != everything && was.alone
		was.position = next.position
		next, s.offers = was, s.offers[:n-1]
	}
	s.offers = append(s.offers, next)
	s.signal()
}

// handed returns what is or will be handed over of a document. The caller holds mu.
func (s *Source) handed(name string) (value []byte, is bool) {
	for _, o := range slices.Backward(s.offers) {
		if value, is := o.values[name]; is {
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
	if len(s.offers) == 0 {
		return c
	}
	o := s.offers[0]
	s.offers = slices.Delete(s.offers, 0, 1)
	c.Noticed, c.Judged, c.Alone = o.noticed, o.judged, o.judged && o.alone
	for name, value := range o.values {
		c.Paths = append(c.Paths, s.Path(name))
		if value == nil {
			delete(s.current, name)
		} else {
			s.current[name] = value
		}
	}
	slices.Sort(c.Paths)
	s.status.Push, s.position = o.position.Push, o.position
	if len(s.offers) > 0 {
		s.signal()
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
	for _, o := range s.offers {
		for name := range o.values {
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
	return s.hasDrains(st)
}
