package answer

import (
	"errors"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// ErrNoSOA is returned by [Zone] for records that do not start with an SOA.
var ErrNoSOA = errors.New("a transfer must start with the SOA of its zone")

// Zone returns what a transfer of a zone holds (R18), given what the backend's
// transfer holds: each proxied name has its mapped addresses in place of its A,
// AAAA and CNAME, hints are those of R9, and the serial is counted up. rrs
// starts with the SOA and may end with it, and so does what is returned. b is
// asked about names of other zones only. void reports that signatures were
// dropped (R17).
func Zone(rrs []dns.RR, names *Names, b Backend) (out []dns.RR, void bool, err error) {
	if len(rrs) == 0 {
		return nil, false, ErrNoSOA
	}
	soa, ok := rrs[0].(*dns.SOA)
	if !ok {
		return nil, false, ErrNoSOA
	}
	z := zoneData{c: conversation{names: *names, b: b}, apex: fqdn.Canonical(soa.Hdr.Name)}
	z.survey(rrs)
	out = make([]dns.RR, 0, len(rrs))
	for _, rr := range rrs {
		out = z.put(out, rr)
	}
	var end []dns.RR
	if last := len(out) - 1; last > 0 && out[last].Header().Rrtype == dns.TypeSOA {
		out, end = out[:last], []dns.RR{out[last]}
	}
	out = z.exceptions(out, rrs)
	out = z.applications(out)
	out = append(out, end...)
	valid := z.voided(out)
	return valid, len(valid) < len(out), nil
}

// zoneData is a whole zone while it is transferred.
type zoneData struct {
	c       conversation // about names of other zones
	apex    fqdn.Name
	owners  map[fqdn.Name]held
	exists  ancestry
	sources map[fqdn.Name]fqdn.Name // :: owner that was added → the wildcard it is a copy of
	cuts    fqdn.Set

	aliases, redirects map[fqdn.Name]fqdn.Name // :: owner of a CNAME or DNAME → its target

	done map[fqdn.Name]bool // proxied owners whose addresses are in place
	void map[rrset]bool     // whose signatures no longer hold
}

// held is what the backend has at an owner.
type held uint8

const (
	heldAddress held = 1 << iota // A, AAAA or CNAME
	heldAAAA
)

// survey notes the owners and the zone cuts.
func (z *zoneData) survey(rrs []dns.RR) {
	z.owners, z.exists, z.sources = make(map[fqdn.Name]held), make(ancestry), make(map[fqdn.Name]fqdn.Name)
	z.aliases, z.redirects = make(map[fqdn.Name]fqdn.Name), make(map[fqdn.Name]fqdn.Name)
	z.cuts, z.done, z.void = make(fqdn.Set), make(map[fqdn.Name]bool), make(map[rrset]bool)
	for _, rr := range rrs {
		owner := fqdn.Canonical(rr.Header().Name)
		h := z.owners[owner]
		switch t := rr.Header().Rrtype; {
		case t == dns.TypeNS && owner != z.apex:
			z.cuts[owner] = struct{}{}
		case t == dns.TypeAAAA:
			h |= heldAAAA | heldAddress
		case isAddress(t):
			h |= heldAddress
		}
		z.owners[owner] = h
		z.exists.add(owner, z.apex)
		switch rr := rr.(type) {
		case *dns.CNAME:
			z.aliases[owner] = fqdn.Canonical(rr.Target)
		case *dns.DNAME:
			z.redirects[owner] = fqdn.Canonical(rr.Target)
		}
	}
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
	if source == "" {
		return z.c.names.Snapshot.Lookup(name)
	}
	if name.IsWildcard() {
		parent, _ := name.Parent()
		name = unmarked + parent
	}
	return z.c.names.Snapshot.LookupFrom(name, source)
}

// unmarked is a label that is in no map, for any name below another.
const unmarked = `\000.`

// isGlue reports whether owner lies at or below a zone cut and is left alone.
func (z *zoneData) isGlue(owner fqdn.Name) bool {
	cut := fqdn.Name("")
	for n, ok := owner, len(z.cuts) > 0; ok && n != z.apex; n, ok = n.Parent() {
		if _, is := z.cuts[n]; is {
			cut = n
		}
	}
	return cut != "" && isGlue(cut, z.of(owner))
}

// put adds what leaves in place of rr.
func (z *zoneData) put(out []dns.RR, rr dns.RR) []dns.RR {
	h := rr.Header()
	owner := fqdn.Canonical(h.Name)
	switch {
	case z.isGlue(owner):
		return append(out, rr) // a delegation and its glue (R12)
	case h.Rrtype == dns.TypeSOA:
		counted := z.c.names.counted(rr)
		if counted != rr {
			z.void[rrset{owner, dns.TypeSOA}] = true
		}
		return append(out, counted)
	case h.Rrtype == dns.TypeHTTPS || h.Rrtype == dns.TypeSVCB:
		return z.putService(out, rr, owner)
	case !isAddress(h.Rrtype):
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
	return append(out, z.mapped(h.Name, owner, d)...)
}

// mapped returns the addresses of a proxied owner.
func (z *zoneData) mapped(name string, owner fqdn.Name, d mapset.Decision) []dns.RR {
	out := records(name, d, mapset.IPv4, z.c.names.TTL)
	if z.answersIPv6(owner, d) {
		out = append(out, records(name, d, mapset.IPv6, z.c.names.TTL)...)
	}
	return out
}

func (z *zoneData) answersIPv6(owner fqdn.Name, d mapset.Decision) bool {
	return !d.NeedsAAAA() || z.owners[z.source(owner)]&heldAAAA != 0
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
	name := svcb.Target
	if name == "." {
		name = string(owner)
	}
	to, ipv6 := z.settle(name, fqdn.Canonical(name))
	if to.stays(&z.c.names, owner) {
		return append(out, rr)
	}
	z.void[rrset{owner, rr.Header().Rrtype}] = true
	return append(out, withHints(rr, to.d, ipv6))
}

// applications adds the Spectrum applications that the backend does not have
// (R24).
func (z *zoneData) applications(out []dns.RR) []dns.RR {
	for _, name := range z.c.names.Snapshot.Applications(z.apex) {
		if z.done[name] || name.IsWildcard() || z.cuts.Encloses(name) || !z.c.names.acts(name) {
			continue
		}
		out = append(out, z.mapped(string(name), name, z.of(name))...)
	}
	return out
}

// voided drops the signatures of what was changed (R15).
func (z *zoneData) voided(rrs []dns.RR) []dns.RR {
	out := rrs[:0]
	for _, rr := range rrs {
		if sig, ok := rr.(*dns.RRSIG); ok && z.void[rrset{fqdn.Canonical(sig.Hdr.Name), sig.TypeCovered}] {
			continue
		}
		out = append(out, rr)
	}
	return out
}

// Hinted returns the names outside the zone with this apex that hints of its
// records are for, or that aliases lead them to: what the map says of these names
// is in its transfer.
func Hinted(rrs []dns.RR, apex fqdn.Name) fqdn.Set {
	z := zoneData{apex: apex}
	z.survey(rrs)
	out := make(fqdn.Set)
	for _, rr := range rrs {
		svcb := svcbOf(rr)
		if svcb == nil || svcb.Target == "." || !hasHint(svcb.Value) {
			continue
		}
		name, ok := fqdn.Canonical(svcb.Target), true
		for range maxDepth {
			if !ok || !name.In(apex) {
				break
			}
			name, ok = z.aliasOf(name)
		}
		if ok && !name.In(apex) {
			out[name] = struct{}{}
		}
	}
	return out
}

// counted returns the SOA with the serial that is shown to the world (R18): the
// backend's, counted up by each change of the map. It returns rr itself if that
// is the same.
func (n *Names) counted(rr dns.RR) dns.RR {
	soa, ok := rr.(*dns.SOA)
	if !ok || !n.Serials {
		return rr
	}
	apex := fqdn.Canonical(soa.Hdr.Name)
	if !n.ActsFor(apex) {
		return rr
	}
	offset := n.Snapshot.SerialOffset(apex)
	if offset == 0 {
		return rr
	}
	cp := *soa
	cp.Serial += offset
	return &cp
}

// Touches reports whether a transfer of the backend's zone with this apex may
// hold proxied names.
func (n *Names) Touches(apex fqdn.Name) bool {
	return n.ActsFor(apex) && n.Snapshot.AnyProxied(apex)
}
