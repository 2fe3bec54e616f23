package presence

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Sizes. A name may stand in any of ways slots of its set. The table has 2 MiB, what a
// lifetime needs besides 1.1, and an entry 192 octets while it is there.
const (
	sets    = 1 << 15
	ways    = 7
	knowns  = 1 << 17
	others  = 1 << 14
	longest = 80 // name that is remembered, in octets
)

// All names of the process stand in one table, whatever their lifetime: how much memory
// they take has one bound, and a query can look for its name before it knows for which
// backend, so that it waits for both at the same time.
var (
	table    [sets]set
	seed     = maphash.MakeSeed()
	backends atomic.Uint64 // how many there have been
)

// set is where a name may stand, all in one line of memory. Beside the slots is an
// octet of the hash of what is in each, see [tagOf].
type set struct {
	tags  atomic.Uint64
	slots [ways]atomic.Pointer[entry]
}

// entry is one name of one backend. Its order is by how often a part of it is needed,
// and the name is in it: most queries need no more than two lines of memory.
type entry struct {
	backend  uint64
	learned  atomic.Uint32    // the tick at which the backend was last asked
	size     uint8            // of the name
	snapshot *mapset.Snapshot // that the decision is final on; nil if it is not final
	decision mapset.Decision
	presence answer.Presence
	name     [longest]byte
	// version is what the name was seen in; nil if the backend was asked.
	version answer.Version
	memory  *Memory
}

// is reports whether the entry is that of a name of a backend.
func (e *entry) is(backend uint64, name fqdn.Name) bool {
	return e.backend == backend && string(e.name[:e.size]) == string(name)
}

// says reports whether the entry says the same as what is known on a snapshot.
func (e *entry) says(n answer.Names, k *answer.Known, version answer.Version) bool {
	var snapshot *mapset.Snapshot
	if k.Final {
		snapshot = n.Snapshot
	}
	return e.snapshot == snapshot && e.decision == k.Decision && e.presence == k.Presence && e.version == version
}

// renew makes the name last on: the backend has said the same at a later tick.
func (e *entry) renew(tick uint32) {
	if int32(tick-e.learned.Load()) > 0 {
		e.learned.Store(tick)
	}
}

// hashOf returns where a name is in the table.
func hashOf(name fqdn.Name) uint64 { return maphash.String(seed, string(name)) }

// tagOf returns the octet of a hash that stands beside the slots, so that only slots
// which are likely to have the name are followed to their entry, which is far away.
func tagOf(hash uint64) byte { return byte(hash>>40) | 1 }

// setOf returns where a name may stand.
func setOf(hash uint64) *set { return &table[hash%sets] }

// lookup returns the entry of a name, however old it is, and where it is in the set;
// nil if it is not there. What has just been put there may be overlooked.
func (s *set) lookup(tag byte, backend uint64, name fqdn.Name) (*entry, int) {
	tags := s.tags.Load()
	for i := range s.slots {
		if byte(tags>>(8*i)) != tag {
			continue
		}
		if e := s.slots[i].Load(); e != nil && e.is(backend, name) {
			return e, i
		}
	}
	return nil, 0
}

// put remembers the entry of a name if there is a place for it.
func (s *set) put(tag byte, e *entry, name fqdn.Name) {
	old, at := s.lookup(tag, e.backend, name)
	if old == nil {
		if old, at = s.place(e.backend, name, e.presence.Exists); at < 0 {
			return
		}
	}
	slot := &s.slots[at]
	if !slot.CompareAndSwap(old, e) {
		return
	}
	for slot.Load() == e {
		was := s.tags.Load()
		if s.tags.CompareAndSwap(was, was&^(0xff<<(8*at))|uint64(tag)<<(8*at)) {
			return
		}
	}
}

// place returns where the entry of a name may be put, and what is there: nothing, or
// what is forgotten, or the name itself, or, if the name exists, one of which that is
// not known; -1 for nowhere.
func (s *set) place(backend uint64, name fqdn.Name, exists bool) (old *entry, at int) {
	for i := range s.slots {
		if s.slots[i].Load() == nil {
			return nil, i
		}
	}
	for i := range s.slots {
		if o := s.slots[i].Load(); o == nil || o.is(backend, name) || !o.memory.lasts(o.learned.Load()) {
			return o, i
		}
	}
	if !exists {
		return nil, -1
	}
	for i := range s.slots {
		if o := s.slots[i].Load(); o == nil || !o.presence.Exists {
			return o, i
		}
	}
	return nil, -1
}
