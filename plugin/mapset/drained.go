package mapset

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Drained is what drains do to a snapshot.
type Drained struct {
	Addresses int       // that answers lack because they are drained, each once
	Ignored   []Ignored // steps that have no other address: in the order of the steps and owners
	Unknown   []string  // map:ID, of an id that no address map has written, and site:NAME
}

// Ignored is a step of the fallback that answers with addresses of a family although all
// that it has are drained.
type Ignored struct {
	Step    Step
	Map     string // id of the address map, or ""
	Account string // "" for anycast, which is everyone's
	Family  Family
	Owner   fqdn.Name // the first of the zones, names and applications that are answered so
	Owners  int       // how many they are

	Addresses []netip.Addr // with which it answers
}

// Drained returns what drains do to the snapshot, nothing for one that is not drained. It
// is shared: read only.
func (s *Snapshot) Drained() *Drained { return s.drained }

// DrainedBy returns the function that reports whether one of these entries drains an
// address of a step.
func (s *Snapshot) DrainedBy(entries ...drain.Drain) func(Step, netip.Addr) bool {
	var prefixes, ofSite bart.Lite
	add := func(to *bart.Lite, ips []netip.Addr) {
		for _, ip := range ips {
			to.Insert(netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	for _, e := range entries {
		for _, p := range e.Addresses {
			prefixes.Insert(p.Masked())
		}
		if e.Map != "" {
			add(&prefixes, s.byID()[e.Map])
		}
		if e.Site != "" && e.Site == s.site {
			_, ips := s.ofSite(e.Site)
			add(&ofSite, ips)
		}
	}
	return func(step Step, ip netip.Addr) bool {
		return prefixes.Contains(ip) || (step == StepAnycast || step == StepSpectrum) && ofSite.Contains(ip)
	}
}

// ignoredAt is the place of an Ignored: the pool is that of the step.
type ignoredAt struct {
	pool   *Pool
	family Family
}

// ignore notes that a drain is ignored for the names of one owner.
func (dr *drainer) ignore(at ignoredAt, a *account, owner fqdn.Name) {
	is := dr.ignored[at]
	if is == nil {
		is = &Ignored{Step: at.pool.Step, Map: at.pool.Map, Account: a.id, Family: at.family, Owner: owner, Addresses: at.pool.addrs(at.family)}
		if is.Step == StepAnycast {
			is.Account = ""
		}
		dr.ignored[at] = is
	}
	is.Owner = min(is.Owner, owner)
	is.Owners++
}

// drained sums up what was done.
func (dr *drainer) drained() *Drained {
	taken := make(map[netip.Addr]struct{})
	for _, c := range dr.cuts {
		for _, f := range [...]Family{IPv4, IPv6} {
			if c.taken[f] {
				for _, ip := range c.drained.addrs(f) {
					taken[ip] = struct{}{}
				}
			}
		}
	}
	out := &Drained{Addresses: len(taken), Unknown: dr.unknown}
	for _, is := range dr.ignored {
		out.Ignored = append(out.Ignored, *is)
	}
	slices.SortFunc(out.Ignored, func(a, b Ignored) int {
		return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Map, b.Map), cmp.Compare(a.Family, b.Family))
	})
	return out
}
