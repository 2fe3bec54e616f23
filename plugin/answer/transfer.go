package answer

import (
	"errors"
	"math"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// ErrNoSOA is returned by [Zone] for records that do not start with an SOA.
var ErrNoSOA = errors.New("a transfer must start with the SOA of its zone")

// Zone returns what a transfer of a zone holds (R18), given what the backend's
// transfer holds: each proxied name has its mapped addresses in place of its A,
// AAAA and CNAME, hints are those of R9, HTTPS records are synthesized as R10 has it,
// and the serial is counted up. rrs starts with the SOA and may end with it, and so
// does what is returned. x is asked about names of other zones, and about declared
// zones below this one. void reports that signatures were dropped (R17).
//
// Every record that is returned but an SOA is marked as judged, for
// [ReleaseTransfer].
func Zone(rrs []dns.RR, names *Names, x Exchange) (out []dns.RR, void bool, err error) {
	if len(rrs) == 0 {
		return nil, false, ErrNoSOA
	}
	soa, ok := rrs[0].(*dns.SOA)
	if !ok {
		return nil, false, ErrNoSOA
	}
	apex := fqdn.Canonical(soa.Hdr.Name)
	z := zoneData{c: conversation{asked: apex, names: *names, x: x, left: math.MaxInt}, apex: apex}
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
	valid := z.valid(out)
	void = len(valid) < len(out)
	for i, rr := range valid {
		if rr.Header().Rrtype != dns.TypeSOA {
			valid[i] = judged{rr}
		}
	}
	return valid, void, nil
}

// judged is a record of a transfer that [Zone] let out.
type judged struct{ dns.RR }

// ReleaseTransfer lets a message of a transfer of the zone with this apex out if every
// record in it was judged by [Zone], or is one that would be let out as it is: a backend
// such as forward answers AXFR itself. Of a zone that may hold proxied names, none but
// those that were judged leave: the others might be all of it but what the map adds. It
// reports false if the transfer has to be refused.
func ReleaseTransfer(m *dns.Msg, apex fqdn.Name, names *Names) (Released, bool) {
	cp := *m
	cp.Answer = make([]dns.RR, len(m.Answer))
	whole := !names.Touches(apex)
	for i, rr := range m.Answer {
		j, ok := rr.(judged)
		switch {
		case ok:
			cp.Answer[i] = j.RR
		case rr.Header().Rrtype == dns.TypeSOA, whole && names.harmless(rr, apex):
			cp.Answer[i] = rr
		default:
			return Released{}, false
		}
	}
	for _, rr := range m.Ns { // what says that there is no such zone, or no transfer of it
		if isAddress(rr.Header().Rrtype) || !names.harmless(rr, apex) {
			return Released{}, false
		}
	}
	cp.Extra = make([]dns.RR, len(m.Extra))
	for i, rr := range m.Extra {
		switch rr := rr.(type) {
		case *dns.OPT:
			cp.Extra[i] = withoutText(rr)
		case *dns.TSIG:
			cp.Extra[i] = rr
		default:
			return Released{}, false
		}
	}
	return Released{&cp}, !m.Truncated
}

// harmless reports whether a record may leave in a transfer that is not judged as a
// whole: it depends on no other record, and the map has nothing to put in its place. In a
// zone that the directive does not act for, the map has nothing to put anywhere.
func (n *Names) harmless(rr dns.RR, apex fqdn.Name) bool {
	switch t := rr.Header().Rrtype; t {
	case dns.TypeSOA:
		return true
	case dns.TypeHTTPS, dns.TypeSVCB:
		svcb := svcbOf(rr)
		return svcb != nil && !hasHint(svcb.Value)
	default:
		owner := fqdn.Canonical(rr.Header().Name)
		if !n.ActsFor(apex) && !n.acts(owner) {
			return true
		}
		d := n.Snapshot.Lookup(owner)
		_, above := n.proxiedAbove(owner, d)
		return !d.Proxied() && !above
	}
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
