package fqdn

// near is how long an apex may be that is held in place, in octets.
const near = 55

// Zones is a set of zone apexes in the form that serves who looks into it at each
// query. Most are of one zone, whose name is held in place: with ten thousand of them
// to choose from, each pointer to follow is a wait for memory. The zero value holds
// nothing. It is safe for concurrent reads.
type Zones struct {
	size  uint8 // of the only apex, if it fits; then the set is not needed
	only  [near]byte
	set   Set
	above Set // the names that a zone lies below
}

// NewZones returns the zones of a set, which is kept.
func NewZones(set Set) Zones {
	z := Zones{set: set, above: set.Above()}
	for apex := range set {
		if len(set) == 1 && len(apex) <= near && apex != "." {
			z.size = uint8(copy(z.only[:], apex))
		}
	}
	return z
}

// Set returns the zones as a set. It is shared: read only.
func (z *Zones) Set() Set { return z.set }

// AnyBelow reports whether one of the zones lies below n. The cost does not grow with
// the set.
func (z *Zones) AnyBelow(n Name) bool {
	_, found := z.above[n]
	return found
}

// Encloses reports whether n is one of the zones or lies below one.
func (z *Zones) Encloses(n Name) bool {
	size := int(z.size)
	if size == 0 {
		return z.set.Encloses(n)
	}
	cut := len(n) - size
	return cut >= 0 && string(n[cut:]) == string(z.only[:size]) &&
		(cut == 0 || n[cut-1] == '.' && !escaped(string(n), cut-1))
}
