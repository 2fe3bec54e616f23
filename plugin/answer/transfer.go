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
// starts with the SOA and may end with it, and so does what is returned.
func Zone(rrs []dns.RR, names *Names, opt *Options) ([]dns.RR, error) {
	if len(rrs) == 0 {
		return nil, ErrNoSOA
	}
	soa, ok := rrs[0].(*dns.SOA)
	if !ok {
		return nil, ErrNoSOA
	}
	z := zoneData{names: names, opt: opt, apex: fqdn.Canonical(soa.Hdr.Name)}
	z.survey(rrs)
	out := make([]dns.RR, 0, len(rrs))
	for _, rr := range rrs {
		out = z.put(out, rr)
	}
	var end []dns.RR
	if last := len(out) - 1; last > 0 && out[last].Header().Rrtype == dns.TypeSOA {
		out, end = out[:last], []dns.RR{out[last]}
	}
	out = z.exceptions(out, rrs)
	out = z.applications(out)
	return z.voided(append(out, end...)), nil
}

// zoneData is a whole zone while it is transferred.
type zoneData struct {
	names   *Names
	opt     *Options
	apex    fqdn.Name
	owners  map[fqdn.Name]held
	decided map[fqdn.Name]mapset.Decision // of wildcards that were added
	cuts    fqdn.Set
	done    map[fqdn.Name]bool // proxied owners whose addresses are in place
	void    map[rrset]bool     // whose signatures no longer hold
}

// held is what the backend has at an owner.
type held uint8

const (
	heldAddress held = 1 << iota // A, AAAA or CNAME
	heldAAAA
)

// survey notes the owners and the zone cuts.
func (z *zoneData) survey(rrs []dns.RR) {
	z.decided = make(map[fqdn.Name]mapset.Decision)
	z.owners, z.cuts = make(map[fqdn.Name]held), make(fqdn.Set)
	z.done, z.void = make(map[fqdn.Name]bool), make(map[rrset]bool)
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
	}
}

// of decides for a name, of which the zone itself tells whether it exists.
func (z *zoneData) of(name fqdn.Name) mapset.Decision {
	if !z.names.Acting.Encloses(name) {
		return mapset.Decision{}
	}
	if d, ok := z.decided[name]; ok {
		return d
	}
	if _, exists := z.owners[name]; exists {
		return z.names.Snapshot.LookupFrom(name, name)
	}
	return z.names.Snapshot.Lookup(name)
}

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
		counted := z.names.counted(rr)
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
	out := records(name, d, mapset.IPv4, z.opt.TTL)
	if z.answersIPv6(owner, d) {
		out = append(out, records(name, d, mapset.IPv6, z.opt.TTL)...)
	}
	return out
}

func (z *zoneData) answersIPv6(owner fqdn.Name, d mapset.Decision) bool {
	return !d.NeedsAAAA() || z.owners[owner]&heldAAAA != 0
}

// putService adds an HTTPS or SVCB record with the hints of its target (R9).
func (z *zoneData) putService(out []dns.RR, rr dns.RR, owner fqdn.Name) []dns.RR {
	svcb := svcbOf(rr)
	if svcb == nil {
		return out
	}
	target := owner
	if svcb.Target != "." {
		target = fqdn.Canonical(svcb.Target)
	}
	d := z.of(target)
	if !d.Proxied() || !hasHint(svcb.Value) {
		return append(out, rr)
	}
	z.void[rrset{owner, rr.Header().Rrtype}] = true
	return append(out, withHints(rr, d, z.answersIPv6(target, d)))
}

// applications adds the Spectrum applications that the backend does not have
// (R24).
func (z *zoneData) applications(out []dns.RR) []dns.RR {
	for _, name := range z.names.Snapshot.Applications(z.apex) {
		if z.done[name] || z.cuts.Encloses(name) || !z.names.Acting.Encloses(name) {
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

// counted returns the SOA with the serial that is shown to the world (R18): the
// backend's, counted up by each change of the map. It returns rr itself if that
// is the same.
func (n *Names) counted(rr dns.RR) dns.RR {
	soa, ok := rr.(*dns.SOA)
	if !ok || !n.Serials {
		return rr
	}
	offset := n.Snapshot.SerialOffset(fqdn.Canonical(soa.Hdr.Name))
	if offset == 0 {
		return rr
	}
	cp := *soa
	cp.Serial += offset
	return &cp
}
