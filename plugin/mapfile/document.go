// Package mapfile turns the bytes of one map document into a [Document], with the
// position of every value that a later error may be about. It checks the rules that
// concern a single place of a document (V1 to V3, V12, V13, V16 and the half of V14
// that needs no zone file); package mapset checks the rules about several places.
// Package mapfile reads no disk.
//
// YAML is read by go.yaml.in/yaml/v4, because the library gives line and column of
// every value and of every mistake, and takes 1.3 to 1.9 s for a document of 30 MB
// (BenchmarkParse; two shared cores); JSON is read by encoding/json. A large
// document in YAML is read in pieces if possible: see parsePieces.
package mapfile

import (
	"net/netip"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Pos is a place in a document. Line and column count from 1; the column counts
// characters, not bytes. The zero Pos is "nowhere in particular".
type Pos struct {
	Line int32 `cbor:"1,keyasint"`
	Col  int32 `cbor:"2,keyasint"`
}

// Document is one map document as written. A value that was left out has its default
// of the map format. A position is that of the value, or of its key or mapping if
// there is no value.
//
// Values that [Parse] refused are left out, and a flag whose name ends in Invalid is
// set beside the list that lacks them. Rules about several places go by these flags:
// where a flag is set, an error about a missing value would only repeat the first
// error. An accepted document has no flag set.
//
// The tags are for documents that are stored as CBOR (RFC 8949), with numbers in place
// of names, and without zero values.
type Document struct {
	Name       string    `cbor:"1,keyasint,omitzero"` // as errors print it, usually the path of the file
	Anycast    []Addr    `cbor:"2,keyasint,omitzero"`
	Accounts   []Account `cbor:"3,keyasint,omitzero"`
	Pos        Pos       `cbor:"4,keyasint,omitzero"` // of the key "anycast" if present, else of the document
	HasInvalid bool      `cbor:"5,keyasint,omitzero"` // something, anywhere in the document, was refused

	AnycastInvalid  bool `cbor:"6,keyasint,omitzero"` // part of anycast was refused (V15 cannot be judged)
	AccountsInvalid bool `cbor:"7,keyasint,omitzero"` // an account was left out, or has no ID (V6: a lender may be missing)
	// HasAllZones says that Accounts certainly has all zones of the document, whatever
	// else was refused (R26). CBOR leaves the flag out: stored documents were accepted.
	HasAllZones bool `cbor:"-"`

	text *quoter // for the lines that errors quote
}

// Addr is one address with its place.
type Addr struct {
	IP  netip.Addr `cbor:"1,keyasint,omitzero"`
	Pos Pos        `cbor:"2,keyasint,omitzero"`
}

// Prefix is address space of an account. Advertised is true unless the
// document withdraws it.
type Prefix struct {
	CIDR       netip.Prefix `cbor:"1,keyasint,omitzero"` // masked
	Advertised bool         `cbor:"2,keyasint,omitzero"`
	Pos        Pos          `cbor:"3,keyasint,omitzero"`
}

// Account is one customer: address space, zones and address maps. ID is empty only if
// the id was refused: the account is then here so that its other values are checked.
type Account struct {
	ID        string        `cbor:"1,keyasint,omitzero"`
	Pos       Pos           `cbor:"2,keyasint,omitzero"` // of the id
	Name      string        `cbor:"3,keyasint,omitzero"`
	BYOIPOnly bool          `cbor:"4,keyasint,omitzero"`
	BYOIPPos  Pos           `cbor:"5,keyasint,omitzero"`
	Prefixes  []Prefix      `cbor:"6,keyasint,omitzero"`
	Delegated []Prefix      `cbor:"7,keyasint,omitzero"` // Advertised is always true
	StaticIPs []Addr        `cbor:"8,keyasint,omitzero"`
	Zones     []Zone        `cbor:"9,keyasint,omitzero"`
	Maps      []AddressMap  `cbor:"10,keyasint,omitzero"`
	Spectrum  []SpectrumApp `cbor:"11,keyasint,omitzero"`

	HasInvalid   bool `cbor:"12,keyasint,omitzero"` // something, anywhere in the account, was refused
	SpaceInvalid bool `cbor:"13,keyasint,omitzero"` // part of prefixes, delegated_prefixes or static_ips was refused (V5, V6 cannot be judged)
	ZonesInvalid bool `cbor:"14,keyasint,omitzero"` // a zone was left out, or the id of one (V8 cannot be judged for a zone)
	MapsInvalid  bool `cbor:"15,keyasint,omitzero"` // part of address_maps was refused (V11 and V15 cannot be judged)
}

// Zone is one zone and its marks.
type Zone struct {
	Name           fqdn.Name `cbor:"1,keyasint,omitzero"`
	Pos            Pos       `cbor:"2,keyasint,omitzero"` // of the name
	ID             string    `cbor:"3,keyasint,omitzero"`
	IDPos          Pos       `cbor:"4,keyasint,omitzero"`
	IPv6           bool      `cbor:"5,keyasint,omitzero"` // false: AAAA only where the backend has AAAA
	All            bool      `cbor:"6,keyasint,omitzero"` // proxied: all
	Marks          []Mark    `cbor:"7,keyasint,omitzero"` // of the list "proxied", in its order; no owner twice
	ZoneFile       string    `cbor:"8,keyasint,omitzero"` // as written; "" if absent
	ZoneFilePos    Pos       `cbor:"9,keyasint,omitzero"`
	ProxiedDefault bool      `cbor:"10,keyasint,omitzero"`
	MarksInvalid   bool      `cbor:"11,keyasint,omitzero"` // part of proxied, or zone_file, was refused
}

// Mark says for one owner name whether it is proxied, and with which families.
type Mark struct {
	Owner   fqdn.Name `cbor:"1,keyasint,omitzero"`
	Proxied bool      `cbor:"2,keyasint,omitzero"`
	V4Only  bool      `cbor:"3,keyasint,omitzero"`
	V6Only  bool      `cbor:"4,keyasint,omitzero"`
	Pos     Pos       `cbor:"5,keyasint,omitzero"`
}

// MemberKind says whether a membership attaches an address map to a zone or an account.
type MemberKind uint8

// The kinds of membership.
const (
	MemberZone MemberKind = iota + 1
	MemberAccount
)

// Member attaches an address map to a zone or an account.
type Member struct {
	Kind       MemberKind `cbor:"1,keyasint,omitzero"`
	Identifier string     `cbor:"2,keyasint,omitzero"` // a zone's name (any form) or id, or an account's id
	Pos        Pos        `cbor:"3,keyasint,omitzero"` // of the identifier
}

// AddressMap is a set of addresses with its memberships.
type AddressMap struct {
	ID           string   `cbor:"1,keyasint,omitzero"` // from the document, or made from the position: "acme/0"
	Pos          Pos      `cbor:"2,keyasint,omitzero"` // of the id if given, else of the map
	Description  string   `cbor:"3,keyasint,omitzero"`
	Enabled      bool     `cbor:"4,keyasint,omitzero"`
	DefaultSNI   string   `cbor:"5,keyasint,omitzero"`
	CanDelete    bool     `cbor:"6,keyasint,omitzero"`
	CanModifyIPs bool     `cbor:"7,keyasint,omitzero"`
	IPs          []Addr   `cbor:"8,keyasint,omitzero"`
	Members      []Member `cbor:"9,keyasint,omitzero"`

	IPsInvalid     bool `cbor:"10,keyasint,omitzero"` // part of ips was refused (V10 cannot be judged)
	MembersInvalid bool `cbor:"11,keyasint,omitzero"` // part of memberships was refused
}

// Connectivity limits a dynamic Spectrum application to address families.
type Connectivity uint8

// The values of edge_ips.connectivity.
const (
	ConnectAll Connectivity = iota
	ConnectIPv4
	ConnectIPv6
)

// SpectrumApp is an application with addresses of its own. Its name lies in a
// zone of the account, unless ZonesInvalid is set there.
type SpectrumApp struct {
	Name         fqdn.Name    `cbor:"1,keyasint,omitzero"`
	Pos          Pos          `cbor:"2,keyasint,omitzero"` // of the name
	Static       bool         `cbor:"3,keyasint,omitzero"`
	IPs          []Addr       `cbor:"4,keyasint,omitzero"` // of a static one
	Connectivity Connectivity `cbor:"5,keyasint,omitzero"`
	TypePos      Pos          `cbor:"6,keyasint,omitzero"` // of edge_ips.type
}
