// Package presence remembers, for a few seconds, at which owner names a backend has an
// address, so that the backend need not be asked about them at each query, and which of
// its names the map does not proxy, so that the map need not be looked into. Its memory
// is bounded, and nobody's questions can push another's names out of it.
package presence

import (
	"sync"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Backend is an [answer.Backend] that remembers, around the zones to be seen. From the second
// time on that one of these is asked for, it is remembered for a lifetime of the memory:
//
//   - a proxied name that the zones show to have an address or an
//     alias, and longer while the zone that it was seen in does not change: [Backend.Known]
//   - a proxied name of which a reply has shown an address or an alias: [Backend.Learn]
//   - a name that is not proxied, of which a reply has shown a record, until another
//     snapshot is in force: [Backend.Learn]
//
// From the first time on it is remembered whether the backend has a declared zone, and
// wildcards above it (R8): [Backend.LearnZone]. Reading takes no lock and no time of day.
type Backend struct {
	answer.Zones
	m     *Memory
	id    uint64   // tells the names of one backend from those of another
	zones sync.Map // :: answer.Apex → zone
}

// zone is what is remembered of a zone.
type zone struct {
	has     bool
	learned uint32 // the tick
}

// Known implements [answer.Backend].
func (b *Backend) Known(n answer.Names, owner fqdn.Name) answer.Known {
	hash := hashOf(owner)
	e := b.get(owner, hash)
	if e == nil || e.snapshot != n.Snapshot {
		return b.decide(n, owner, hash, e)
	}
	return answer.Known{Decision: e.decision, Presence: e.presence, Final: true}
}

// decide returns what is known of a name of which no decision on the snapshot is
// remembered: by what the backend has, which is remembered if e is not nil, or is seen. A
// look is taken at names alone that may be proxied.
func (b *Backend) decide(n answer.Names, owner fqdn.Name, hash uint64, e *entry) (k answer.Known) {
	d := n.Lookup(owner)
	if e != nil && e.presence.Exists {
		k.Presence = e.presence
		k.Decision, k.Final = n.Decide(owner, d, k.Presence)
		return k
	}
	k.Decision = d
	if d.Spectrum || !d.Proxied() && !d.ByWildcard {
		return k
	}
	tick := b.m.now.Load()
	p, version := b.Look(owner)
	if !p.Exists {
		return k
	}
	k.Presence = p
	if k.Decision, k.Final = n.Decide(owner, d, p); k.Final {
		b.add(n, owner, hash, &k, version, true, tick) // as if the map named it: nobody can make up such names
	}
	return k
}

// get returns the entry of a name, or nil. It is shared: read only.
func (b *Backend) get(name fqdn.Name, hash uint64) *entry {
	e, _ := setOf(hash).lookup(tagOf(hash), b.id, name)
	if e == nil || b.m.lasts(e.learned.Load()) {
		return e
	}
	if e.version == nil || !e.version.Current() {
		return nil
	}
	e.renew(b.m.now.Load())
	return e
}

// Learn implements [answer.Backend].
func (b *Backend) Learn(n answer.Names, owner fqdn.Name, k answer.Known, named bool, asked answer.Moment) {
	var version answer.Version
	if !k.Exists {
		version = inForce{}
	}
	b.add(n, owner, hashOf(owner), &k, version, named, uint32(asked))
}

// inForce is an [answer.Version] for what depends on nothing but the snapshot.
type inForce struct{}

// Current implements [answer.Version].
func (inForce) Current() bool { return true }

// add remembers a name from the tick at which the backend was asked, if it is seen for
// the second time: one that nobody asks for again would cost more than it saves. Names
// that are not named are counted apart, so that a flood of random ones below a wildcard
// passes by. No name that was learned within the lifetime gives way to another, and none
// that is longer than [longest] is remembered. One that was seen in a version lasts on if
// that is current at the end of its lifetime.
func (b *Backend) add(n answer.Names, name fqdn.Name, hash uint64, k *answer.Known, version answer.Version, named bool, tick uint32) {
	if len(name) > longest {
		return
	}
	set, seen := setOf(hash), b.m.other
	if named {
		seen = b.m.known
	}
	old, _ := set.lookup(tagOf(hash), b.id, name)
	if old == nil && !seen.again(hash) {
		return
	}
	if old != nil && old.says(n, k, version) {
		old.renew(tick)
		return
	}
	e := &entry{backend: b.id, size: uint8(len(name)), decision: k.Decision, presence: k.Presence, version: version, memory: b.m}
	if k.Final {
		e.snapshot = n.Snapshot
	}
	copy(e.name[:], name)
	e.learned.Store(tick)
	set.put(tagOf(hash), e, name)
}

// KnownZone implements [answer.Backend].
func (b *Backend) KnownZone(z answer.Apex) (has, known bool) {
	if v, ok := b.zones.Load(z); ok && b.m.lasts(v.(zone).learned) {
		return v.(zone).has, true
	}
	return false, false
}

// LearnZone implements [answer.Backend].
func (b *Backend) LearnZone(z answer.Apex, has bool, asked answer.Moment) {
	b.zones.Store(z, zone{has, uint32(asked)})
}

// Now implements [answer.Backend].
func (b *Backend) Now() answer.Moment { return answer.Moment(b.m.now.Load()) }
