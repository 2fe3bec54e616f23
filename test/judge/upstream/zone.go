// Package upstream is an authoritative DNS server made to misbehave: it stands
// behind forward, grpc and secondary in the judge's worlds, answers from zones
// given as records, and makes the mistakes that a world's fault describes.
package upstream

import (
	"strings"

	"github.com/miekg/dns"
)

// Zones answers questions from records, as RFC 1034 and 6672 have it. It must
// not be changed once it is in use.
type Zones struct {
	apexes map[string]bool
	names  map[string][]dns.RR
	exists map[string]bool // names with records and the empty ones above them
	// Chase: aliases are followed through all zones, as a resolver would.
	Chase bool
}

// New makes zones of records. Every SOA begins a zone.
func New(records []dns.RR, chase bool) *Zones {
	z := &Zones{map[string]bool{}, map[string][]dns.RR{}, map[string]bool{}, chase}
	for _, rr := range records {
		name := dns.CanonicalName(rr.Header().Name)
		z.names[name] = append(z.names[name], rr)
		if rr.Header().Rrtype == dns.TypeSOA {
			z.apexes[name] = true
		}
	}
	for name := range z.names {
		for at := name; at != "." && !z.exists[at]; at = parent(at) {
			z.exists[at] = true
		}
	}
	return z
}

func parent(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}

// apex returns the closest zone around the name, "" if there is none.
func (z *Zones) apex(name string) string {
	for at := name; ; at = parent(at) {
		if z.apexes[at] {
			return at
		}
		if at == "." {
			return ""
		}
	}
}

// at returns the records of the type at the name, respelled with owner.
func (z *Zones) at(name string, qtype uint16, owner string) []dns.RR {
	var out []dns.RR
	for _, rr := range z.names[name] {
		if t := rr.Header().Rrtype; t == qtype || qtype == dns.TypeANY && t != dns.TypeRRSIG {
			rr = dns.Copy(rr)
			rr.Header().Name = owner
			out = append(out, rr)
		}
	}
	return out
}

// Answer answers the request.
func (z *Zones) Answer(r *dns.Msg) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(r)
	q := r.Question[0]
	apex := z.apex(dns.CanonicalName(q.Name))
	if apex == "" {
		m.Rcode = dns.RcodeRefused
		return m
	}
	m.Authoritative = true
	owner := q.Name
	for steps := 0; steps < 16; steps++ {
		name := dns.CanonicalName(owner)
		here := z.apex(name)
		if here == "" || here != apex && !z.Chase {
			return m
		}
		next := z.step(m, here, name, owner, q.Qtype)
		if next == "" {
			return m
		}
		owner = next
	}
	return m
}

// step answers for one name, and returns the alias's target if it is to be
// followed.
func (z *Zones) step(m *dns.Msg, apex, name, owner string, qtype uint16) string {
	// From the apex down: zone cuts and DNAMEs above the name.
	labels := dns.SplitDomainName(strings.TrimSuffix(name, apex))
	at := apex
	for i := len(labels) - 1; i >= 0; i-- {
		if d := z.at(at, dns.TypeDNAME, at); len(d) > 0 {
			target := strings.TrimSuffix(name, at) + d[0].(*dns.DNAME).Target
			m.Answer = append(m.Answer, d[0], &dns.CNAME{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 3600}, Target: target})
			return target
		}
		at = labels[i] + "." + at
		if ns := z.at(at, dns.TypeNS, at); len(ns) > 0 && !(at == name && qtype == dns.TypeDS) {
			m.Authoritative = len(m.Answer) > 0
			m.Ns = ns
			z.addresses(m, ns)
			return ""
		}
	}
	source := name
	if !z.exists[name] {
		encloser := parent(name)
		for !z.exists[encloser] {
			encloser = parent(encloser)
		}
		source = "*." + encloser
		if len(z.names[source]) == 0 {
			m.Rcode = dns.RcodeNameError
			m.Ns = append(m.Ns, z.at(apex, dns.TypeSOA, apex)...)
			return ""
		}
	}
	if rrs := z.at(source, qtype, owner); len(rrs) > 0 {
		m.Answer = append(m.Answer, rrs...)
		z.addresses(m, rrs)
		return ""
	}
	if alias := z.at(source, dns.TypeCNAME, owner); len(alias) > 0 {
		m.Answer = append(m.Answer, alias[0])
		return alias[0].(*dns.CNAME).Target
	}
	m.Ns = append(m.Ns, z.at(apex, dns.TypeSOA, apex)...)
	return ""
}

// addresses adds the addresses of the names in the records.
func (z *Zones) addresses(m *dns.Msg, rrs []dns.RR) {
	for _, rr := range rrs {
		var name string
		switch rr := rr.(type) {
		case *dns.NS:
			name = rr.Ns
		case *dns.MX:
			name = rr.Mx
		case *dns.SRV:
			name = rr.Target
		default:
			continue
		}
		m.Extra = append(m.Extra, z.at(dns.CanonicalName(name), dns.TypeA, name)...)
		m.Extra = append(m.Extra, z.at(dns.CanonicalName(name), dns.TypeAAAA, name)...)
	}
}

// Transfer returns the zone as AXFR has it, nil if it is not here.
func (z *Zones) Transfer(apex string) []dns.RR {
	apex = dns.CanonicalName(apex)
	soa := z.at(apex, dns.TypeSOA, apex)
	if len(soa) == 0 {
		return nil
	}
	out := soa
	for name, rrs := range z.names {
		if z.zoneOf(name, apex) {
			for _, rr := range rrs {
				if name == apex && rr.Header().Rrtype == dns.TypeSOA {
					continue
				}
				out = append(out, rr)
			}
		}
	}
	return append(out, soa[0])
}

// zoneOf says whether the name is in the zone: below the apex, and below no
// other apex except where it is the cut itself.
func (z *Zones) zoneOf(name, apex string) bool {
	return dns.IsSubDomain(apex, name) && z.apex(name) == apex
}
