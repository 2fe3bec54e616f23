package etcd

import (
	"bytes"
	"context"
	"maps"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// Drains returns the files of drains by their names. What a store that went back holds is
// not among them, but what somebody writes there since is: a drain only takes addresses
// away, and may be needed just then.
func (s *Source) Drains() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.drains)
}

// DrainsPath returns the path of a file of drains of that name.
func (s *Source) DrainsPath(name string) string {
	return fleet.Scheme + s.nextOpt.Map.Drains() + name
}

// drained applies the event of a file of drains.
func (s *Source) drained(name string, e *clientv3.Event) {
	if e.Kv.ModRevision <= s.store.drainsRevision {
		return // It was read since.
	}
	removed := e.Type == clientv3.EventTypeDelete
	if removed {
		delete(s.store.drains, name)
	} else {
		s.store.drains[name] = fleet.Document{Value: e.Kv.Value, Revision: e.Kv.ModRevision}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if removed {
		delete(s.drains, name)
	} else {
		s.drains[name] = e.Kv.Value
	}
	s.signal()
}

// readDrains reads all files of drains anew: a look at the documents tells nothing of them.
func (s *Source) readDrains(ctx context.Context, client clientv3.KV, revision int64) error {
	drains, err := documentsBelow(ctx, client, s.opt.Map.Drains(), revision)
	if err != nil {
		return err
	}
	s.store.drains, s.store.drainsRevision = drains, revision
	if s.goneBack == nil {
		s.setDrains()
	}
	return nil
}

// hasDrains reports whether the files of drains of the store are those handed over.
func (s *Source) hasDrains(st *store) bool {
	return maps.EqualFunc(s.Drains(), st.drains, func(text []byte, file fleet.Document) bool { return bytes.Equal(text, file.Value) })
}

// setDrains hands over all files of drains of the store.
func (s *Source) setDrains() {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := make(map[string][]byte, len(s.store.drains))
	for name, file := range s.store.drains {
		next[name] = file.Value
	}
	if !maps.EqualFunc(s.drains, next, bytes.Equal) {
		s.drains = next
		s.signal()
	}
}
