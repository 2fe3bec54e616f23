package edge

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// maxChain is how many aliases are followed, one after the other.
const maxChain = 16

// OriginServer is the origin of a proxied name: the addresses of the origin if the zone
// files have them, or else the name to look up.
type OriginServer struct {
	Name      string       `json:"name"` // may begin with "*."
	Zone      string       `json:"zone"`
	Addresses []netip.Addr `json:"addresses,omitempty"`
	Host      string       `json:"host,omitempty"`
	// Except are names and wildcards below a wildcard that do not have its origin: they
	// exist by themselves (RFC 4592) and have no origin here, are marked as not proxied,
	// or are at or below another zone or a delegation.
	Except []string `json:"except,omitempty"`
}

// ZoneFiles are the records of the zone files by zone.
type ZoneFiles map[fqdn.Name][]cloudflare.Record

// OriginServers returns the origins of the proxied names of all zones, in order of the
// names, and warnings about names that are left out. A zone without a file is left
// out.
func OriginServers(snapshot *mapset.Snapshot, files ZoneFiles) (out []OriginServer, warnings []string) {
	g := &originFinder{snapshot: snapshot, records: make(map[fqdn.Name][]*cloudflare.Record), files: files, zones: knownZones(snapshot, files)}
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
	out = []OriginServer{}
	served := make(fqdn.Set)
	wildcards := make(map[fqdn.Name]int) // :: wildcard → its place in out
	for _, owner := range owners {
		d := snapshot.LookupFrom(owner, owner)
		if !d.Proxied() || d.Spectrum || g.belowCut(owner) {
			continue
		}
		server, reason := g.originOf(owner)
		switch {
		case reason == noAddress:
			continue
		case reason != "":
			warnings = append(warnings, fmt.Sprintf("%s is left out: %s", quoted(hostName(owner)), reason))
			continue
		}
		server.Zone = hostName(d.Zone())
		if owner.IsWildcard() {
			wildcards[owner] = len(out)
		}
		served[owner] = struct{}{}
		out = append(out, server)
	}
	for _, name := range g.exceptions(owners, served) {
		if at, ok := wildcards[nearestWildcard(name, wildcards)]; ok {
			out[at].Except = append(out[at].Except, hostName(name))
		}
	}
	return out, warnings
}

// exceptions returns the host names without an origin although a wildcard may be above
// them, in order: owners of records, names marked as not proxied, and each zone and each
// delegation with all that is below it, where a wildcard from above does not apply (RFC
// 1034, section 4.3.3). A served name is none: servers refuse a host that stands twice.
func (g *originFinder) exceptions(owners []fqdn.Name, served fqdn.Set) []fqdn.Name {
	out := slices.Clone(owners)
	for _, owner := range owners {
		if g.isCut(owner) {
			out = append(out, owner.Wildcard())
		}
	}
	for apex := range g.zones {
		out = append(out, apex, apex.Wildcard())
	}
	for apex := range g.files {
		for _, name := range g.snapshot.Marked(apex) {
			if !g.snapshot.Lookup(name).Proxied() {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(n fqdn.Name) bool { return hasKey(served, n) || !isHostName(hostName(n)) })
}

// knownZones returns the zones that are declared, have a file, or are closed because their
// document is refused.
func knownZones(snapshot *mapset.Snapshot, files ZoneFiles) fqdn.Set {
	out := make(fqdn.Set)
	for apex := range files {
		out[apex] = struct{}{}
	}
	for _, doc := range snapshot.Documents() {
		for i := range doc.Accounts {
			for _, z := range doc.Accounts[i].Zones {
				out[z.Name] = struct{}{}
			}
		}
	}
	if c := snapshot.Closed(); c != nil {
		for apex := range c.Zones {
			out[apex] = struct{}{}
		}
	}
	return out
}

// nearestWildcard returns the wildcard that is the source of synthesis of an owner (RFC
// 4592) if the owner has no records, or "".
func nearestWildcard(owner fqdn.Name, wildcards map[fqdn.Name]int) fqdn.Name {
	for n, ok := owner.Parent(); ok; n, ok = n.Parent() {
		if w := n.Wildcard(); hasKey(wildcards, w) {
			return w
		}
	}
	return ""
}

func hasKey[K comparable, V any](m map[K]V, k K) bool { _, ok := m[k]; return ok }

// originFinder follows aliases through the records of all zones.
type originFinder struct {
	snapshot *mapset.Snapshot
	files    ZoneFiles
	zones    fqdn.Set
	records  map[fqdn.Name][]*cloudflare.Record // :: owner → its records
}

// zoneOf returns the deepest zone that encloses name, or "".
func (g *originFinder) zoneOf(name fqdn.Name) fqdn.Name {
	for n, ok := name, true; ok; n, ok = n.Parent() {
		if hasKey(g.zones, n) {
			return n
		}
	}
	return ""
}

// belowCut reports whether a name is at or below a zone cut: its addresses are glue.
func (g *originFinder) belowCut(owner fqdn.Name) bool {
	zone := g.zoneOf(owner)
	for n, ok := owner, true; ok && n != zone; n, ok = n.Parent() {
		if g.isCut(n) {
			return true
		}
	}
	return false
}

// isCut reports whether an owner has name servers. The apex of a zone does too.
func (g *originFinder) isCut(owner fqdn.Name) bool {
	return slices.ContainsFunc(g.records[owner], func(r *cloudflare.Record) bool { return r.RR.Header().Rrtype == dns.TypeNS })
}

// noAddress is the reason to leave out a name without an address, without a warning.
const noAddress = "no address"

// originOf follows the aliases of a name to the addresses of its origin, or to a name
// outside the zones. reason says why there is no origin.
func (g *originFinder) originOf(owner fqdn.Name) (server OriginServer, reason string) {
	if !isHostName(hostName(owner)) {
		return server, "it is no host name"
	}
	server.Name = hostName(owner)
	account := g.snapshot.LookupFrom(owner, owner).Account()
	name := owner
	for range maxChain {
		source := g.sourceOf(name)
		records := g.records[source]
		if len(records) == 0 && name != owner {
			return g.outsideOrigin(server, name)
		}
		if d := g.snapshot.LookupFrom(name, source); d.Proxied() && d.Account() != account {
			// The other account has not agreed to have its origin used.
			return server, "its CNAME leads to " + quoted(hostName(name)) + ", a proxied name of another account"
		}
		next := fqdn.Name("")
		for _, r := range records {
			originName, placeholder := r.Tag(cloudflare.OriginTag)
			switch rr := r.RR.(type) {
			case *dns.A:
				if placeholder {
					next = fqdn.Canonical(originName)
					continue
				}
				server.Addresses = appendIP(server.Addresses, rr.A)
			case *dns.AAAA:
				server.Addresses = appendIP(server.Addresses, rr.AAAA)
			case *dns.CNAME:
				next = fqdn.Canonical(rr.Target)
			}
		}
		switch {
		case len(server.Addresses) > 0:
			return server, ""
		case next == "" && name == owner:
			return server, noAddress
		case next == "":
			return server, "its CNAME leads to " + quoted(hostName(name)) + ", which has no address"
		}
		name = next
	}
	return server, "its CNAMEs go in a circle"
}

// outsideOrigin completes server with a name that no zone file has. A proxied name
// would lead back to the edge.
func (g *originFinder) outsideOrigin(server OriginServer, name fqdn.Name) (OriginServer, string) {
	server.Host = hostName(name)
	switch target := "its CNAME leads to " + quoted(server.Host); {
	case !isHostName(server.Host):
		return server, target + ", which is no host name"
	case hasKey(g.files, g.zoneOf(name)):
		return server, target + ", which has no address"
	case g.snapshot.IsClosed(name):
		return server, target + ", whose zone is in a refused document"
	case g.snapshot.Lookup(name).Proxied():
		return server, target + ", which is proxied itself: name its zone file"
	}
	return server, ""
}

// sourceOf returns the owner whose records answer a name: the name itself, or a
// wildcard of its zone (RFC 4592).
func (g *originFinder) sourceOf(name fqdn.Name) fqdn.Name {
	if len(g.records[name]) > 0 {
		return name
	}
	for n, ok := name.Parent(); ok; n, ok = n.Parent() {
		if w := n.Wildcard(); len(g.records[w]) > 0 {
			return w
		}
		if len(g.records[n]) > 0 || hasKey(g.zones, n) {
			break
		}
	}
	return name
}

// appendIP appends an address unless the list has it.
func appendIP(list []netip.Addr, octets []byte) []netip.Addr {
	ip, ok := netip.AddrFromSlice(octets)
	if ip = ip.Unmap(); !ok || slices.Contains(list, ip) {
		return list
	}
	return append(list, ip)
}

// quoted is a text that a tenant may have written, for a warning.
func quoted(s string) string {
	return strconv.QuoteToASCII(strings.TrimSpace(s))
}
