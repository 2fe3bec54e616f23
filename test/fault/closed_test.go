package fault

import "maps"

// shut is what a document may hold that was found refused at the start (R26).
type shut struct {
	zones [zoneCount]bool
	rest  bool // it does not tell: any zone that nobody in force declares
}

// holders are who answers for each zone.
type holders [zoneCount]account

// holders returns those of now. A zone that nobody in force declares may be closed.
func (w *world) holders() (out holders) {
	for z := range zoneCount {
		out[z] = w.now.holder(z)
		for _, s := range w.shut {
			if out[z].version == 0 && (s.rest || s.zones[z]) {
				out[z].shut = true
			}
		}
	}
	return out
}

// shutBy returns what the document on disk closes if it is refused.
func (w *world) shutBy(name string) (s shut) {
	e, _ := w.onDisk(name)
	if e == nil || !e.tellsZones() {
		return shut{rest: true}
	}
	for _, a := range e.accounts {
		for z := range zoneCount {
			s.zones[z] = s.zones[z] || a.claims(z)
		}
	}
	return s
}

// tellsZones reports whether the zones of an edition can be read for certain.
func (e *edition) tellsZones() bool {
	return (e.wrong == "" || e.legible && len(e.accounts) > 0) && !e.hazy
}

// shutOut notes what the documents close that were found at the start and are not in
// force.
func (w *world) shutOut() {
	for name := range w.disk.files {
		if _, inForce := w.now[name]; !inForce && w.isDocument(name) {
			w.shut[name] = w.shutBy(name)
			w.tally.closed++
		}
	}
}

// reopen ends what documents close that are in force now, or gone; one that is refused
// still closes the zones that it tells now. A refused document that appears, as under
// another name, goes on with what is closed already.
func (w *world) reopen() {
	before := w.shut
	w.shut = maps.Clone(before)
	there := false
	for name := range w.disk.files {
		there = there || w.isDocument(name)
	}
	for name := range before {
		_, inForce := w.now[name]
		_, onDisk := w.disk.files[name]
		switch {
		case inForce || there && !onDisk:
			delete(w.shut, name)
		case onDisk && !w.shutBy(name).rest:
			w.shut[name] = w.shutBy(name).and(before[name])
		}
	}
	for name := range w.disk.files {
		_, inForce := w.now[name]
		_, known := before[name]
		if !w.isDocument(name) || inForce || known {
			continue
		}
		if s, any := w.shutBy(name).within(before); any {
			w.shut[name] = s
		}
	}
}

// and returns what s closes, with the zones that were told before.
func (s shut) and(before shut) shut {
	for z := range zoneCount {
		s.zones[z] = s.zones[z] || before.zones[z]
	}
	return s
}

// within returns what s closes of what others close already, and whether that is anything.
func (s shut) within(others map[string]shut) (out shut, any bool) {
	for _, o := range others {
		out.rest = out.rest || s.rest && o.rest
		for z := range zoneCount {
			out.zones[z] = out.zones[z] || s.zones[z] && o.zones[z]
		}
	}
	return out, out != shut{}
}

// isUntold reports whether there is a document on disk of which no version is in force
// and nobody can tell what it holds: no removal is believed beside it.
func (w *world) isUntold() bool {
	for name := range w.disk.files {
		if _, inForce := w.now[name]; !inForce && w.isDocument(name) && w.shutBy(name).rest {
			return true
		}
	}
	return false
}

// hasMoved reports whether all accounts of a document in force stand in others on disk
// that are not in force as they are there.
func (w *world) hasMoved(name string) bool {
	candidates := make(map[int]bool)
	for other := range w.disk.files {
		e, wrong := w.onDisk(other)
		if !w.isDocument(other) || e == nil || wrong != "" && !e.legible || e.same(w.now[other]) {
			continue
		}
		for _, a := range e.accounts {
			candidates[a.tenant] = candidates[a.tenant] || a.version > 0
		}
	}
	for _, a := range w.now[name].accounts {
		if a.version > 0 && !candidates[a.tenant] {
			return false
		}
	}
	return true
}
