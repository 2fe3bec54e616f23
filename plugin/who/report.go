package who

import (
	"net/netip"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Report is who is on the addresses of a query. The keys of its JSON are documented in
// docs/who.md.
type Report struct {
	Names    Count      `json:"names"`
	Space    []Space    `json:"space"`
	Places   []*Place   `json:"places"`
	Accounts []*Account `json:"accounts"` // the one with the most names first
}

// Count counts the names that are answered with the addresses of a query, and parts them
// by the addresses that they have beside. All other names of a zone that is proxied
// throughout count as one.
type Count struct {
	All        int `json:"all"`
	Zones      int `json:"zones"`
	Accounts   int `json:"accounts"`
	Throughout int `json:"throughout"` // how many of All stand for all other names of a zone

	WithOthers      int `json:"with_others"`       // have another address of each family
	OtherFamilyOnly int `json:"other_family_only"` // have no other address of a family
	WithoutOthers   int `json:"without_others"`
}

// The kinds of [Space].
const (
	KindPrefix    = "prefix"
	KindDelegated = "delegated_prefix"
	KindStatic    = "static_ip"
)

// Space is address space of an account that the addresses lie in.
type Space struct {
	Kind      string `json:"kind"`
	Prefix    string `json:"prefix"` // or the static address
	Account   string `json:"account"`
	Withdrawn bool   `json:"withdrawn"`
	File      string `json:"file"`
	Line      int    `json:"line"`
}

// The kinds of [Place].
const (
	KindMap      = "address_map"
	KindSpectrum = "spectrum"
	KindAnycast  = "anycast"
	KindSite     = "site"
	KindGeneral  = "general_anycast"
)

// Place is where the map has the addresses: an address map, a static Spectrum
// application, anycast, or that of a site. Of a site, the names are counted under anycast,
// of a snapshot for that site, and the general anycast answers for none: a drain of the
// site falls back to it.
type Place struct {
	Kind      string       `json:"kind"`
	ID        string       `json:"id,omitempty"` // of the address map, or the name of the application or site
	Account   string       `json:"account,omitempty"`
	Disabled  bool         `json:"disabled"`
	Addresses []netip.Addr `json:"addresses"` // those of the query
	Withdrawn []netip.Addr `json:"withdrawn"` // those of Addresses that are not answered
	Names     int          `json:"names"`     // that are answered with one of Addresses from here
	// Passed is the names that this place is for and that are answered otherwise.
	Passed []*Passed `json:"passed"`
	File   string    `json:"file,omitempty"`
	Line   int       `json:"line,omitempty"`
}

// Passed is names that a place does not answer for, by the reason.
type Passed struct {
	Names  int    `json:"names"`
	Reason string `json:"reason"`
	By     string `json:"by,omitempty"` // what answers for them: a step, and its address map
}

// Account is the names of one account.
type Account struct {
	ID    string  `json:"id"`
	Names int     `json:"names"`
	Zones []*Zone `json:"zones"` // the one with the most names first
}

// Zone is the names of one zone.
type Zone struct {
	Name       fqdn.Name `json:"name"`
	Names      int       `json:"names"`
	Throughout bool      `json:"throughout"` // all its other names, too
	// Steps are those that answer, each with its address map.
	Steps []string `json:"steps"`
	// List is the names in order: all, or the first ones.
	List []fqdn.Name `json:"list"`
}
