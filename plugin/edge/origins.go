package edge

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/cfzone"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// maxChain is how many aliases are followed, one after the other.
const maxChain = 16

// OriginServer is where the edge finds the origin of a proxied name: its addresses if
// the zone files have them, or else the name at which to look for them.
type OriginServer struct {
	Name      string       `json:"name"` // may begin with "*."
	Zone      string       `json:"zone"`
	Addresses []netip.Addr `json:"addresses,omitempty"`
	Host      string       `json:"host,omitempty"`
	// Except holds names below a wildcard that are not proxied: they exist by
	// themselves (RFC 4592), or are marked so.
	Except []string `json:"except,omitempty"`
}

// ZoneFiles are the records of the zone files by zone.
type ZoneFiles map[fqdn.Name][]cfzone.Record

// OriginServers returns where the origins of the proxied names of all zones are, in
// order of the names, and what is wrong with others. A zone without a file is
// left out.
func OriginServers(snapshot *mapset.Snapshot, files ZoneFiles) (out []OriginServer, warnings []string) {
	g := &gatherer{snapshot: snapshot, records: make(map[fqdn.Name][]*cfzone.Record), files: files}
	for apex, records := range files {
		for i := range records {
			// A zone of its own below this one has a file of its own.
			if r := &records[i]; r.Owner.In(apex) && g.zoneOf(r.Owner) == apex {
				g.records[r.Owner] = append(g.records[r.Owner], r)
			}
		}
	}
	owners := make([]fqdn.Name, 0, len(g.records))
	for owner := range g.records {
		owners = append(owners, owner)
	}
	slices.Sort(owners)
	wildcards := make(map[fqdn.Name]int) // :: wildcard → its place in out
	for _, owner := range owners {
		d := snapshot.LookupFrom(owner, owner)
		if !d.Proxied() || d.Spectrum || g.belowCut(owner) {
			continue
		}
		b, why := g.follow(owner)
		switch {
		case why == noAddress:
			continue
		case why != "":
			warnings = append(warnings, fmt.Sprintf("%s is left out: %s", quote(host(owner)), why))
			continue
		}
		b.Zone = host(d.Zone())
		if owner.IsWildcard() {
			wildcards[owner] = len(out)
		}
		out = append(out, b)
	}
	for _, name := range g.unproxied(owners) {
		if at, ok := wildcards[nearestWildcard(name, wildcards)]; ok {
			out[at].Except = append(out[at].Except, host(name))
		}
	}
	return out, warnings
}

// unproxied returns the host names that are not proxied although a wildcard may
// be above them, in order: those that exist by themselves, and those marked so.
func (g *gatherer) unproxied(owners []fqdn.Name) (out []fqdn.Name) {
	for _, owner := range owners {
		if !g.snapshot.LookupFrom(owner, owner).Proxied() {
			out = append(out, owner)
		}
	}
	for apex := range g.files {
		for _, name := range g.snapshot.Marked(apex) {
			if !g.snapshot.Lookup(name).Proxied() {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(n fqdn.Name) bool { return !isHost(host(n)) })
}

func nearestWildcard(owner fqdn.Name, wildcards map[fqdn.Name]int) fqdn.Name {
	for n, ok := owner.Parent(); ok; n, ok = n.Parent() {
		if w := n.Wildcard(); has(wildcards, w) {
			return w
		}
	}
	return ""
}

func has[K comparable, V any](m map[K]V, k K) bool { _, ok := m[k]; return ok }

// gatherer follows aliases through the records of all zones.
type gatherer struct {
	snapshot *mapset.Snapshot
	files    ZoneFiles
	records  map[fqdn.Name][]*cfzone.Record // :: owner → its records
}

// zoneOf returns the deepest zone, of those of the map and those with a file.
func (g *gatherer) zoneOf(name fqdn.Name) fqdn.Name {
	zone := g.snapshot.Lookup(name).Zone()
	for n, ok := name, true; ok && n != zone; n, ok = n.Parent() {
		if has(g.files, n) {
			return n
		}
	}
	return zone
}

// belowCut reports whether a name is at or below a delegation: what stands there
// is glue.
func (g *gatherer) belowCut(owner fqdn.Name) bool {
	zone := g.zoneOf(owner)
	for n, ok := owner, true; ok && n != zone; n, ok = n.Parent() {
		if slices.ContainsFunc(g.records[n], func(r *cfzone.Record) bool { return r.RR.Header().Rrtype == dns.TypeNS }) {
			return true
		}
	}
	return false
}

// noAddress is why a name that has no address is left out, which is no fault.
const noAddress = "no address"

// follow goes along the aliases of a name to the addresses of its origin, or out
// of the zones. why tells why there is none.
func (g *gatherer) follow(owner fqdn.Name) (b OriginServer, why string) {
	if !isHost(host(owner)) {
		return b, "it is no host name"
	}
	b.Name = host(owner)
	name, first := owner, true
	for range maxChain {
		records := g.records[g.source(name)]
		if len(records) == 0 && !first {
			return g.outside(b, name)
		}
		first = false
		next := fqdn.Name("")
		for _, r := range records {
			kept, placeholder := r.Tag(cfzone.OriginTag)
			switch rr := r.RR.(type) {
			case *dns.A:
				if placeholder {
					next = fqdn.Canonical(kept)
					continue
				}
				b.Addresses = appendIP(b.Addresses, rr.A)
			case *dns.AAAA:
				b.Addresses = appendIP(b.Addresses, rr.AAAA)
			case *dns.CNAME:
				next = fqdn.Canonical(rr.Target)
			}
		}
		switch {
		case len(b.Addresses) > 0:
			return b, ""
		case next == "" && name == owner:
			return b, noAddress
		case next == "":
			return b, "its CNAME leads to " + quote(host(name)) + ", which has no address"
		}
		name = next
	}
	return b, "its CNAMEs go in a circle"
}

// outside completes b with a name that no zone file has. One that is proxied
// would lead back to the edge.
func (g *gatherer) outside(b OriginServer, name fqdn.Name) (OriginServer, string) {
	b.Host = host(name)
	switch leads := "its CNAME leads to " + quote(b.Host); {
	case !isHost(b.Host):
		return b, leads + ", which is no host name"
	case has(g.files, g.zoneOf(name)):
		return b, leads + ", which has no address"
	case g.snapshot.Lookup(name).Proxied():
		return b, leads + ", which is proxied itself: name its zone file"
	}
	return b, ""
}

// source returns the owner that a name is answered from: itself, or a wildcard.
func (g *gatherer) source(name fqdn.Name) fqdn.Name {
	if len(g.records[name]) > 0 {
		return name
	}
	for n, ok := name.Parent(); ok; n, ok = n.Parent() {
		if w := n.Wildcard(); len(g.records[w]) > 0 {
			return w
		}
		if len(g.records[n]) > 0 {
			break
		}
	}
	return name
}

func appendIP(list []netip.Addr, octets []byte) []netip.Addr {
	ip, ok := netip.AddrFromSlice(octets)
	if ip = ip.Unmap(); !ok || slices.Contains(list, ip) {
		return list
	}
	return append(list, ip)
}

// quote shows a text that anybody may have written.
func quote(s string) string {
	return strconv.QuoteToASCII(strings.TrimSpace(s))
}
