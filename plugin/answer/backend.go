package answer

import (
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Zones is what can be seen of a backend without a question to it. It is safe for
// concurrent use.
type Zones interface {
	// Look returns what the backend has at an owner name, and the zone that shows it; no
	// presence where more is to be seen than an address or an alias, or nothing at all.
	Look(owner fqdn.Name) (Presence, Version)
	// RevealsWildcard reports whether the backend that answers for name says which owner its
	// records stand at, see [Reply.Wildcard].
	RevealsWildcard(name fqdn.Name) bool
	// Beside returns the records of a type beside an alias at owner, with the name as
	// given. They are not shared.
	Beside(owner fqdn.Name, qtype uint16, name string) []dns.RR
	// IsGlue reports whether name is a name server of a zone cut, at or below the cut.
	IsGlue(name fqdn.Name) bool
}

// Backend is what answers after the directive in its server block, as far as that is
// known without a question to it: what can be seen, and what is remembered of earlier
// questions. Those go through an [Exchange]. It is safe for concurrent use.
type Backend interface {
	Zones
	// Known decides for an owner name, and returns what is known of the backend there.
	Known(n Names, owner fqdn.Name) Known
	// Learn takes note of what the backend was found to have at a name. asked is
	// when the question was asked, by [Backend.Now]. named says that the map itself
	// names the owner: of other names anybody can ask for any number.
	Learn(n Names, owner fqdn.Name, k Known, named bool, asked Moment)
	// KnownZone returns whether the backend has what z says, if that is known.
	KnownZone(z Apex) (has, known bool)
	// LearnZone takes note of whether the backend has what z says.
	LearnZone(z Apex, has bool, asked Moment)
	// Now is the moment to pass to Learn and LearnZone, taken before the question.
	Now() Moment
}

// Moment is a time by the clock of a backend that remembers.
type Moment uint32

// Known is what is known of an owner name before the backend is asked about it.
type Known struct {
	Decision mapset.Decision
	Presence
	// Final says that the decision is final, whatever the backend answers. Without
	// it, the decision is what the map alone says.
	Final bool
}

// Presence is what a backend has at an owner name, as far as an answer for addresses
// depends on it. The zero Presence says nothing of the backend.
type Presence struct {
	Exists             bool // the name has an address or an alias
	Alias              bool // the name has an alias
	Authoritative      bool // the AA of the backend's reply
	RecursionAvailable bool // its RA
	// Wildcard is the wildcard that the backend said it answered from, or "".
	Wildcard fqdn.Name
}

// Version is a zone of a backend as it was when it was looked into.
type Version interface {
	// Current reports whether nothing in the zone has changed.
	Current() bool
}

// Apex is a declared zone, or, with Outer, the wildcards between its apex and that of
// the declared zone Outer around it.
type Apex struct{ Zone, Outer fqdn.Name }

// Opaque is the [Zones] of a backend that shows nothing.
type Opaque struct{}

// Look implements [Zones].
func (Opaque) Look(fqdn.Name) (Presence, Version) { return Presence{}, nil }

// RevealsWildcard implements [Zones].
func (Opaque) RevealsWildcard(fqdn.Name) bool { return false }

// Beside implements [Zones].
func (Opaque) Beside(fqdn.Name, uint16, string) []dns.RR { return nil }

// IsGlue implements [Zones].
func (Opaque) IsGlue(fqdn.Name) bool { return false }

// Forgetful is a [Backend] that remembers nothing, and is asked about each name.
type Forgetful struct{ Zones }

// Known implements [Backend]: the decision is what the map says.
func (Forgetful) Known(n Names, owner fqdn.Name) Known { return Known{Decision: n.Lookup(owner)} }

// Learn implements [Backend].
func (Forgetful) Learn(Names, fqdn.Name, Known, bool, Moment) {}

// KnownZone implements [Backend].
func (Forgetful) KnownZone(Apex) (has, known bool) { return false, false }

// LearnZone implements [Backend].
func (Forgetful) LearnZone(Apex, bool, Moment) {}

// Now implements [Backend].
func (Forgetful) Now() Moment { return 0 }
