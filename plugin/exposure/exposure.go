// Package exposure says what in the zone files of a map makes an origin known although its
// name is proxied: a record beside it that has the same address, or leads to it.
package exposure

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// maxChain is how many aliases are followed, one after the other.
const maxChain = 16

// Zone is the zone file of a zone, and the marks of the zone in its document.
type Zone struct {
	Apex     fqdn.Name
	File     string // as the places of its records call it
	Records  []cloudflare.Record
	Document string // as the places of its marks call it
	Marks    []mapfile.Mark
}

// Exposure is one record or mark by which an origin is known. It tells no address: a
// report may be seen by more people than the zone file.
type Exposure struct {
	File   string
	Line   int
	Owner  fqdn.Name // of the record or mark
	Hidden fqdn.Name // a proxied name with that origin
	Text   string
	Remedy string
}

// Of returns the exposures of all zones in the order of their places. The records of an
// account are compared with the origins of the same account alone: whoever writes a zone
// file could ask for the origins of others, address by address.
func Of(snapshot *mapset.Snapshot, zones []Zone) []Exposure {
	apexes, ofAccount := make(fqdn.Set), make(map[string][]Zone)
	for _, z := range zones {
		apexes[z.Apex] = struct{}{}
		account := snapshot.LookupFrom(z.Apex, z.Apex).Account()
		ofAccount[account] = append(ofAccount[account], z)
	}
	var out []Exposure
	for _, own := range ofAccount {
		out = append(out, newSearch(snapshot, apexes, own).exposures()...)
	}
	slices.SortStableFunc(out, func(a, b Exposure) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return out
}

// search has the records of an account's zones, and whose origin each address is.
type search struct {
	snapshot *mapset.Snapshot
	apexes   fqdn.Set // of all accounts
	zones    []Zone
	records  map[fqdn.Name][]*cloudflare.Record // :: owner → its records
	existing fqdn.Set                           // owners, and what is between them and their apex
	// origins has the first proxied name that has its origin at an address, or at a name of
	// which no records are here.
	origins map[string]fqdn.Name
	sorted  []netip.Addr // of origins
}

func newSearch(snapshot *mapset.Snapshot, apexes fqdn.Set, zones []Zone) *search {
	s := &search{snapshot: snapshot, apexes: apexes, zones: zones, records: make(map[fqdn.Name][]*cloudflare.Record),
		existing: make(fqdn.Set), origins: make(map[string]fqdn.Name)}
	owners := make(fqdn.Set)
	for _, z := range zones {
		for i := range z.Records {
			r := &z.Records[i]
			if s.zoneOf(r.Owner) != z.Apex {
				continue // A zone of its own below has a file of its own.
			}
			s.records[r.Owner] = append(s.records[r.Owner], r)
			owners[r.Owner] = struct{}{}
			for n, ok := r.Owner, true; ok && n.In(z.Apex); n, ok = n.Parent() {
				s.existing[n] = struct{}{}
			}
		}
		for _, m := range z.Marks {
			owners[m.Owner] = struct{}{}
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(owners)) {
		source, records := s.at(owner)
		d := s.snapshot.LookupFrom(owner, source)
		if !d.Proxied() || len(records) == 0 {
			continue
		}
		for _, end := range s.ends(owner, true) {
			s.addOrigin(owner, end, d)
		}
	}
	slices.SortFunc(s.sorted, netip.Addr.Compare)
	return s
}

// addOrigin adds an end of a proxied name. What the name is answered with is no secret,
// nor is a name behind the edge.
func (s *search) addOrigin(owner fqdn.Name, end string, d mapset.Decision) {
	if s.origins[end] != "" {
		return
	}
	if ip, err := netip.ParseAddr(end); err == nil {
		isNobodys := func(p netip.Prefix) bool { return p.Contains(ip) }
		if slices.ContainsFunc(nobodys, isNobodys) || slices.Contains(d.Addrs(mapset.IPv4), ip) || slices.Contains(d.Addrs(mapset.IPv6), ip) {
			return
		}
		s.sorted = append(s.sorted, ip)
	} else if s.isProxied(fqdn.Name(end)) {
		return
	}
	s.origins[end] = owner
}

// zoneOf returns the deepest zone with a zone file around a name, "" if there is none.
func (s *search) zoneOf(name fqdn.Name) fqdn.Name {
	for n, ok := name, true; ok; n, ok = n.Parent() {
		if _, is := s.apexes[n]; is {
			return n
		}
	}
	return ""
}

// at returns the records that answer for a name, and the owner that they stand at: the
// name, or the wildcard that is its source of synthesis.
func (s *search) at(name fqdn.Name) (source fqdn.Name, records []*cloudflare.Record) {
	apex := s.zoneOf(name)
	for n, ok := name, apex != ""; ok && n.In(apex); n, ok = n.Parent() {
		if _, exists := s.existing[n]; !exists {
			continue
		}
		if w := n.Wildcard(); n != name && len(s.records[w]) > 0 {
			return w, s.records[w]
		}
		break
	}
	return name, s.records[name]
}

func (s *search) isProxied(name fqdn.Name) bool {
	source, _ := s.at(name)
	return s.snapshot.LookupFrom(name, source).Proxied()
}

// ends returns the addresses of a name and those that its alias leads to, and the name
// that it leads to of which no records are here. The names on the way are of any kind
// with all set, and unproxied without.
func (s *search) ends(name fqdn.Name, all bool) (out []string) {
	for range maxChain {
		if !all && s.isProxied(name) {
			return out
		}
		_, records := s.at(name)
		if len(records) == 0 {
			return append(out, string(name))
		}
		next := fqdn.Name("")
		for _, r := range records {
			target, placeholder := r.Tag(cloudflare.OriginTag)
			switch rr := r.RR.(type) {
			case *dns.CNAME:
				next = fqdn.Canonical(rr.Target)
			case *dns.A, *dns.AAAA:
				if placeholder {
					next = fqdn.Canonical(target)
				} else {
					out = append(out, addressesIn(rr)...)
				}
			}
		}
		if next == "" {
			return out
		}
		name = next
	}
	return out
}

// exposures returns the exposures of the zones of s.
func (s *search) exposures() (out []Exposure) {
	for _, z := range s.zones {
		for i := range z.Records {
			r := &z.Records[i]
			if s.zoneOf(r.Owner) != z.Apex {
				continue
			}
			if hidden, text, remedy := s.exposes(r, z.Apex); hidden != "" {
				out = append(out, Exposure{z.File, r.Line, r.Owner, hidden, fmt.Sprintf(text, r.Owner, hidden), remedy})
			}
		}
		for _, m := range z.Marks {
			if source, _ := s.at(m.Owner); source == m.Owner || !s.isProxied(source) {
				continue
			}
			if hidden := s.originOf(s.ends(m.Owner, false)...); hidden != "" {
				out = append(out, Exposure{z.Document, int(m.Pos.Line), m.Owner, hidden,
					fmt.Sprintf("%q is not proxied, has no records of its own, and is answered with the origin of %q", m.Owner, hidden),
					"give it records of its own, or leave it out"})
			}
		}
	}
	return out
}

// exposes returns the proxied name whose origin the record makes known, "" for none; the
// text has places for the record's owner and that name.
func (s *search) exposes(r *cloudflare.Record, apex fqdn.Name) (hidden fqdn.Name, text, remedy string) {
	const move = "give the origin another address, and let it answer the edge alone"
	switch rr := r.RR.(type) {
	case *dns.A, *dns.AAAA:
		if _, placeholder := r.Tag(cloudflare.OriginTag); placeholder || s.isProxied(r.Owner) {
			return "", "", ""
		}
		return s.originOf(addressesIn(rr)...), "%[1]q is not proxied and has the address of the origin of %[2]q", "mark it as proxied, or " + move
	case *dns.CNAME:
		if !s.isProxied(r.Owner) {
			hidden = s.originOf(string(fqdn.Canonical(rr.Target)))
		}
		return hidden, "%[1]q is not proxied and is an alias of the origin of %[2]q", "mark it as proxied, or let it have another target"
	case *dns.HTTPS:
		return s.exposesService(r.Owner, &rr.SVCB)
	case *dns.SVCB:
		return s.exposesService(r.Owner, rr)
	case *dns.MX:
		return s.originOf(s.ends(fqdn.Canonical(rr.Mx), false)...), "the MX record of %[1]q leads to the origin of %[2]q", "let mail have another address"
	case *dns.SRV:
		return s.originOf(s.ends(fqdn.Canonical(rr.Target), false)...), "the SRV record of %[1]q leads to the origin of %[2]q", "let the service have another address"
	case *dns.NS:
		// Glue is not replaced (R12).
		if target := fqdn.Canonical(rr.Ns); r.Owner != apex && target.In(r.Owner) && s.isProxied(target) {
			hidden = s.originOf(s.ends(target, true)...)
		}
		return hidden, "the glue of %[1]q has the address of the origin of %[2]q", "let the name server have another address"
	case *dns.PTR:
		if target := fqdn.Canonical(rr.Ptr); s.isProxied(target) {
			for _, end := range s.ends(target, true) {
				if reverse, err := dns.ReverseAddr(end); err == nil && reverse == string(r.Owner) {
					hidden = s.originOf(end)
				}
			}
		}
		// The owner tells the address, and is not in the text.
		return hidden, "a PTR record leads to %[2]q at the address of its origin", "take it out"
	case *dns.TXT:
		return s.exposesText(r, strings.Join(rr.Txt, ""))
	case *dns.SPF:
		return s.exposesText(r, strings.Join(rr.Txt, ""))
	}
	return s.exposesText(r, strings.TrimPrefix(r.RR.String(), r.RR.Header().String()))
}

// exposesService is exposes of an HTTPS or SVCB record, whose hints are replaced if its
// target is proxied (R9).
func (s *search) exposesService(owner fqdn.Name, rr *dns.SVCB) (hidden fqdn.Name, text, remedy string) {
	target, ends := owner, addressesIn(rr)
	if rr.Target != "." {
		target = fqdn.Canonical(rr.Target)
		ends = append(ends, s.ends(target, false)...)
	}
	if s.isProxied(target) {
		return "", "", ""
	}
	return s.originOf(ends...), "the " + dns.TypeToString[rr.Hdr.Rrtype] + " record of %[1]q leads to the origin of %[2]q", "let it have a proxied target, or none and no hints"
}

func (s *search) exposesText(r *cloudflare.Record, value string) (hidden fqdn.Name, text, remedy string) {
	hidden = cmp.Or(s.originIn(value), s.originBySPF(value, r.Owner))
	return hidden, "the " + dns.TypeToString[r.RR.Header().Rrtype] + " record of %[1]q tells the origin of %[2]q", "take it out; send mail from another address"
}

// originOf returns the proxied name that has its origin at one of the ends, or "".
func (s *search) originOf(ends ...string) fqdn.Name {
	for _, end := range ends {
		if hidden, ok := s.origins[end]; ok {
			return hidden
		}
	}
	return ""
}
