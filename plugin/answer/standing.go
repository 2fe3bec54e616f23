package answer

import (
	"cmp"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// kind says whether a name is proxied, as far as that is known.
type kind uint8

// The kinds. The zero kind lets nothing out.
const (
	undecided kind = iota
	unproxied
	proxied
	elsewhere // proxied, by a directive of another server block
)

// standing is what is known of an owner name. The zero standing is that nothing is.
type standing struct {
	kind kind
	d    mapset.Decision
}

// standingBy is the standing that a decision is final for.
func standingBy(d mapset.Decision) standing {
	if d.Proxied() {
		return standing{proxied, d}
	}
	return standing{unproxied, d}
}

// revealsWildcard reports whether the backend that answers for a name says at which owner its
// records stand (R8).
func (n *Names) revealsWildcard(name fqdn.Name) bool { return n.Backend.RevealsWildcard(name) }

// Refuses reports whether nothing is said of a name, and no zone of that name is
// transferred, because the map does not know its zone (R29).
func (n *Names) Refuses(name fqdn.Name) bool {
	return n.RefuseUnlisted && n.acts(name) && !n.Snapshot.Declares(name) && !n.Snapshot.IsClosed(name)
}

// first returns what the map says of an owner before the backend has replied. It is
// final unless tentative is true: then the owner that the records stand at decides, which
// the reply tells.
func (c *conversation) first(owner fqdn.Name) (d mapset.Decision, tentative bool) {
	if !c.names.acts(owner) {
		if c.wide() {
			d = c.outside(owner)
		}
		return d, false
	}
	return c.complete(owner, c.names.Snapshot.Lookup(owner))
}

// complete completes a decision for a name that the directive acts for, given what
// the zone that encloses the name most closely says.
func (c *conversation) complete(owner fqdn.Name, d mapset.Decision) (mapset.Decision, bool) {
	if d.Itself {
		return d, false // a mark of the name itself, an exception included
	}
	if c.names.revealsWildcard(owner) {
		_, covered := c.names.proxiedAbove(owner, d)
		return d, d.ByWildcard || covered
	}
	return c.askAbove(owner, d), false
}

// askAbove completes a decision for a name of which the backend does not tell the owner
// of its records: where it does not have the declared zone, one further up decides (R8).
func (c *conversation) askAbove(owner fqdn.Name, d mapset.Decision) mapset.Decision {
	for zone := d.Zone(); zone != "" && !d.Proxied() && !d.Itself; {
		above, ok := c.names.Snapshot.LookupAbove(owner, zone)
		if !ok || c.hasZone(zone) {
			break
		}
		if above.Proxied() && (above.ByWildcard || above.Itself || c.hasWildcard(zone, above.Zone())) {
			return above // as the wildcard's
		}
		zone = above.Zone()
	}
	return d
}

// outside decides for a name that the directive does not act for. A backend of another
// server block cannot be asked whether it has the declared zone: then one further up
// decides.
func (c *conversation) outside(owner fqdn.Name) mapset.Decision {
	d := c.names.Snapshot.Lookup(owner)
	if c.wide() {
		return c.askAbove(owner, d)
	}
	if p, _ := c.names.Backend.Look(owner); p.Exists {
		return c.names.Snapshot.LookupFrom(owner, owner) // no wildcard covers it (R8)
	}
	if d.Proxied() || d.Itself {
		return d
	}
	if above, ok := c.names.proxiedAbove(owner, d); ok {
		return above
	}
	return d
}

// proxiedAbove returns what the next of the declared zones further up says that would
// have the name proxied if the backend had none of those below it; false if none would.
func (n *Names) proxiedAbove(owner fqdn.Name, d mapset.Decision) (mapset.Decision, bool) {
	above, ok := n.Snapshot.LookupAbove(owner, d.Zone())
	for ok && !above.Proxied() {
		above, ok = n.Snapshot.LookupAbove(owner, above.Zone())
	}
	return above, ok
}

// withWildcard decides for an owner of which the backend has replied, given the wildcard that
// the backend answered from, or "" for the owner itself.
func (c *conversation) withWildcard(owner fqdn.Name, d mapset.Decision, tentative bool, wildcard fqdn.Name) mapset.Decision {
	if !tentative {
		return d
	}
	return c.names.Snapshot.LookupFrom(owner, cmp.Or(wildcard, owner))
}

// standingOf returns the standing of the owner of a record in a reply. A backend that
// tells its wildcards puts records there by their own names only: chains and additional
// records of file never come from a wildcard.
func (c *conversation) standingOf(owner fqdn.Name) standing {
	for _, s := range c.decided {
		if s.owner == owner {
			return standingBy(s.d)
		}
	}
	if c.names.Refuses(owner) || c.names.shuts(owner) {
		return standing{} // R26, R29: nobody is told anything of it
	}
	if !c.names.acts(owner) {
		if c.names.acts(c.asked) && c.names.Snapshot.IsClosed(owner) {
			return standing{}
		}
		d := c.outside(owner)
		switch {
		case !d.Proxied(), !c.names.acts(c.asked):
			return standing{unproxied, d} // to whoever asks for it by its name
		case c.wide():
			return standing{proxied, d}
		}
		return standing{elsewhere, d}
	}
	if c.names.revealsWildcard(owner) {
		return standingBy(c.names.Snapshot.LookupFrom(owner, owner))
	}
	d, _ := c.complete(owner, c.names.Snapshot.Lookup(owner))
	return standingBy(d)
}

// ownerDecision is what was decided for an owner once the backend told the wildcard that it
// answered from.
type ownerDecision struct {
	owner fqdn.Name
	d     mapset.Decision
}
