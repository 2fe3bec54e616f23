package mapset

import "github.com/addressmap/addressmap/plugin/fqdn"

// Lookup decides for a name when it is not known which wildcard, if any, the
// backend answers from: the application of the name, else the mark of the name
// itself, else that of the nearest wildcard above it, else what the zone says of
// all other names. The zone is the declared one that encloses the name most closely.
func (s *Snapshot) Lookup(name fqdn.Name) Decision {
	r, ok := s.zones.enclosing(name)
	if !ok || s.closed != nil && s.IsClosed(name) {
		return Decision{}
	}
	if r.flags()&withApps != 0 {
		if app := r.place().apps()[relative(name, r.apexLen())]; app != nil {
			return app.decision(r.place())
		}
	}
	return r.lookup(name)
}

// LookupAbove decides for a name as if neither the declared zone with this apex nor
// one below it were declared: by the next declared zone that encloses the apex. It
// reports false if there is none.
func (s *Snapshot) LookupAbove(name, apex fqdn.Name) (Decision, bool) {
	up, ok := apex.Parent()
	if !ok {
		return Decision{}, false
	}
	r, ok := s.zones.enclosing(up)
	if !ok {
		return Decision{}, false
	}
	return r.lookup(name), true
}

// lookup decides by the marks of r for a name at or below its apex.
func (r ref) lookup(name fqdn.Name) Decision {
	m, ok := r.mark(keyOf(relative(name, r.apexLen())))
	var parent fqdn.Name
	if !ok {
		m, parent = r.above(name)
	}
	d := r.decide(m)
	d.ByWildcard, d.Itself = parent != "", ok
	return d
}

// above returns the mark of the nearest wildcard above a name, and the parent of that
// wildcard; or the mark of the zone's rest, and no parent.
func (r ref) above(name fqdn.Name) (m mark, parent fqdn.Name) {
	if r.flags()&withWilds != 0 {
		for n := name; len(n) > r.apexLen(); {
			n, _ = n.Parent()
			if m, ok := r.mark(relative(n, r.apexLen()), true); ok {
				return m, n
			}
		}
	}
	return r.rest(), ""
}

// MarkOf returns the owner whose mark decides for a name by [Snapshot.Lookup]: the name
// itself, or a wildcard above it. It returns "" if an application, or what the zone says
// of all other names, decides.
func (s *Snapshot) MarkOf(name fqdn.Name) fqdn.Name {
	switch d := s.Lookup(name); {
	case d.Itself:
		return name
	case d.ByWildcard:
		r, _ := s.zones.enclosing(name)
		_, parent := r.above(name)
		return parent.Wildcard()
	}
	return ""
}

// LookupFrom decides for a name of which the backend told the owner that its records
// stand at: the name itself, or the wildcard that they were made from. A wildcard of
// a declared zone further up says that the backend has no such zone as the one that
// encloses the name most closely: then the zone of the wildcard decides (R8).
func (s *Snapshot) LookupFrom(name, source fqdn.Name) Decision {
	r, ok := s.zones.enclosing(name)
	if !ok || s.closed != nil && s.IsClosed(name) {
		return Decision{}
	}
	above, _ := source.Parent()
	told := source == name || source.IsWildcard() && name.In(above)
	if d, ok := r.ofItself(relative(name, r.apexLen())); ok {
		return d
	}
	switch {
	case !told:
		return r.lookup(name)
	case source == name:
		return r.decide(r.rest())
	case !source.In(r.apex()):
		if above, ok := s.zones.enclosing(source); ok {
			if d := above.from(name, source); d.Proxied() {
				return d
			}
		}
		return r.decide(r.rest())
	}
	return r.from(name, source)
}

// from decides by the marks of r, and its rest, for a name whose records come from a
// wildcard of its zone.
func (r ref) from(name, source fqdn.Name) Decision {
	for _, owner := range [2]fqdn.Name{name, source} {
		if m, ok := r.mark(keyOf(relative(owner, r.apexLen()))); ok {
			return r.decide(m)
		}
	}
	return r.decide(r.rest())
}

// Declares reports whether a declared zone encloses a name.
func (s *Snapshot) Declares(name fqdn.Name) bool {
	_, ok := s.zones.enclosing(name)
	return ok
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
	return r.place().decision(&r.block.outcomes[r.outcome()], m, r.flags())
}

func (p place) decision(o *outcome, m mark, f flags) Decision {
	return Decision{block: p.block, number: p.number, mark: m, flags: f, outcome: o}
}

func (app *spectrum) decision(p place) Decision {
	d := p.decision(app.outcome, app.mark, 0)
	d.Spectrum = true
	return d
}
