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
	outcome *outcome             // of names without an application and without a membership of their own
	members *members             // nil if no name is a member by itself
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

// needsPools reports whether any name of the zone is answered from the zone's pools:
// one that is proxied and has no Spectrum application, and is not named as a member.
func (z *zone) needsPools(named map[fqdn.Name]*candidates) bool {
	own := len(z.apps)
	for name := range named {
		owner := relative(name, len(z.apex))
		if m, _ := z.marks.mark(owner); m&markProxied != 0 && z.apps[owner] == nil {
			own++
		}
	}
	return z.rest&markProxied != 0 || z.names() > own
}

// decision is the one for a name with mark m: the mark of the name itself, that of the
// wildcard below parent unless parent is "", or that of the zone's rest.
func (z *zone) decision(m mark, name, parent fqdn.Name) Decision {
	d := z.other(m)
	if z.members != nil {
		d.outcome = z.members.outcome(z, name, parent)
	}
	return d
}

// other is the decision for a name with mark m that is no member by itself.
func (z *zone) other(m mark) Decision { return Decision{zone: z, mark: m, outcome: z.outcome} }

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
