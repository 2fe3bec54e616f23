package mapset

import "github.com/addressmap/addressmap/plugin/fqdn"

// Lookup decides for a name when it is not known which wildcard, if any, the
// backend answers from: the application of the name, else the mark of the name
// itself, else that of the nearest wildcard above it, else what the zone says of
// all other names.
func (s *Snapshot) Lookup(name fqdn.Name) Decision {
	r, ok := s.zones.enclosing(name)
	if !ok {
		return Decision{}
	}
	m, app, ok := r.find(relative(name, r.apexLen()))
	if app != nil {
		return app.decision(r.place())
	}
	byWildcard := false
	if !ok {
		m, byWildcard = r.above(name)
	}
	d := r.decide(m)
	d.ByWildcard = byWildcard
	return d
}

// above returns the mark of the wildcard above a name, or that of the zone's rest.
func (r ref) above(name fqdn.Name) (m mark, byWildcard bool) {
	if r.flags()&withWilds != 0 {
		for n := name; len(n) > r.apexLen(); {
			n, _ = n.Parent()
			if m, ok := r.mark(relative(n, r.apexLen()), true); ok {
				return m &^ markPresent, true // of the wildcard, not of the name
			}
		}
	}
	return r.rest(), false
}

// LookupFrom decides for a name of which the backend told the source of its
// records: the name itself, or the wildcard owner they were made from.
func (s *Snapshot) LookupFrom(name, source fqdn.Name) Decision {
	r, ok := s.zones.enclosing(name)
	if !ok {
		return Decision{}
	}
	d, ok := r.ofItself(relative(name, r.apexLen()))
	if !ok && source.IsWildcard() && source.In(r.apex()) {
		d, ok = r.ofItself(relative(source, r.apexLen()))
		d.mark &^= markPresent // of the wildcard, not of the name
	}
	if !ok {
		return r.decide(r.rest())
	}
	return d
}

// HasProxied reports whether the zone with this apex has names that are proxied.
func (s *Snapshot) HasProxied(apex fqdn.Name) bool {
	r, ok := s.zones.find(apex)
	return ok && r.place().hasProxied()
}

// relative returns a name relative to the apex of its zone, as the zone's table
// has it: "www.", or "" for the apex itself.
func relative(name fqdn.Name, apexLen int) string {
	switch {
	case len(name) == apexLen:
		return ""
	case apexLen == 1: // the root: all that names have in common with it is the last dot
		return string(name)
	}
	return string(name[:len(name)-apexLen])
}

// absolute is the reverse of relative.
func absolute(owner string, apex fqdn.Name) fqdn.Name {
	switch {
	case owner == "":
		return apex
	case apex == ".":
		return fqdn.Name(owner)
	}
	return fqdn.Name(owner) + apex
}

// ofItself decides by what is said of the owner by its own name, if anything is.
func (r ref) ofItself(owner string) (Decision, bool) {
	m, app, ok := r.find(owner)
	switch {
	case app != nil:
		return app.decision(r.place()), true
	case !ok:
		return Decision{}, false
	}
	return r.decide(m), true
}

// find returns what the zone has at an owner: an application or a mark. It passes no
// Decision on: the stack of a query has not much room left here.
func (r ref) find(owner string) (m mark, app *spectrum, ok bool) {
	if r.flags()&withApps != 0 {
		if app := r.place().apps()[owner]; app != nil {
			return 0, app, true
		}
	}
	m, ok = r.mark(keyOf(owner))
	return m, nil, ok
}

// mark returns the mark of an owner, given by its key.
func (r ref) mark(key string, wild bool) (mark, bool) {
	if r.flags()&withIndex != 0 {
		return findBy(r.place().index(), r.marks(), key, wild)
	}
	return findIn(r.marks(), key, wild)
}

func (r ref) decide(m mark) Decision {
	return r.place().decision(r.block.outcomes[r.outcome()], m, r.flags())
}

func (p place) decision(pools outcome, m mark, f flags) Decision {
	return Decision{block: p.block, number: p.number, mark: m, flags: f, pools: pools}
}

func (app *spectrum) decision(p place) Decision {
	d := p.decision(app.pools, app.mark, 0)
	d.Spectrum = true
	return d
}
