package property

import (
	"fmt"
	"slices"

	"github.com/miekg/dns"
)

// transfer judges the response to AXFR or IXFR.
func (p *property) transfer(q query, m *dns.Msg, got [][]byte, plain *wire, f *figures) error {
	name := dns.CanonicalName(q.name)
	z := p.w.zoneOf(name)
	if z == nil || p.w.shape.transfer == "origin" || len(p.w.shape.acting[p.w.block(name)]) == 0 {
		return p.sameTransfer(q, m, got, plain, f)
	}
	if !p.w.backing.tells {
		return p.untransferred(q, m, got, plain, f)
	}
	if z.apex != name {
		return p.sameTransfer(q, m, got, plain, f)
	}
	ours, err := transferRecords(got)
	if err != nil {
		return err
	}
	if p.w.shape.transfer == "refuse" && p.w.anyProxied(name) {
		if len(ours) > 0 {
			return fmt.Errorf("not refused: %v", ours)
		}
		return nil
	}
	may := p.w.mayTransfer(z)
	for _, octets := range got {
		if leaked := p.w.leaked(octets, may); len(leaked) > 0 {
			return fmt.Errorf("%v may not leave", leaked)
		}
	}
	if q.network == "udp" {
		return nil
	}
	if len(ours) < 2 {
		return fmt.Errorf("no transfer: %v", ours)
	}
	out, err := plain.ask(q, m)
	if err != nil {
		return fmt.Errorf("without addressmap: %w", err)
	}
	theirs, err := transferRecords(out)
	if err != nil {
		return err
	}
	f.compared++
	return p.w.transferred(z, ours, theirs)
}

// untransferred judges the response of a backend that the plugin transfer does
// not know: no zone with proxied names leaves.
func (p *property) untransferred(q query, m *dns.Msg, got [][]byte, plain *wire, f *figures) error {
	ours, err := transferRecords(got)
	if !p.w.anyProxied(dns.CanonicalName(q.name)) {
		if len(ours) == 0 && p.w.hints(p.w.zoneOf(dns.CanonicalName(q.name))) {
			return err // whose addresses they are is not asked then (R9)
		}
		return p.sameTransfer(q, m, got, plain, f)
	}
	if len(ours) > 0 {
		return fmt.Errorf("transferred: %v", ours)
	}
	return err
}

// hints reports whether records of a zone have hints.
func (w *world) hints(z *zone) bool {
	return slices.ContainsFunc(z.rrs, func(rr dns.RR) bool {
		svcb := svcbIn(rr)
		return svcb != nil && slices.ContainsFunc(svcb.Value, func(p dns.SVCBKeyValue) bool {
			return p.Key() == dns.SVCB_IPV4HINT || p.Key() == dns.SVCB_IPV6HINT
		})
	})
}

// anyProxied reports whether a transfer of a zone with this apex may hold proxied
// names.
func (w *world) anyProxied(apex string) bool {
	if !w.actsFor(apex) {
		return false
	}
	for name := range w.apps {
		if z := w.mapZone(name); dns.IsSubDomain(apex, name) || z != nil && dns.IsSubDomain(z.apex, apex) {
			return true
		}
	}
	for zone, m := range w.mapZones {
		if !dns.IsSubDomain(apex, zone) && !dns.IsSubDomain(zone, apex) {
			continue
		}
		if m.all || m.fallback {
			return true
		}
		for _, f := range m.marks {
			if f.proxied {
				return true
			}
		}
	}
	return false
}

func transferRecords(messages [][]byte) ([]dns.RR, error) {
	var out []dns.RR
	for _, octets := range messages {
		m := new(dns.Msg)
		if err := m.Unpack(octets); err != nil {
			return nil, err
		}
		out = append(out, m.Answer...)
	}
	return out, nil
}

// sameTransfer judges a transfer that has nothing to do with the map.
func (p *property) sameTransfer(q query, m *dns.Msg, got [][]byte, plain *wire, f *figures) error {
	out, err := plain.ask(q, m)
	if err != nil {
		return fmt.Errorf("without addressmap: %w", err)
	}
	f.compared++
	want, have := new(dns.Msg), new(dns.Msg)
	if err := want.Unpack(out[0]); err != nil {
		return err
	}
	if err := have.Unpack(got[0]); err != nil {
		return err
	}
	if a, b := p.w.comparable(want), p.w.comparable(have); a != b || len(out) != len(got) {
		return fmt.Errorf("not as the backend has it:\n%s\n%s", want, have)
	}
	return nil
}

// transferred says what is wrong with a transfer: what is not proxied has to be
// as the backend has it, and what is, as the map has it.
func (w *world) transferred(z *zone, ours, theirs []dns.RR) error {
	kept := func(rrs []dns.RR) []string {
		var out []string
		for _, rr := range rrs {
			if w.keptInTransfer(z, rr) {
				out = append(out, w.comparableRecord(rr))
			}
		}
		slices.Sort(out)
		return out
	}
	if a, b := kept(theirs), kept(ours); !slices.Equal(a, b) {
		return fmt.Errorf("transferred beside what is mapped: want\n%v\ngot\n%v", a, b)
	}
	for owner := range z.at {
		if !w.proxied(owner) || z.cutAbove(owner) != "" || w.apps[owner] == nil && !z.has(owner, aliasTypes...) {
			continue
		}
		want := slices.Concat(w.addressesOf(owner, ipv4), w.addressesOf(owner, ipv6))
		var got []string
		for _, rr := range ours {
			if dns.CanonicalName(rr.Header().Name) != owner {
				continue
			}
			switch rr := rr.(type) {
			case *dns.A:
				got = append(got, rr.A.String())
			case *dns.AAAA:
				got = append(got, rr.AAAA.String())
			case *dns.CNAME:
				return fmt.Errorf("transferred: %s", rr)
			}
		}
		if !slices.Equal(want, got) {
			return fmt.Errorf("transferred for %s: %v, want %v in\n%v", owner, got, want, ours)
		}
	}
	return nil
}

// keptInTransfer reports whether a record of a transfer is to be as the backend
// has it.
func (w *world) keptInTransfer(z *zone, rr dns.RR) bool {
	owner := dns.CanonicalName(rr.Header().Name)
	if z.at[owner] == nil {
		return false // a copy of a wildcard's record, or an application
	}
	if z.cutAbove(owner) != "" {
		return w.glue(z, owner)
	}
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA, *dns.CNAME:
		return !w.proxied(owner)
	case *dns.SVCB, *dns.HTTPS:
		return !w.touchesHints(owner, effective(svcbIn(rr), owner))
	case *dns.RRSIG:
		t := rr.TypeCovered
		return t != dns.TypeSOA && !(slices.Contains(aliasTypes, t) && w.proxied(owner)) && t != dns.TypeHTTPS && t != dns.TypeSVCB
	}
	return true
}
