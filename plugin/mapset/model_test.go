package mapset_test

import (
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// model decides as the map format says it, by looking through lists. It is slow
// and obvious; what it decides is what a snapshot has to decide.
type model struct {
	sources []mapset.Source
	opt     mapset.Options
	drains  mapset.Drains
}

// verdict is what the model says of a name.
type verdict struct {
	zone       fqdn.Name
	account    string
	proxied    bool
	byWildcard bool
	covering   fqdn.Name // the wildcard whose mark decides
	spectrum   bool
	needsAAAA  bool
	step       [2]mapset.Step
	addrMap    [2]string
	addrs      [2][]netip.Addr
}

// place is a zone, and what it is in.
type place struct {
	zone    *mapfile.Zone
	account *mapfile.Account
	source  mapset.Source
}

func (m *model) accounts(f func(*mapfile.Account, mapset.Source)) {
	for _, s := range m.sources {
		for i := range s.Doc.Accounts {
			f(&s.Doc.Accounts[i], s)
		}
	}
}

// closest returns the zone with the longest name that name lies in.
func (m *model) closest(name fqdn.Name) (best place) {
	m.accounts(func(a *mapfile.Account, s mapset.Source) {
		for i := range a.Zones {
			z := &a.Zones[i]
			if name.In(z.Name) && (best.zone == nil || len(z.Name) > len(best.zone.Name)) {
				best = place{z, a, s}
			}
		}
	})
	return best
}

// lookup is LookupFrom if source is not empty.
func (m *model) lookup(name, source fqdn.Name) (v verdict) {
	p := m.closest(name)
	if p.zone == nil {
		return v
	}
	v.zone, v.account = p.zone.Name, p.account.ID
	for i := range p.account.Spectrum {
		if app := &p.account.Spectrum[i]; app.Name == name {
			v.proxied, v.spectrum = true, true
			m.answer(&v, p, name, app, app.Connectivity != mapfile.ConnectIPv6 || app.Static, app.Connectivity != mapfile.ConnectIPv4 || app.Static)
			return v
		}
	}
	if above, _ := source.Parent(); source != "" && source != name && (!source.IsWildcard() || !name.In(above)) {
		source = ""
	}
	told := source
	if source != "" && source != name && !source.In(p.zone.Name) && !p.named(name) {
		source = name
		if outer := m.closest(told); outer.zone != nil && m.markFrom(&v, outer, name, told).Proxied {
			p, source, v.zone, v.account = outer, told, outer.zone.Name, outer.account.ID
		}
	}
	v.needsAAAA = !p.zone.IPv6
	mark := m.markFrom(&v, p, name, source)
	if v.proxied = mark.Proxied; v.proxied {
		m.answer(&v, p, name, nil, !mark.V6Only, !mark.V4Only)
	}
	return v
}

// markFrom returns the mark that holds for a name.
func (m *model) markFrom(v *verdict, p place, name, source fqdn.Name) mapfile.Mark {
	v.covering = ""
	if mark, ok := p.mark(name); ok {
		return mark
	}
	var wildcards []fqdn.Name
	switch {
	case source == "":
		for n := name; n != p.zone.Name; {
			n, _ = n.Parent()
			wildcards = append(wildcards, n.Wildcard())
		}
	case source != name && source.IsWildcard() && source.In(p.zone.Name):
		wildcards = append(wildcards, source)
	}
	for _, w := range wildcards {
		if mark, ok := p.mark(w); ok {
			v.byWildcard, v.covering = source == "", w
			return mark
		}
	}
	return p.rest()
}

// rest is the mark of names without one.
func (p place) rest() mapfile.Mark {
	return mapfile.Mark{Proxied: p.zone.All || p.zone.ZoneFile != "" && p.zone.ProxiedDefault}
}

// mark returns what is said of a name by its own name. An owner of the zone file
// is there by itself, with a mark or without.
func (p place) mark(name fqdn.Name) (mapfile.Mark, bool) {
	for _, mark := range p.zone.Marks {
		if mark.Owner == name {
			return mark, true
		}
	}
	if p.isMemberOfAll(name) {
		return p.rest(), true
	}
	file := p.source.ZoneFiles[p.zone.Name]
	if file == nil {
		return mapfile.Mark{}, false
	}
	owner, ok := file.Owners[name]
	switch {
	case !ok:
		return mapfile.Mark{}, false
	case owner.Mark == zonefile.Unmarked:
		return p.rest(), true
	}
	return mapfile.Mark{Proxied: owner.Mark == zonefile.Proxied}, true
}

// isMemberOfAll reports whether name is a wildcard that an address map has as a member, in
// a zone that is proxied throughout: then the membership is its mark.
func (p place) isMemberOfAll(name fqdn.Name) bool {
	return p.zone.All && name.IsWildcard() && slices.ContainsFunc(p.account.Maps, func(am mapfile.AddressMap) bool {
		return slices.ContainsFunc(am.Members, func(mem mapfile.Member) bool { return mem.Name == name })
	})
}

// nameMap returns the enabled address map with the name as a member, if p is the closest
// zone, or nil. The name may be "".
func (m *model) nameMap(p place, name fqdn.Name) *mapfile.AddressMap {
	for i := range p.account.Maps {
		am := &p.account.Maps[i]
		is := func(mem mapfile.Member) bool { return mem.Kind == mapfile.MemberName && mem.Name == name }
		if am.Enabled && slices.ContainsFunc(am.Members, is) && m.closest(name).zone == p.zone {
			return am
		}
	}
	return nil
}

// named reports whether the zone says something of a name by itself: an owner of the
// zone file without a mark counts if it has an address or wildcards could cover it.
func (p place) named(name fqdn.Name) bool {
	if p.isMemberOfAll(name) {
		return true
	}
	wildcards := false
	for _, mark := range p.zone.Marks {
		if wildcards = wildcards || mark.Owner.IsWildcard(); mark.Owner == name {
			return true
		}
	}
	file := p.source.ZoneFiles[p.zone.Name]
	if file == nil {
		return false
	}
	for owner := range file.Owners {
		wildcards = wildcards || owner.IsWildcard()
	}
	owner, ok := file.Owners[name]
	if !ok || wildcards || owner.Mark == zonefile.Proxied {
		return ok
	}
	return p.rest().Proxied && (owner.Mark == zonefile.Unproxied || owner.Types&zonefile.Address != 0)
}

// answer fills in the addresses by the fallback.
func (m *model) answer(v *verdict, p place, name fqdn.Name, app *mapfile.SpectrumApp, v4, v6 bool) {
	type rung struct {
		step  mapset.Step
		id    string
		addrs []netip.Addr
	}
	var rungs []rung
	anycast := m.anycast()
	families := func(addrs []netip.Addr) []netip.Addr {
		return slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return a.Is4() && !v4 || a.Is6() && !v6 })
	}
	if app != nil && app.Static {
		rungs = append(rungs, rung{mapset.StepSpectrum, "", m.usable(p.account, ips(app.IPs))})
	} else if app != nil {
		rungs = append(rungs, rung{mapset.StepSpectrum, "", families(anycast)})
	}
	for _, owner := range []fqdn.Name{name, v.covering} {
		if am := m.nameMap(p, owner); am != nil {
			rungs = append(rungs, rung{mapset.StepName, am.ID, m.usable(p.account, ips(am.IPs))})
			if len(rungs[len(rungs)-1].addrs) > 0 {
				break // one step: the name's own, or else that of the wildcard
			}
		}
	}
	for _, kind := range []mapfile.MemberKind{mapfile.MemberZone, mapfile.MemberAccount} {
		for _, am := range p.account.Maps {
			for _, mem := range am.Members {
				mine := kind == mapfile.MemberAccount || mem.Identifier == string(p.zone.Name)
				if am.Enabled && mem.Kind == kind && mine {
					step := mapset.StepZone
					if kind == mapfile.MemberAccount {
						step = mapset.StepAccount
					}
					rungs = append(rungs, rung{step, am.ID, m.usable(p.account, ips(am.IPs))})
				}
			}
		}
	}
	if !p.account.BYOIPOnly {
		rungs = append(rungs, rung{mapset.StepAnycast, "", anycast})
	}
	rungs = slices.DeleteFunc(rungs, func(r rung) bool { return len(r.addrs) == 0 })
	for f := range 2 {
		of := func(r rung) []netip.Addr {
			return slices.DeleteFunc(slices.Clone(r.addrs), func(a netip.Addr) bool { return a.Is4() != (f == 0) })
		}
		if len(rungs) == 0 {
			continue
		}
		chosen := rungs[0]
		if m.opt.PerFamily {
			if i := slices.IndexFunc(rungs, func(r rung) bool { return len(of(r)) > 0 }); i >= 0 {
				chosen = rungs[i]
			}
		}
		left := m.undrained(of(chosen))
		if len(left) == 0 && len(of(chosen)) > 0 {
			left = of(chosen)
			later := slices.IndexFunc(rungs, func(r rung) bool { return r.step > chosen.step && len(m.undrained(of(r))) > 0 })
			if m.drains.Next && later >= 0 {
				chosen = rungs[later]
				left = m.undrained(of(chosen))
			}
		}
		v.step[f], v.addrMap[f], v.addrs[f] = chosen.step, chosen.id, families(left)
	}
}

// anycast returns the addresses of the Corefile, else those of the one document that
// has some.
func (m *model) anycast() []netip.Addr {
	for _, s := range m.sources {
		if len(m.opt.Anycast) == 0 && len(s.Doc.Anycast) > 0 {
			return ips(s.Doc.Anycast)
		}
	}
	return m.opt.Anycast
}

// usable leaves out what is withdrawn by the account or by who lends to it.
func (m *model) usable(a *mapfile.Account, addrs []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(addrs, func(ip netip.Addr) bool {
		borrowed := slices.ContainsFunc(a.Delegated, func(p mapfile.Prefix) bool { return p.CIDR.Contains(ip) })
		bits, advertised := -1, true
		m.accounts(func(owner *mapfile.Account, _ mapset.Source) {
			if owner.ID != a.ID && !borrowed {
				return
			}
			for _, p := range owner.Prefixes {
				if p.CIDR.Contains(ip) && p.CIDR.Bits() > bits {
					bits, advertised = p.CIDR.Bits(), p.Advertised
				}
			}
		})
		return !advertised
	})
}

// undrained leaves out what is drained.
func (m *model) undrained(addrs []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(addrs, func(ip netip.Addr) bool {
		return slices.ContainsFunc(m.drains.Prefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
	})
}

func ips(list []mapfile.Addr) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, a := range list {
		out[i] = a.IP
	}
	return out
}

// verdictOf is a decision in the form of the model's.
func verdictOf(d mapset.Decision) verdict {
	v := verdict{zone: d.Zone(), account: d.Account(), proxied: d.Proxied(), byWildcard: d.ByWildcard, spectrum: d.Spectrum, needsAAAA: d.NeedsAAAA()}
	for _, f := range []mapset.Family{mapset.IPv4, mapset.IPv6} {
		v.step[f], v.addrMap[f], v.addrs[f] = d.Step(f), d.Map(f), d.Addrs(f)
	}
	return v
}

func (v verdict) equal(o verdict) bool {
	for f := range 2 {
		if !slices.Equal(v.addrs[f], o.addrs[f]) {
			return false
		}
	}
	return v.zone == o.zone && v.account == o.account && v.proxied == o.proxied && v.byWildcard == o.byWildcard &&
		v.spectrum == o.spectrum && v.needsAAAA == o.needsAAAA && v.step == o.step && v.addrMap == o.addrMap
}
