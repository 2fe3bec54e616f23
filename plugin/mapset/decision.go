package mapset

import (
	"net"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Decision is the answer to "what does a client get for this owner name?". The
// zero Decision is that of a name that no zone of the map encloses. It carries the reason
// of every step of the fallback: see [Decision.Reasons].
type Decision struct {
	zone *zone
	mark mark
	// ByWildcard: no mark of the name itself decided, but one of a wildcard
	// above it. It covers the name only if the backend answers for the name from
	// that wildcard (RFC 4592); see [Snapshot.LookupFrom].
	ByWildcard bool
	// Itself: a mark of the name itself decided.
	Itself bool
	// Spectrum: the name is that of an application and is answered whether or
	// not the backend has it.
	Spectrum bool
	outcome  *outcome // of the zone or the application; nil if no zone encloses the name
}

// Proxied reports whether the name is answered with addresses of the map.
func (d Decision) Proxied() bool { return d.mark&markProxied != 0 }

// Answers reports whether there are mapped addresses of family f; if not, the answer
// is NODATA.
func (d Decision) Answers(f Family) bool { return len(d.Octets(f)) > 0 }

// Octets returns the mapped addresses of family f in the map's order, one after the
// other: [Family.Size] octets each, as RDATA needs them. The slice is shared: read
// only.
func (d Decision) Octets(f Family) []byte {
	if !d.mark.answers(f) {
		return nil
	}
	return d.outcome.pool(f).octets[f]
}

// IPs returns the same addresses one by one. Their octets are shared: read only.
func (d Decision) IPs(f Family) []net.IP {
	octets := d.Octets(f)
	if len(octets) == 0 {
		return nil
	}
	out := make([]net.IP, 0, len(octets)/f.Size())
	for ip := range slices.Chunk(octets, f.Size()) {
		out = append(out, ip)
	}
	return out
}

// Addrs returns the same addresses as [Decision.IPs] for people and tools.
func (d Decision) Addrs(f Family) []netip.Addr {
	if !d.mark.answers(f) {
		return nil
	}
	return d.outcome.pool(f).addrs(f)
}

// NeedsAAAA reports whether AAAA is answered only if the backend has AAAA at
// the name (ipv6: false of its zone).
func (d Decision) NeedsAAAA() bool { return d.zone != nil && !d.zone.autoV6 && !d.Spectrum }

// Named reports whether the map itself names the owner. Of names that a wildcard or
// its zone as a whole decides for, anybody can ask for any number.
func (d Decision) Named() bool {
	return !d.ByWildcard && (!d.zone.byDefault() || d.Spectrum)
}

// Step returns the step of the fallback that answers for family f; StepNone for
// a name that is not proxied.
func (d Decision) Step(f Family) Step {
	if !d.Proxied() {
		return StepNone
	}
	return d.outcome.step[f]
}

// Map returns the id of the address map that answers for family f, or "".
func (d Decision) Map(f Family) string {
	if !d.Proxied() {
		return ""
	}
	return d.outcome.pool(f).Map
}

// Zone returns the zone of the map that encloses the name most closely, or "".
func (d Decision) Zone() fqdn.Name {
	if d.zone == nil {
		return ""
	}
	return d.zone.apex
}

// Account returns the id of the account of that zone, or "".
func (d Decision) Account() string {
	if d.zone == nil {
		return ""
	}
	return d.zone.account.id
}
