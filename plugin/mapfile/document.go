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
	Line int32
	Col  int32
}

// Document is one map document as written. A value that was left out has its default
// of the map format. A position is that of the value, or of its key or mapping if
// there is no value.
//
// Values that [Parse] refused are left out. Where a rule about several places goes by
// what may be missing, a flag whose name ends in Invalid is set beside the list: an
// error about a missing value would only repeat the first error. An accepted document
// has no flag set.
type Document struct {
	Name     string // as errors print it, usually the path of the file
	Anycast  []Addr
	Sites    []Site
	Accounts []Account
	Pos      Pos // of the key "anycast" if present, else of "sites", else of the document

	AnycastInvalid  bool // part of anycast or sites was refused (V15 cannot be judged)
	AccountsInvalid bool // an account was left out, or has no ID (V6: a lender may be missing)
	// HasAllZones says that Accounts certainly has all zones of the document, whatever
	// else was refused (R26).
	HasAllZones bool

	text *quoter // for the lines that errors quote
}

// Addr is one address with its place.
type Addr struct {
	IP  netip.Addr
	Pos Pos
}

// IPs returns addresses without their places.
func IPs(list []Addr) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, a := range list {
		out[i] = a.IP
	}
	return out
}

// Prefix is address space of an account. Advertised is true unless the
// document withdraws it.
type Prefix struct {
	CIDR       netip.Prefix // masked
	Advertised bool
	Pos        Pos
}

// Site is a place with anycast addresses of its own.
type Site struct {
	Name    string
	Pos     Pos // of the name
	Anycast []Addr
}

// HoldsAnycast reports whether the document is the one with the anycast addresses, in
// general or of sites.
func (d *Document) HoldsAnycast() bool { return len(d.Anycast) > 0 || len(d.Sites) > 0 }

// Account is one customer: address space, zones and address maps. ID is empty only if
// the id was refused: the account is then here so that its other values are checked.
type Account struct {
	ID        string
	Pos       Pos // of the id
	Name      string
	BYOIPOnly bool
	BYOIPPos  Pos
	Prefixes  []Prefix
	Delegated []Prefix // Advertised is always true
	StaticIPs []Addr
	Zones     []Zone
	Maps      []AddressMap
	Spectrum  []SpectrumApp

	SpaceInvalid bool // part of prefixes, delegated_prefixes or static_ips was refused (V5, V6 cannot be judged)
	ZonesInvalid bool // a zone was left out, or the id of one (V8 cannot be judged for a zone)
	MapsInvalid  bool // part of address_maps was refused (V11 and V15 cannot be judged)
}

// Zone is one zone and its marks.
type Zone struct {
	Name           fqdn.Name
	Pos            Pos // of the name
	ID             string
	IDPos          Pos
	IPv6           bool   // false: AAAA only where the backend has AAAA
	All            bool   // proxied: all
	Marks          []Mark // of the list "proxied", in its order; no owner twice
	MarksInvalid   bool   // a mark was left out (V8 cannot be judged for a wildcard)
	ZoneFile       string // as written; "" if absent
	ZoneFilePos    Pos
	ProxiedDefault bool
}

// Mark says for one owner name whether it is proxied, and with which families.
type Mark struct {
	Owner   fqdn.Name
	Proxied bool
	V4Only  bool
	V6Only  bool
	Pos     Pos
}

// MemberKind says whether a membership attaches an address map to a zone, an account or
// a name.
type MemberKind uint8

// The kinds of membership.
const (
	MemberZone MemberKind = iota + 1
	MemberAccount
	MemberName
)

// Member attaches an address map to a zone, an account or a name.
type Member struct {
	Kind       MemberKind
	Identifier string    // a zone's name (any form) or id, an account's id, or a name in any form
	Name       fqdn.Name // of kind MemberName alone; may be a wildcard
	Pos        Pos       // of the identifier
}

// AddressMap is a set of addresses with its memberships.
type AddressMap struct {
	ID           string // from the document, or made from the position: "acme/0"
	Pos          Pos    // of the id if given, else of the map
	Description  string
	Enabled      bool
	DefaultSNI   string
	CanDelete    bool
	CanModifyIPs bool
	IPs          []Addr
	Members      []Member

	IPsInvalid     bool // part of ips was refused (V10 cannot be judged)
	MembersInvalid bool // part of memberships was refused
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
	Name         fqdn.Name
	Pos          Pos // of the name
	Static       bool
	IPs          []Addr // of a static one
	Connectivity Connectivity
	TypePos      Pos // of edge_ips.type
}
