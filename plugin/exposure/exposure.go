// Package exposure says what in the zone files of a map makes an origin known although its
// name is proxied: a record beside it that has the same address, or leads to it.
package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// maxChain is how many aliases are followed, one after the other.
const maxChain = 16

// Zone is the zone file of a zone.
type Zone struct {
	Apex    fqdn.Name
	File    string // as the places of its records call it
	Records []cloudflare.Record
}

// Exposure is one record by which an origin is known. It tells no address: a report may
// be seen by more people than the zone file.
type Exposure struct {
	File   string
	Line   int
	Owner  fqdn.Name // of the record
	Hidden fqdn.Name // a proxied name with that origin
	Text   string
	Remedy string
}

// Of returns the exposures of all zones in the order of their places.
func Of(snapshot *mapset.Snapshot, zones []Zone) []Exposure {
	s := newSearch(snapshot, zones)
	var out []Exposure
	for _, z := range zones {
		for i := range z.Records {
			r := &z.Records[i]
			if !s.isOf(r, z.Apex) {
				continue
			}
			if hidden, text, remedy := s.exposes(r); hidden != "" {
				out = append(out, Exposure{File: z.File, Line: r.Line, Owner: r.Owner, Hidden: hidden, Text: text, Remedy: remedy})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Exposure) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return out
}

// search has the records of all zones, and whose origin each address is.
type search struct {
	snapshot *mapset.Snapshot
	apexes   fqdn.Set
	records  map[fqdn.Name][]*cloudflare.Record // :: owner → its records
	origins  map[netip.Addr]fqdn.Name           // :: address → the first proxied name with that origin
	sorted   []netip.Addr                       // of origins
}

func newSearch(snapshot *mapset.Snapshot, zones []Zone) *search {
	s := &search{snapshot: snapshot, apexes: make(fqdn.Set), records: make(map[fqdn.Name][]*cloudflare.Record), origins: make(map[netip.Addr]fqdn.Name)}
	for _, z := range zones {
		s.apexes[z.Apex] = struct{}{}
	}
	for _, z := range zones {
		for i := range z.Records {
			if r := &z.Records[i]; s.isOf(r, z.Apex) {
				s.records[r.Owner] = append(s.records[r.Owner], r)
			}
		}
	}
	owners := make([]fqdn.Name, 0, len(s.records))
	for owner := range s.records {
		owners = append(owners, owner)
	}
	slices.Sort(owners)
	for _, owner := range owners {
		if !s.isProxied(owner) {
			continue
		}
		for _, ip := range s.addresses(owner, true) {
			if _, known := s.origins[ip]; !known {
				s.origins[ip] = owner
				s.sorted = append(s.sorted, ip)
			}
		}
	}
	slices.SortFunc(s.sorted, netip.Addr.Compare)
	return s
}

// isOf reports whether a record belongs to the zone whose file has it: a zone of its own
// below has a file of its own.
func (s *search) isOf(r *cloudflare.Record, apex fqdn.Name) bool {
	for n, ok := r.Owner, true; ok; n, ok = n.Parent() {
		if _, is := s.apexes[n]; is {
			return n == apex
		}
	}
	return false
}

func (s *search) isProxied(owner fqdn.Name) bool {
	return s.snapshot.LookupFrom(owner, owner).Proxied()
}

// addresses returns the addresses of a name, and those that its alias leads to. The names
// on the way are of any kind with all set, and unproxied without.
func (s *search) addresses(name fqdn.Name, all bool) (out []netip.Addr) {
	for range maxChain {
		if !all && s.isProxied(name) {
			return out
		}
		next := fqdn.Name("")
		for _, r := range s.records[name] {
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

// exposes returns the proxied name whose origin the record makes known, "" for none.
func (s *search) exposes(r *cloudflare.Record) (hidden fqdn.Name, text, remedy string) {
	const move = "give the origin another address, and let it answer the edge alone"
	switch rr := r.RR.(type) {
	case *dns.A, *dns.AAAA:
		if _, placeholder := r.Tag(cloudflare.OriginTag); placeholder || s.isProxied(r.Owner) {
			return "", "", ""
		}
		hidden = s.originOf(addressesIn(rr))
		text, remedy = "%[1]q is not proxied and has the address of the origin of %[2]q", "mark it as proxied, or "+move
	case *dns.HTTPS, *dns.SVCB:
		if s.isProxied(r.Owner) {
			return "", "", "" // Its hints are replaced.
		}
		hidden = s.originOf(addressesIn(rr))
		text, remedy = "the hints of %[1]q have the address of the origin of %[2]q", "take the hints out, or "+move
	case *dns.MX:
		hidden = s.originOf(s.addresses(fqdn.Canonical(rr.Mx), false))
		text, remedy = "the MX record of %[1]q leads to the origin of %[2]q", "let mail have another address"
	case *dns.SRV:
		hidden = s.originOf(s.addresses(fqdn.Canonical(rr.Target), false))
		text, remedy = "the SRV record of %[1]q leads to the origin of %[2]q", "let the service have another address"
	case *dns.TXT:
		hidden = s.originIn(rr.Txt)
		text, remedy = "the TXT record of %[1]q has the address of the origin of %[2]q", "send mail from another address, and take this one out"
	case *dns.SPF:
		hidden = s.originIn(rr.Txt)
		text, remedy = "the SPF record of %[1]q has the address of the origin of %[2]q", "send mail from another address, and take this one out"
	}
	if hidden == "" {
		return "", "", ""
	}
	return hidden, fmt.Sprintf(text, r.Owner, hidden), remedy
}

// originOf returns the proxied name that has its origin at one of the addresses, or "".
func (s *search) originOf(ips []netip.Addr) fqdn.Name {
	for _, ip := range ips {
		if hidden, ok := s.origins[ip]; ok {
			return hidden
		}
	}
	return ""
}
