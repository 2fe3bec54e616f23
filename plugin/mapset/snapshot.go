// Package mapset compiles map documents into an immutable [Snapshot] and
// decides, for an owner name, whether it is proxied and with which addresses it
// is answered. What documents say together is checked here (rules V4 to V11,
// V14 and V15 of the map format), as is what a reload may not do (P1 to P5).
package mapset

import (
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Snapshot is everything a query needs of the documents in force. It never
// changes once built and is safe for concurrent use.
type Snapshot struct {
	documents map[string]*document // :: name → document
	zones     zones
	accounts  map[string]*account // :: id → account
	anycast   []netip.Addr
	site      string // of the server, "" for none
	serials   serials
	shares    bool    // an address may be on the maps of two accounts
	closed    *Closed // nil if nothing is
	drained   *Drained
	stats     Stats
	warnings  []string

	unknownSite string // that the map does not know the site, or ""

	above func() fqdn.Set                // aboveProxied, made once; shared with those made by Beside
	byID  func() map[string][]netip.Addr // writtenIDs, made once
}

// Warnings returns what the documents say that is allowed and yet probably not
// meant, one line each. The slice is shared: read only.
func (s *Snapshot) Warnings() []string { return s.warnings }

// SiteWarning says that the documents do not know the site of the options, or is "". It
// is not among the warnings, which are the same for all options.
func (s *Snapshot) SiteWarning() string {
	if s.unknownSite == "" {
		return ""
	}
	return s.unknownSite + ": the general anycast addresses are answered"
}

// Anycast returns the anycast addresses in the order in which they are written. The
// slice is shared: read only.
func (s *Snapshot) Anycast() []netip.Addr { return s.anycast }

// Documents returns the documents in the order of their names, without their texts and
// most of their marks. They are shared: read only.
func (s *Snapshot) Documents() []*mapfile.Document {
	out := make([]*mapfile.Document, 0, len(s.documents))
	for _, name := range slices.Sorted(maps.Keys(s.documents)) {
		out = append(out, s.documents[name].source)
	}
	return out
}

// Family is an address family.
type Family uint8

// The address families.
const (
	IPv4 Family = iota
	IPv6
)

// sizes are those of an address, in octets.
var sizes = [...]int{net.IPv4len, net.IPv6len}

// Size is that of an address, in octets.
func (f Family) Size() int { return sizes[f] }

// String returns the family's metric label.
func (f Family) String() string { return [...]string{"ipv4", "ipv6"}[f] }

// Step is a step of the fallback.
type Step uint8

// The steps in the order in which they are tried; StepNone is the end.
const (
	StepNone Step = iota
	StepSpectrum
	StepName
	StepZone
	StepAccount
	StepAnycast
	Steps int = iota // how many there are
)

// String returns the step's name in metrics, metadata and logs.
func (s Step) String() string {
	return [...]string{"none", "spectrum", "name", "zone", "account", "anycast"}[s]
}

// Pool is the usable addresses of one step: of an application, an address map,
// or anycast. It is shared and never changes.
type Pool struct {
	Step   Step
	octets [2][]byte // of the addresses of each family, one after the other
	near   [56]byte  // where these are if they fit: then a query waits for memory once
	Map    string    // id of the address map; "" for the other steps

	dynamic bool // of an application that is answered with anycast
}

// noPool is where the fallback ends when no step has a usable address.
var noPool = &Pool{Step: StepNone}

// of makes an empty pool the one of a step.
func (p *Pool) of(step Step, mapID string, addrs []netip.Addr) *Pool {
	p.Step, p.Map = step, mapID
	octets := p.near[:0]
	for _, f := range [...]Family{IPv4, IPv6} {
		from := len(octets)
		for _, a := range addrs {
			if a.Is4() == (f == IPv4) {
				octets = append(octets, a.AsSlice()...)
			}
		}
		p.octets[f] = slices.Clip(octets[from:])
	}
	return p
}

func (p *Pool) empty() bool { return !p.has(IPv4) && !p.has(IPv6) }

func (p *Pool) has(f Family) bool { return len(p.octets[f]) > 0 }

// addrs returns the addresses of a family.
func (p *Pool) addrs(f Family) []netip.Addr {
	var out []netip.Addr
	for octets := range slices.Chunk(p.octets[f], f.Size()) {
		a, _ := netip.AddrFromSlice(octets)
		out = append(out, a)
	}
	return out
}

// all returns the addresses of both families, none if p is nil.
func (p *Pool) all() []netip.Addr {
	if p == nil {
		return nil
	}
	return slices.Concat(p.addrs(IPv4), p.addrs(IPv6))
}

// account is what a decision and a later reload need to know of an account.
type account struct {
	id        string
	file      string // the document it stands in
	byoipOnly bool
	maps      []addressMap
	inForce   int // how many addresses it has in force
}

// addresses returns those that the enabled maps can answer with, each once.
func (a *account) addresses() []netip.Addr {
	var all []netip.Addr
	for i := range a.maps {
		if m := &a.maps[i]; m.enabled {
			all = append(all, m.ips.usable...)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// addressMap is what protection and the log need to know of an address map.
type addressMap struct {
	id           string
	enabled      bool
	canDelete    bool
	canModifyIPs bool
	ips          addrSet  // sorted
	members      []member // sorted
}

// spectrum is an application: an owner name with addresses of its own.
type spectrum struct {
	outcome *outcome
	mark    mark    // with the families that it connects with
	ips     addrSet // of a static one
}

// addrSet is addresses as written, and those of them that are not withdrawn. The
// two are one slice where none is.
type addrSet struct{ written, usable []netip.Addr }

// withdrawn reports whether there are addresses, but none that is usable.
func (s addrSet) withdrawn() bool { return len(s.usable) == 0 && len(s.written) > 0 }

// mark is what is known of one owner name.
type mark uint8

const (
	markProxied mark = 1 << iota
	markV4Only
	markV6Only
)

// answers reports whether a name with this mark is answered for family f at all.
func (m mark) answers(f Family) bool {
	if f == IPv4 {
		return m&(markProxied|markV6Only) == markProxied
	}
	return m&(markProxied|markV4Only) == markProxied
}
