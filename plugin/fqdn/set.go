package fqdn

// Set is a set of zone apexes. The nil Set holds nothing. It is safe for
// concurrent reads.
type Set map[Name]struct{}

// NewSet returns the set of names.
func NewSet(names ...Name) Set {
	s := make(Set, len(names))
	for _, n := range names {
		s[n] = struct{}{}
	}
	return s
}

// Encloses reports whether n is one of the zones or lies below one. It walks
// the labels of n, so that its cost does not grow with the set.
func (s Set) Encloses(n Name) bool {
	for ok := n != ""; ok; n, ok = n.Parent() {
		if _, found := s[n]; found {
			return true
		}
	}
	return false
}

// Above returns the names that a zone of the set lies below. They are few: most zones
// have the same ones above them.
func (s Set) Above() Set {
	above := make(Set)
	for apex := range s {
		for n, ok := apex.Parent(); ok; n, ok = n.Parent() {
			if _, known := above[n]; known {
				break // and so is all that is further up
			}
			above[n] = struct{}{}
		}
	}
	return above
}
