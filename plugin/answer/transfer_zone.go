package answer

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// zoneData is a whole zone while it is transferred.
type zoneData struct {
	c       conversation // about names of other zones
	apex    fqdn.Name
	owners  map[fqdn.Name]ownerData
	exists  ancestry
	sources map[fqdn.Name]fqdn.Name // :: owner that was added → the wildcard it is a copy of
	cuts    fqdn.Set
	servers map[fqdn.Name]fqdn.Set // :: zone cut → its name servers

	aliases, redirects map[fqdn.Name]fqdn.Name // :: owner of a CNAME or DNAME → its target

	done map[fqdn.Name]bool // proxied owners whose addresses are in place
	void map[rrset]bool     // whose signatures no longer hold
}

// ownerData is what the backend has at an owner.
type ownerData uint8

const (
	withAddress ownerData = 1 << iota // A, AAAA or CNAME
	withAAAA
	withHTTPS
	withOwnHints // HTTPS or SVCB with hints for the owner itself
)

// survey notes the owners and the zone cuts.
func (z *zoneData) survey(rrs []dns.RR) {
	z.owners, z.exists, z.sources = make(map[fqdn.Name]ownerData), make(ancestry), make(map[fqdn.Name]fqdn.Name)
	z.aliases, z.redirects = make(map[fqdn.Name]fqdn.Name), make(map[fqdn.Name]fqdn.Name)
	z.cuts, z.servers = make(fqdn.Set), make(map[fqdn.Name]fqdn.Set)
	z.done, z.void = make(map[fqdn.Name]bool), make(map[rrset]bool)
	for _, rr := range rrs {
		owner := fqdn.Canonical(rr.Header().Name)
		data := z.owners[owner]
		switch rr := rr.(type) {
		case *dns.NS:
			if owner == z.apex {
				break
			}
			if z.cuts[owner] = struct{}{}; z.servers[owner] == nil {
				z.servers[owner] = make(fqdn.Set)
			}
			z.servers[owner][fqdn.Canonical(rr.Ns)] = struct{}{}
		case *dns.A:
			data |= withAddress
		case *dns.AAAA:
			data |= withAAAA | withAddress
		case *dns.CNAME:
			data |= withAddress
			z.aliases[owner] = fqdn.Canonical(rr.Target)
		case *dns.DNAME:
			z.redirects[owner] = fqdn.Canonical(rr.Target)
		case *dns.HTTPS:
			data |= withHTTPS
		}
		if svcb := svcbOf(rr); svcb != nil && svcb.Target == "." && hasHint(svcb.Value) {
			data |= withOwnHints
		}
		switch rr.Header().Rrtype { // whatever the record is
		case dns.TypeNS:
			z.cuts[owner] = struct{}{}
		case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
			data |= withAddress
		}
		z.owners[owner] = data
		z.exists.add(owner, z.apex)
	}
	delete(z.cuts, z.apex)
}

// source returns the owner whose records file and its like answer for a name of
// the zone with: the name itself, or a wildcard; "" if the name does not exist.
func (z *zoneData) source(name fqdn.Name) fqdn.Name {
	if s, copied := z.sources[name]; copied {
		return s
	}
	if _, exists := z.owners[name]; exists {
		return name
	}
	above := z.covering(name)
	if s, copied := z.sources[above]; copied {
		return s
	}
	if _, exists := z.owners[above]; exists {
		return above
	}
	if _, exists := z.exists[name]; exists {
		return name
	}
	return ""
}

// covering returns the wildcard that covers a name without records, if there is
// one. That an empty non-terminal is covered by the wildcard beside it is not as
// RFC 4592 has it, but how file answers.
func (z *zoneData) covering(name fqdn.Name) fqdn.Name {
	encloser := z.exists.encloser(name)
	if encloser == name {
		encloser, _ = name.Parent()
	}
	return encloser.Wildcard()
}

// of decides for a name of the zone. Of a wildcard it decides for the names that
// are answered from it.
func (z *zoneData) of(name fqdn.Name) mapset.Decision {
	if !z.c.names.acts(name) {
		return mapset.Decision{}
	}
	source := z.source(name)
	if name.IsWildcard() {
		parent, _ := name.Parent()
		name = unmarked + parent
	}
	if source == "" || !z.c.names.revealsWildcard(name) {
		d, _ := z.c.complete(name, z.c.names.Snapshot.Lookup(name))
		return d
	}
	return z.c.names.Snapshot.LookupFrom(name, source)
}

// unmarked is a label that is in no map, for any name below another.
const unmarked = `\000.`

// isGlue reports whether owner is a name server of a zone cut, and lies at or below
// the cut (R12).
func (z *zoneData) isGlue(owner fqdn.Name) bool {
	for n, ok := owner, len(z.cuts) > 0; ok && n != z.apex; n, ok = n.Parent() {
		if _, is := z.servers[n][owner]; is {
			return true
		}
	}
	return false
}

// put adds what leaves in place of rr.
func (z *zoneData) put(out []dns.RR, rr dns.RR) []dns.RR {
	h := rr.Header()
	owner := fqdn.Canonical(h.Name)
	switch t := h.Rrtype; {
	case t == dns.TypeSOA:
		counted := z.c.names.counted(rr)
		if counted != rr {
			z.void[rrset{owner, dns.TypeSOA}] = true
		}
		return append(out, counted)
	case t == dns.TypeHTTPS || t == dns.TypeSVCB:
		return z.putService(out, rr, owner)
	case !isAddress(t):
		return append(out, rr)
	case t != dns.TypeCNAME && z.isGlue(owner):
		return append(out, rr)
	}
	d := z.of(owner)
	if !d.Proxied() {
		return append(out, rr)
	}
	if z.done[owner] {
		return out
	}
	z.done[owner] = true
	for _, t := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME} {
		z.void[rrset{owner, t}] = true
	}
	return append(out, z.recordsOf(h.Name, owner, d)...)
}

// recordsOf returns the addresses of a proxied owner, and the HTTPS record that is
// synthesized for it (R10).
func (z *zoneData) recordsOf(name string, owner fqdn.Name, d mapset.Decision) []dns.RR {
	out := records(name, d, mapset.IPv4, z.c.names.TTL)
	ipv6 := z.answersIPv6(owner, d)
	if ipv6 {
		out = append(out, records(name, d, mapset.IPv6, z.c.names.TTL)...)
	}
	if z.owners[z.source(owner)]&withHTTPS == 0 {
		if rr := z.c.names.synthesized(name, d, ipv6 && d.Answers(mapset.IPv6)); rr != nil {
			out = append(out, rr)
		}
	}
	return out
}

func (z *zoneData) answersIPv6(owner fqdn.Name, d mapset.Decision) bool {
	return !d.NeedsAAAA() || z.owners[z.source(owner)]&withAAAA != 0
}

// putService adds an HTTPS or SVCB record with the hints of its target (R9).
func (z *zoneData) putService(out []dns.RR, rr dns.RR, owner fqdn.Name) []dns.RR {
	svcb := svcbOf(rr)
	if svcb == nil {
		return out
	}
	if !hasHint(svcb.Value) {
		return append(out, rr)
	}
	var to target
	ipv6 := false
	if svcb.Target == "." {
		d := z.of(owner)
		to, ipv6 = target{string(owner), owner, standingBy(d)}, z.answersIPv6(owner, d)
	} else {
		to, ipv6 = z.follow(svcb.Target, fqdn.Canonical(svcb.Target))
	}
	if to.kind == unproxied {
		return append(out, rr)
	}
	z.void[rrset{owner, rr.Header().Rrtype}] = true
	if to.kind != proxied {
		to.d = mapset.Decision{}
	}
	return append(out, withHints(rr, to.d, ipv6))
}

// follow follows the aliases of a target to the first owner that is proxied, and
// reports whether AAAA of that is answered. Only what lies outside of the zone is
// asked about.
func (z *zoneData) follow(name string, owner fqdn.Name) (to target, ipv6 bool) {
	asked := false
	for range maxDepth {
		if !owner.In(z.apex) || !z.c.names.acts(owner) {
			to = z.c.follow(name, owner, nil, asked)
			if to.kind != proxied {
				return to, false
			}
			f, _ := z.c.answersIPv6(to.name, to.owner, to.d)
			return to, f == present
		}
		d := z.of(owner)
		if z.cuts.Encloses(owner) {
			if d = z.c.names.Lookup(owner); !d.Proxied() { // a referral does not tell whether it exists
				return target{}, false
			}
		}
		if d.Proxied() {
			return target{name, owner, standing{proxied, d}}, z.answersIPv6(owner, d)
		}
		next, ok := z.aliasOf(owner)
		if !ok {
			if z.source(owner) == "" && !z.c.names.revealsWildcard(owner) {
				return target{}, false // as in answers
			}
			return target{name, owner, standing{unproxied, d}}, false
		}
		name, owner, asked = string(next), next, true
	}
	return target{}, false
}

// aliasOf returns where a DNAME above the name or a CNAME leads, which may be that
// of the wildcard that covers it.
func (z *zoneData) aliasOf(owner fqdn.Name) (fqdn.Name, bool) {
	for n, ok := owner.Parent(); ok && n.In(z.apex); n, ok = n.Parent() {
		if to, ok := z.redirects[n]; ok {
			return fqdn.Canonical(strings.TrimSuffix(string(owner), string(n)) + strings.TrimPrefix(string(to), ".")), true
		}
	}
	alias, ok := z.aliases[z.source(owner)]
	return alias, ok
}

// applications adds the Spectrum applications that the backend does not have
// (R24).
func (z *zoneData) applications(out []dns.RR) []dns.RR {
	for _, name := range z.c.names.Snapshot.Applications(z.apex) {
		if z.done[name] || name.IsWildcard() || z.cuts.Encloses(name) || !z.c.names.acts(name) {
			continue
		}
		out = append(out, z.recordsOf(string(name), name, z.of(name))...)
	}
	return out
}

// valid drops the signatures of what was changed (R15).
func (z *zoneData) valid(rrs []dns.RR) []dns.RR {
	out := rrs[:0]
	for _, rr := range rrs {
		if sig, ok := rr.(*dns.RRSIG); ok && z.void[rrset{fqdn.Canonical(sig.Hdr.Name), sig.TypeCovered}] {
			continue
		}
		out = append(out, rr)
	}
	return out
}
