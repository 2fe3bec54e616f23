package main

import (
	"fmt"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// alternative is what decides for a name where the backend is not as the map suggests:
// the owner decides that the backend's records stand at (R8).
type alternative struct {
	If        string   `json:"if"`
	Proxied   bool     `json:"proxied"`
	Zone      *place   `json:"zone,omitempty"`
	Mark      *place   `json:"mark,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
}

// alternatives returns the other decisions for a name of which the map says d.
func alternatives(checked *live.Checked, name fqdn.Name, d mapset.Decision) (out []alternative) {
	s := checked.Snapshot
	if d.Spectrum || d.Itself || d.Zone() == "" {
		return nil
	}
	if d.ByWildcard {
		out = append(out, newAlternative("the name exists by itself in the backend, and the backend tells", s.LookupFrom(name, name), name, checked))
	}
	for zone := d.Zone(); ; {
		above, ok := s.LookupAbove(name, zone)
		if !ok {
			return out
		}
		if above.Proxied() {
			return append(out, newAlternative(fmt.Sprintf("the backend has no zone %s, and answers from a zone above it", d.Zone()), above, name, checked))
		}
		zone = above.Zone()
	}
}

func newAlternative(when string, d mapset.Decision, name fqdn.Name, checked *live.Checked) alternative {
	a := alternative{If: when, Proxied: d.Proxied(), Addresses: addressesOf(d)}
	if zone := declaredBy(d, checked); zone != nil {
		a.Zone = zone.at(string(d.Zone()), zone.zone.Pos)
		a.Mark = zone.rest()
		if d.ByWildcard || d.Itself {
			a.Mark = zone.covering(name)
		}
	}
	return a
}

// addressesOf returns the addresses of both families that a decision answers.
func addressesOf(d mapset.Decision) []string {
	return slices.Concat(texts(d.Addrs(mapset.IPv4)), texts(d.Addrs(mapset.IPv6)))
}
