package mapset

import "github.com/addressmap/addressmap/plugin/fqdn"

// Closed is what documents may hold of which no version is in force (R26): nobody knows
// which of its names are proxied. It does not change.
type Closed struct {
	Zones fqdn.Set // those that the documents declare
	// Rest says that one of the documents does not even tell its zones: they may be any
	// that no document in force declares.
	Rest bool
}

// All reports whether any name may be closed. c may be nil.
func (c *Closed) All() bool { return c != nil && c.Rest }

// Beside returns the snapshot as it is beside what is closed; nil closes nothing.
func (s *Snapshot) Beside(c *Closed) *Snapshot {
	cp := *s
	cp.closed = c
	return &cp
}

// Closed returns what is closed, nil if nothing is.
func (s *Snapshot) Closed() *Closed { return s.closed }

// IsClosed reports whether a name belongs to a closed zone: the zone that encloses it
// most closely, of those declared and closed, is one.
func (s *Snapshot) IsClosed(name fqdn.Name) bool {
	if s.closed == nil || len(s.closed.Zones) == 0 {
		return false
	}
	for n, ok := name, true; ok; n, ok = n.Parent() {
		if s.zones[n] != nil {
			return false // also where a refused document has the same zone (V4)
		}
		if _, is := s.closed.Zones[n]; is {
			return true
		}
	}
	return false
}

// IsUnknown reports whether a name may belong to a document that does not tell its
// zones: none that is in force declares the name's.
func (s *Snapshot) IsUnknown(name fqdn.Name) bool {
	return s.closed != nil && s.closed.Rest && !s.Declares(name)
}

// ClosedIn reports whether names at or below apex are closed.
func (s *Snapshot) ClosedIn(apex fqdn.Name) bool {
	if s.closed == nil {
		return false
	}
	for zone := range s.closed.Zones {
		if zone.In(apex) && s.IsClosed(zone) {
			return true
		}
	}
	return s.IsClosed(apex)
}
