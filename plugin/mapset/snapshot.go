// Package mapset compiles map documents into an immutable [Snapshot] and
// decides, for an owner name, whether it is proxied and with which addresses it
// is answered. What documents say together is checked here (rules V4 to V11,
// V14 and V15 of the map format), as is what a reload may not do (P1 to P4).
package mapset

import (
	"net"
	"net/netip"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Snapshot is everything a query needs of the documents in force. It never
// changes once built and is safe for concurrent use.
type Snapshot struct {
	zones    map[fqdn.Name]*zone     // :: apex → zone
	spectrum map[fqdn.Name]*spectrum // :: owner → application; only exact names
	accounts map[string]*account     // :: id → account
	anycast  *Pool
	serials  serials
	touched  map[fqdn.Name]struct{} // the zones that may differ from what was before; nil for any
	stats    Stats
	warnings []string
}

// Stats counts what a snapshot holds.
type Stats struct {
	Accounts, Zones, ProxiedNames, AddressMaps, Addresses int
}

// Stats returns how much the snapshot holds.
func (s *Snapshot) Stats() Stats { return s.stats }

// Warnings returns what the documents say that is allowed and yet probably not
// meant, one line each. The slice is shared: read only.
func (s *Snapshot) Warnings() []string { return s.warnings }

// Family is an address family.
type Family uint8

// The address families.
const (
	IPv4 Family = iota
	IPv6
)

// String returns the family's metric label.
func (f Family) String() string { return [...]string{"ipv4", "ipv6"}[f] }

// Step is a step of the fallback.
type Step uint8

// The steps in the order in which they are tried; StepNone is the end.
const (
	StepNone Step = iota
	StepSpectrum
	StepZone
	StepAccount
	StepAnycast
	Steps int = iota // how many there are
)

// String returns the step's name in metrics, metadata and logs.
func (s Step) String() string {
	return [...]string{"none", "spectrum", "zone", "account", "anycast"}[s]
}

// Pool is the usable addresses of one step: of an application, an address map,
// or anycast. It is shared and never changes.
type Pool struct {
	Step  Step
	Map   string // id of the address map; "" for the other steps
	addrs [2][]netip.Addr
	ips   [2][]net.IP // the same addresses as RDATA needs them
}

// noPool is where the fallback ends when no step has a usable address.
var noPool = &Pool{Step: StepNone}

func newPool(step Step, mapID string, addrs []netip.Addr) *Pool {
	p := &Pool{Step: step, Map: mapID}
	for _, a := range addrs {
		f := familyOf(a)
		p.addrs[f] = append(p.addrs[f], a)
		p.ips[f] = append(p.ips[f], net.IP(a.AsSlice()))
	}
	return p
}

func (p *Pool) empty() bool { return len(p.addrs[IPv4]) == 0 && len(p.addrs[IPv6]) == 0 }

func familyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// zone is one zone compiled. pools holds the outcome of the fallback for each
// family, which is the same for all names of the zone.
type zone struct {
	apex    fqdn.Name
	account *account
	marks   map[fqdn.Name]mark // :: owner → its mark; nil if there is none
	wild    map[fqdn.Name]mark // :: parent of the asterisk label → the wildcard's mark
	rest    mark               // of every name without a mark
	pools   [2]*Pool
	autoV6  bool // AAAA is answered whatever the backend has
}

// account is what a decision and a later reload need to know of an account.
type account struct {
	id        string
	byoipOnly bool
	maps      []*addressMap
}

// addressMap is what protection and the log need to know of an address map.
type addressMap struct {
	id           string
	enabled      bool
	canDelete    bool
	canModifyIPs bool
	ips          []netip.Addr // sorted, usable or not
	members      []string     // as written
}

// spectrum is an application: an owner name with addresses of its own.
type spectrum struct {
	zone   *zone
	pool   *Pool
	listed []netip.Addr // usable or not; none of a dynamic one
}

// mark is what is known of one owner name.
type mark uint8

const (
	markProxied mark = 1 << iota
	markV4Only
	markV6Only
)

// Decision is the answer to "what does a client get for this owner name?". The
// zero Decision is that of a name that no zone of the map encloses.
type Decision struct {
	zone  *zone
	pools [2]*Pool
	mark  mark
	// ByWildcard: no mark of the name itself decided, but one of a wildcard
	// above it. It covers the name only if the backend answers for the name from
	// that wildcard (RFC 4592); see [Snapshot.LookupFrom].
	ByWildcard bool
	// Spectrum: the name is that of an application and is answered whether or
	// not the backend has it.
	Spectrum bool
}

// Proxied reports whether the name is answered with addresses of the map.
func (d Decision) Proxied() bool { return d.mark&markProxied != 0 }

// IPs returns the mapped addresses of family f in the map's order, as RDATA
// needs them; none if the answer is NODATA. The slice is shared: read only.
func (d Decision) IPs(f Family) []net.IP {
	if !d.answers(f) {
		return nil
	}
	return d.pools[f].ips[f]
}

// Addrs returns the same addresses as [Decision.IPs] for people and tools.
func (d Decision) Addrs(f Family) []netip.Addr {
	if !d.answers(f) {
		return nil
	}
	return d.pools[f].addrs[f]
}

func (d Decision) answers(f Family) bool {
	if !d.Proxied() {
		return false
	}
	if f == IPv4 {
		return d.mark&markV6Only == 0
	}
	return d.mark&markV4Only == 0
}

// NeedsAAAA reports whether AAAA is answered only if the backend has AAAA at
// the name (ipv6: false of its zone).
func (d Decision) NeedsAAAA() bool { return d.zone != nil && !d.zone.autoV6 && !d.Spectrum }

// Step returns the step of the fallback that answers for family f; StepNone for
// a name that is not proxied.
func (d Decision) Step(f Family) Step {
	if !d.Proxied() {
		return StepNone
	}
	return d.pools[f].Step
}

// Map returns the id of the address map that answers for family f, or "".
func (d Decision) Map(f Family) string {
	if !d.Proxied() {
		return ""
	}
	return d.pools[f].Map
}

// Zone returns the zone of the map that encloses the name most closely, or "".
func (d Decision) Zone() fqdn.Name {
	if d.zone == nil {
		return ""
	}
	return d.zone.apex
}

// Account returns the id of the account of that zone, or "".
func (d Decision) Account() string {
	if d.zone == nil {
		return ""
	}
	return d.zone.account.id
}

// Lookup decides for a name when it is not known which wildcard, if any, the
// backend answers from: the mark of the name itself, else that of the nearest
// wildcard above it, else what the zone says of all other names.
func (s *Snapshot) Lookup(name fqdn.Name) Decision {
	z, app := s.enclosing(name)
	if app != nil {
		return app.decision()
	}
	if z == nil {
		return Decision{}
	}
	if m, ok := z.marks[name]; ok {
		return s.decide(z, m, false)
	}
	if len(z.wild) > 0 {
		for n := name; n != z.apex; {
			n, _ = n.Parent()
			if m, ok := z.wild[n]; ok {
				return s.decide(z, m, true)
			}
		}
	}
	return s.decide(z, z.rest, false)
}

// LookupFrom decides for a name of which the backend told the source of its
// records: the name itself, or the wildcard owner they were made from.
func (s *Snapshot) LookupFrom(name, source fqdn.Name) Decision {
	z, app := s.enclosing(name)
	if app != nil {
		return app.decision()
	}
	if z == nil {
		return Decision{}
	}
	m, ok := z.marks[name]
	if !ok && source != name && source.IsWildcard() {
		parent, _ := source.Parent()
		m, ok = z.wild[parent]
	}
	if !ok {
		m = z.rest
	}
	return s.decide(z, m, false)
}

// zoneOf returns the zone of the account that encloses name most closely, or nil.
func (s *Snapshot) zoneOf(name fqdn.Name, a *account) *zone {
	for n, ok := name, true; ok; n, ok = n.Parent() {
		if z := s.zones[n]; z != nil && z.account == a {
			return z
		}
	}
	return nil
}

// HasProxied reports whether the zone with this apex has names that are proxied.
func (s *Snapshot) HasProxied(apex fqdn.Name) bool {
	z := s.zones[apex]
	return z != nil && z.hasProxied()
}

// enclosing walks the labels of name from the left over sub-slices, so that the
// deepest zone is met first and nothing is allocated.
func (s *Snapshot) enclosing(name fqdn.Name) (*zone, *spectrum) {
	if len(s.spectrum) > 0 {
		if app := s.spectrum[name]; app != nil {
			return app.zone, app
		}
	}
	for n, ok := name, true; ok; n, ok = n.Parent() {
		if z := s.zones[n]; z != nil {
			return z, nil
		}
	}
	return nil, nil
}

func (s *Snapshot) decide(z *zone, m mark, byWildcard bool) Decision {
	return Decision{zone: z, pools: z.pools, mark: m, ByWildcard: byWildcard}
}

func (a *spectrum) decision() Decision {
	return Decision{zone: a.zone, pools: [2]*Pool{a.pool, a.pool}, mark: markProxied, Spectrum: true}
}
