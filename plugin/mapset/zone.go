package mapset

import (
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// zone is one zone compiled. It never changes once its document is, so that two
// snapshots have the same version of a zone exactly if they have the same pointer.
type zone struct {
	apex    fqdn.Name
	marks   table
	rest    mark                 // of every name without a mark
	autoV6  bool                 // AAAA is answered whatever the backend has
	outcome *outcome             // of names without an application
	apps    map[string]*spectrum // :: owner relative to the apex → its application
	account *account
	pos     mapfile.Pos // of its name in the document
}

// zones are the compiled zones by their apexes.
type zones map[fqdn.Name]*zone

// enclosing returns the zone that encloses name most closely, or nil. It walks the
// labels from the left over sub-slices, so that the closest zone is met first and
// nothing is allocated.
func (all zones) enclosing(name fqdn.Name) *zone {
	for n, ok := name, name != ""; ok; n, ok = n.Parent() {
		if z := all[n]; z != nil {
			return z
		}
	}
	return nil
}

// hasProxied reports whether any name of the zone may be proxied.
func (z *zone) hasProxied() bool {
	return z.rest&markProxied != 0 || z.marks.proxied > 0 || len(z.apps) > 0
}

// needsPools reports whether any name of the zone is answered from its pools:
// one that is proxied and has no Spectrum application.
func (z *zone) needsPools() bool { return z.rest&markProxied != 0 || z.names() > len(z.apps) }

// decision is the one for a name with mark m.
func (z *zone) decision(m mark) Decision {
	return Decision{zone: z, mark: m, outcome: z.outcome}
}

// decisionOf is the one for the name of an application in the zone.
func (z *zone) decisionOf(app *spectrum) Decision {
	return Decision{zone: z, mark: app.mark, outcome: app.outcome, Spectrum: true}
}

// relative returns a name relative to the apex of its zone, as the zone's marks
// have it: "www.", or "" for the apex itself.
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
