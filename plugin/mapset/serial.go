package mapset

import (
	"maps"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// serials counts, for each zone of the map, the reloads that changed what a
// transfer of it would hold. Counters only ever grow, also those of zones that
// the map no longer knows.
type serials struct {
	own   map[fqdn.Name]uint32 // :: apex → reloads that changed the zone
	below map[fqdn.Name]uint32 // :: name → the same, of all zones strictly below it
}

// Follow makes s the successor of old, before s comes into force: it takes over
// the counters, and counts up those of the zones that answer differently, and of
// the zones that related says change with them. It returns all of these. old and
// related may be nil.
func (s *Snapshot) Follow(old *Snapshot, related func([]fqdn.Name) []fqdn.Name) []fqdn.Name {
	if old == nil {
		return nil
	}
	changed := changedZones(old, s)
	if len(changed) == 0 {
		s.serials = old.serials
		return nil
	}
	if related != nil {
		changed = append(changed, related(changed)...)
	}
	counters := maps.Clone(old.serials.own)
	if counters == nil {
		counters = make(map[fqdn.Name]uint32)
	}
	for _, z := range changed {
		// A counter outlasts the snapshots, and must not hold on to their texts.
		counters[fqdn.Name(strings.Clone(string(z)))]++
	}
	s.Resume(counters)
	return changed
}

// Resume sets the counters to those of an earlier run. It keeps the map.
func (s *Snapshot) Resume(counters map[fqdn.Name]uint32) {
	s.serials = serials{own: counters, below: make(map[fqdn.Name]uint32)}
	for z, n := range counters {
		for up, ok := z.Parent(); ok; up, ok = up.Parent() {
			s.serials.below[up] += n
		}
	}
}

// CountAs takes over the counters of another snapshot, as of the drained one that came
// into force in the place of s.
func (s *Snapshot) CountAs(o *Snapshot) { s.serials = o.serials }

// Serials returns the counters, to be kept for [Snapshot.Resume]. The map is
// shared: read only.
func (s *Snapshot) Serials() map[fqdn.Name]uint32 { return s.serials.own }

// SerialOffset returns how much to add to the serial of the backend's zone with
// this apex (RFC 1982): the changes of every zone of the map that shares names
// with it.
func (s *Snapshot) SerialOffset(apex fqdn.Name) uint32 {
	if len(s.serials.own) == 0 {
		return 0
	}
	offset := s.serials.below[apex]
	for n, ok := apex, true; ok; n, ok = n.Parent() {
		offset += s.serials.own[n]
	}
	return offset
}

// changedZones returns the zones that answer differently, those on one side
// only included, in order. Only zones that next was made anew with can.
func changedZones(old, next *Snapshot) []fqdn.Name {
	var out []fqdn.Name
	for _, apex := range mayDiffer(old, next) {
		// Of one that was not there, or is no more, the zone around it answered or
		// answers the names: that may have proxied names where it has none.
		if a, b := old.zones.enclosing(apex), next.zones.enclosing(apex); a != b && !a.answersAs(b) {
			out = append(out, apex)
		}
	}
	slices.Sort(out)
	return out
}

// answersAs reports whether the names of z are answered as those of o. Either
// may be nil.
func (z *zone) answersAs(o *zone) bool {
	if z == nil || o == nil {
		return (z == nil || !z.hasProxied()) && (o == nil || !o.hasProxied())
	}
	if !z.hasProxied() && !o.hasProxied() {
		return true
	}
	return z.outcome.same(o.outcome) && z.members.same(o.members) && z.autoV6 == o.autoV6 && z.rest == o.rest && z.marks.same(&o.marks) &&
		maps.EqualFunc(z.apps, o.apps, func(a, b *spectrum) bool { return a.mark == b.mark && a.outcome.same(b.outcome) })
}

// AnyProxied reports whether a zone of the backend with this apex may hold
// proxied names, of whichever zones of the map. Anybody may ask for the transfer of
// any zone: the map is walked once, and not for each question.
func (s *Snapshot) AnyProxied(apex fqdn.Name) bool {
	for n, ok := apex, apex != ""; ok; n, ok = n.Parent() {
		if s.HasProxied(n) {
			return true
		}
	}
	_, above := s.above()[apex]
	return above
}

// aboveProxied returns the names that a zone with proxied names lies below.
func (s *Snapshot) aboveProxied() fqdn.Set { return fqdn.NewSet(s.ProxiedZones()...).Above() }

// ProxiedZones returns the zones that have proxied names.
func (s *Snapshot) ProxiedZones() []fqdn.Name {
	var out []fqdn.Name
	for apex, z := range s.zones {
		if z.hasProxied() {
			out = append(out, apex)
		}
	}
	return out
}

// Applications returns the names of the Spectrum applications at or below apex,
// in order.
func (s *Snapshot) Applications(apex fqdn.Name) []fqdn.Name {
	var out []fqdn.Name
	for own, z := range s.zones {
		for owner := range z.apps {
			// A zone below it may enclose the name more closely.
			if n := absolute(owner, own); n.In(apex) && s.Lookup(n).Spectrum {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Marked returns the owner names at or below apex that have a mark of their own or an
// address map of their own that a wildcard above them has proxied, and the apexes of zones
// there.
func (s *Snapshot) Marked(apex fqdn.Name) []fqdn.Name {
	var out []fqdn.Name
	for own, z := range s.zones {
		if !own.In(apex) && !apex.In(own) {
			continue
		}
		if own.In(apex) {
			out = append(out, own)
		}
		for owner := range z.marks.all() {
			if n := absolute(owner, own); n.In(apex) {
				out = append(out, n)
			}
		}
		for owner := range z.unmarked() {
			if n := absolute(owner, own); n.In(apex) && z.lookup(n).Proxied() {
				out = append(out, n)
			}
		}
	}
	return out
}
