package presence

import (
	"sync"
	"sync/atomic"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// version is what a backend has of one zone, for as long as it has that. What was
// learned from it holds until the backend has another, so that it is enough to
// see once in a lifetime that it has not.
type version struct {
	zone  *zone
	apex  fqdn.Name
	data  any           // is the same as long as nothing in the zone has changed
	since uint32        // the tick at which it was first seen
	seen  atomic.Uint32 // the tick at which it was last asked for and seen
	era   uint32        // nothing from another era is remembered
}

// zone is one of a backend.
type zone struct {
	learned atomic.Uint32           // names, while it has no version
	version atomic.Pointer[version] // nil: never observed
}

// zones are those of a backend from which names were learned.
type zones struct {
	mu sync.RWMutex
	at map[fqdn.Name]*zone // :: apex → zone; nil at first
}

// few is how many names are learned from a zone before its version is asked for:
// to ask for that is of no use for a zone of one name.
const few = 8

func (z *zones) of(apex fqdn.Name) *zone {
	z.mu.RLock()
	found := z.at[apex]
	z.mu.RUnlock()
	if found != nil {
		return found
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.at == nil {
		z.at = make(map[fqdn.Name]*zone)
	}
	if z.at[apex] == nil {
		z.at[apex] = new(zone)
	}
	return z.at[apex]
}

// versionAt returns the version that the backend answered from when it was asked
// at the tick born, nil if that is not known, and whether to observe it.
func (v *View) versionAt(apex fqdn.Name, born uint32) (at *version, observe bool) {
	if apex == "" {
		return nil, false
	}
	z := v.zones.of(apex)
	ver := z.version.Load()
	if ver == nil || ver.era != v.m.era.Load() {
		return nil, z.learned.Add(1) >= few
	}
	if int32(born-ver.since) <= 0 {
		return nil, false // it may have been seen after the answer
	}
	return ver, false
}

// Observe is told what the backend has of a zone when it was asked at a tick.
// data must be comparable, and be the same if and only if nothing in the zone has
// changed; nil if the backend does not tell.
func (v *View) Observe(apex fqdn.Name, asked uint32, data any) {
	if v == nil {
		return
	}
	z, era := v.zones.of(apex), v.m.era.Load()
	old := z.version.Load()
	if old != nil && old.data == data && old.era == era {
		old.seen.Store(asked)
		return
	}
	z.learned.Store(0)
	if data == nil {
		z.version.Store(nil)
		return
	}
	next := &version{zone: z, apex: apex, data: data, since: v.m.now.Load(), era: era}
	next.seen.Store(asked)
	z.version.Store(next)
}
