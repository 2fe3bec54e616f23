package mapset

import "github.com/addressmap/addressmap/plugin/fqdn"

// Lookup decides for a name when it is not known which wildcard, if any, the
// backend answers from: the application of the name, else the mark of the name
// itself, else that of the nearest wildcard above it, else what the zone says of
// all other names. The zone is the declared one that encloses the name most closely.
func (s *Snapshot) Lookup(name fqdn.Name) Decision {
	z := s.zones.enclosing(name)
	if z == nil || s.closed != nil && s.IsClosed(name) {
		return Decision{}
	}
	return z.decide(name)
}

// LookupAbove decides for a name as if neither the declared zone with this apex nor
// one below it were declared: by the next declared zone that encloses the apex. It
// reports false if there is none.
func (s *Snapshot) LookupAbove(name, apex fqdn.Name) (Decision, bool) {
	up, ok := apex.Parent()
	if !ok {
		return Decision{}, false
	}
	z := s.zones.enclosing(up)
	if z == nil {
		return Decision{}, false
	}
	return z.lookup(name), true
}

// lookup decides by the marks of z for a name at or below its apex.
func (z *zone) lookup(name fqdn.Name) Decision {
	m, ok := z.marks.mark(relative(name, len(z.apex)))
	var parent fqdn.Name
	if !ok {
		m, parent = z.above(name)
	}
	d := z.decision(m, name, parent)
	d.ByWildcard, d.Itself = parent != "", ok
	return d
}

// above returns the mark of the nearest wildcard above a name, and the parent of that
// wildcard; or the mark of the zone's rest, and no parent.
func (z *zone) above(name fqdn.Name) (m mark, parent fqdn.Name) {
	if z.marks.wildcards {
		for n := name; len(n) > len(z.apex); {
			n, _ = n.Parent()
			if m, ok := z.marks.wildcardBelow(relative(n, len(z.apex))); ok {
				return m, n
			}
		}
	}
	return z.rest, ""
}

// MarkOf returns the owner whose mark decides for a name by [Snapshot.Lookup]: the name
// itself, or a wildcard above it. It returns "" if an application, or what the zone says
// of all other names, decides.
func (s *Snapshot) MarkOf(name fqdn.Name) fqdn.Name {
	switch d := s.Lookup(name); {
	case d.Itself:
		return name
	case d.ByWildcard:
		_, parent := d.zone.above(name)
		return parent.Wildcard()
	}
	return ""
}

// LookupFrom decides for a name of which the backend told the owner that its records
// stand at: the name itself, or the wildcard that they were made from. A wildcard of
// a declared zone further up says that the backend has no such zone as the one that
// encloses the name most closely: then the zone of the wildcard decides (R8).
func (s *Snapshot) LookupFrom(name, source fqdn.Name) Decision {
	z := s.zones.enclosing(name)
	if z == nil || s.closed != nil && s.IsClosed(name) {
		return Decision{}
	}
	owner := relative(name, len(z.apex))
	if app := z.apps[owner]; app != nil {
		return z.decisionOf(app)
	}
	if m, ok := z.marks.mark(owner); ok {
		return z.decision(m, name, "")
	}
	above, _ := source.Parent()
	switch {
	case source == name:
		return z.decision(z.rest, name, "")
	case !source.IsWildcard() || !name.In(above): // The records of name cannot stand there.
		return z.lookup(name)
	case !source.In(z.apex):
		if further := s.zones.enclosing(source); further != nil {
			if d := further.from(name, source); d.Proxied() {
				return d
			}
		}
		return z.decision(z.rest, name, "")
	}
	return z.from(name, source)
}

// from decides by the marks of z, and its rest, for a name whose records come from a
// wildcard of its zone.
func (z *zone) from(name, source fqdn.Name) Decision {
	if m, ok := z.marks.mark(relative(name, len(z.apex))); ok {
		return z.decision(m, name, "")
	}
	if m, ok := z.marks.mark(relative(source, len(z.apex))); ok {
		parent, _ := source.Parent()
		return z.decision(m, name, parent)
	}
	return z.decision(z.rest, name, "")
}

// Declares reports whether a declared zone encloses a name.
func (s *Snapshot) Declares(name fqdn.Name) bool {
	return s.zones.enclosing(name) != nil
}

// HasProxied reports whether the zone with this apex has names that are proxied.
func (s *Snapshot) HasProxied(apex fqdn.Name) bool {
	z := s.zones[apex]
	return z != nil && z.hasProxied()
}
