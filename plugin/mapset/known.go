package mapset

import (
	"iter"
	"maps"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Known yields the decision for each owner name that a zone has a mark or an application
// of, or that is a member of an address map itself, zone by zone in the order of their
// apexes; and, under the empty name, the decision for all other names of a zone that is
// proxied throughout. Names that are not proxied are left out.
func (s *Snapshot) Known() iter.Seq2[fqdn.Name, Decision] {
	return func(yield func(fqdn.Name, Decision) bool) {
		for _, apex := range slices.Sorted(maps.Keys(s.zones)) {
			z := s.zones[apex]
			for owner := range z.proxied() {
				name := absolute(owner, apex)
				// A deeper zone may declare the name: then it decides, and yields the name itself.
				if d := s.LookupFrom(name, name); d.zone == z && d.Proxied() && !yield(name, d) {
					return
				}
			}
			for owner := range z.unmarked() {
				name := absolute(owner, apex)
				if d := s.Lookup(name); d.zone == z && d.Proxied() && !yield(name, d) {
					return
				}
			}
			if d := z.others(); d.Proxied() && !yield("", d) {
				return
			}
		}
	}
}

// Answered returns the addresses that any name may be answered with.
func (s *Snapshot) Answered() map[netip.Addr]struct{} {
	out := make(map[netip.Addr]struct{})
	seen := make(map[*byte]bool) // the pools, by where their addresses are: names share them
	for _, d := range s.Known() {
		for _, f := range [...]Family{IPv4, IPv6} {
			octets := d.Octets(f)
			if len(octets) == 0 || seen[&octets[0]] {
				continue
			}
			seen[&octets[0]] = true
			for _, ip := range d.Addrs(f) {
				out[ip] = struct{}{}
			}
		}
	}
	return out
}

// Tried returns the steps that there are for the name of a decision, in their order, with
// the reason why each answers or does not: [Decision.Reasons] without the steps that lack
// and the address maps that are disabled, and at a cost that does not grow with these.
func (d Decision) Tried() (out []Reason) {
	if !d.Proxied() {
		return nil
	}
	for step := StepSpectrum; int(step) < Steps; step++ {
		if d.outcome.pools[step] != nil {
			out = append(out, d.reason(step))
		}
	}
	return out
}

// Listing is one place of the map with addresses of its own: an address map, or a static
// Spectrum application. Written are its addresses, and Usable those of them that are not
// in a withdrawn prefix. Both are shared: read only.
type Listing struct {
	Account         string
	Map             string    // id of the address map; "" for an application
	App             fqdn.Name // name of the application; "" for an address map
	Written, Usable []netip.Addr
}

// Listings yields the places of the map with addresses of their own, in no order.
func (s *Snapshot) Listings() iter.Seq[Listing] {
	return func(yield func(Listing) bool) {
		for id, a := range s.accounts {
			for _, m := range a.maps {
				if !yield(Listing{Account: id, Map: m.id, Written: m.ips.written, Usable: m.ips.usable}) {
					return
				}
			}
		}
		for apex, z := range s.zones {
			for owner, app := range z.apps {
				if len(app.ips.written) > 0 && !yield(Listing{Account: z.account.id, App: absolute(owner, apex), Written: app.ips.written, Usable: app.ips.usable}) {
					return
				}
			}
		}
	}
}
