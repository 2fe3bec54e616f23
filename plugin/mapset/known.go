package mapset

// ByDefault reports whether the name may be proxied only because its zone says
// so of every name: anybody can ask for any number of such names.
func (d Decision) ByDefault() bool {
	return d.zone != nil && d.zone.rest&markProxied != 0 && !d.Spectrum
}
