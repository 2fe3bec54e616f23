package addressmap

import (
	"slices"
	"sync"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/auto"
	"github.com/coredns/coredns/plugin/dynupdate"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/file/tree"
	"github.com/coredns/coredns/plugin/hosts"
	"github.com/coredns/coredns/plugin/secondary"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/presence"
)

// memoryZones are the zones that the backends of a server block have in memory, as far
// as it can be said before which of them answers. A look into them costs less than to
// ask the plugin, which makes a response, and they have what file does not answer with.
type memoryZones struct {
	plugins []lookupZone // in the order in which they are asked
	seen    sync.Map     // :: apex → *zoneVersion
}

// lookupZone returns what a plugin does with a question about a name: it answers from
// the zone with this apex, it passes the question on, or nobody can say.
type lookupZone func(name fqdn.Name) (apex fqdn.Name, z *file.Zone, what answering)

// answering says what a plugin does with a question. The zero value is that nobody
// can say.
type answering uint8

const (
	unsure answering = iota
	passesOn
	answersFromZone
)

// zonesOf returns the zones of the backends after ours; nil if every question may come
// to a plugin first that does not tell the owner of its records.
func zonesOf(handlers []plugin.Handler) answer.Zones {
	z := new(memoryZones)
	after := false
	for _, h := range handlers {
		switch name := h.Name(); {
		case name == pluginName:
			after = true
			continue
		case !after, name == "transfer", name == "loop", name == "view":
			continue
		}
		lookup := lookupOf(h)
		if lookup == nil {
			break // whatever comes after it
		}
		z.plugins = append(z.plugins, lookup)
	}
	if len(z.plugins) == 0 {
		return nil
	}
	return z
}

// lookupOf returns nil for a plugin of which nothing is known.
func lookupOf(h plugin.Handler) lookupZone {
	switch p := h.(type) {
	case file.File:
		return ofFile(&p)
	case *secondary.Secondary:
		return ofFile(&p.File)
	case auto.Auto:
		return ofAuto(&p)
	case *auto.Auto:
		return ofAuto(p)
	case *dynupdate.DynUpdate:
		return func(name fqdn.Name) (fqdn.Name, *file.Zone, answering) {
			if apex := fqdn.Canonical(p.Zone); name.In(apex) {
				return apex, nil, answersFromZone // which it does not show
			}
			return "", nil, passesOn
		}
	case hosts.Hosts:
		// Its entries are names of their own: none is made from a wildcard.
		return func(name fqdn.Name) (fqdn.Name, *file.Zone, answering) {
			if plugin.Zones(p.Origins).Matches(string(name)) == "" || p.Fall.Through(string(name)) {
				return "", nil, passesOn
			}
			return "", nil, unsure
		}
	}
	return nil
}

func ofFile(p *file.File) lookupZone {
	lookup := p.ZoneLookupFunc
	if lookup == nil {
		lookup = func(name string) (string, *file.Zone, bool) {
			for n, ok := fqdn.Name(name), true; ok; n, ok = n.Parent() {
				if z, is := p.Z[string(n)]; is {
					return string(n), z, true
				}
			}
			return "", nil, false
		}
	}
	return func(name fqdn.Name) (fqdn.Name, *file.Zone, answering) {
		apex, z, ok := lookup(string(name))
		switch {
		case !ok:
			return "", nil, passesOn
		case z == nil || p.Fall.Through(string(name)):
			return "", nil, unsure
		}
		return fqdn.Canonical(apex), z, answersFromZone
	}
}

func ofAuto(p *auto.Auto) lookupZone {
	return func(name fqdn.Name) (fqdn.Name, *file.Zone, answering) {
		if !plugin.Zones(p.Origins()).Contains(string(name)) {
			return "", nil, passesOn
		}
		for n, ok := name, true; ok; n, ok = n.Parent() {
			if z := p.Zones.Zones(string(n)); z != nil {
				return n, z, answersFromZone
			}
		}
		return "", nil, passesOn
	}
}

// backend returns the zone that a name is answered from, which is nil if its plugin
// does not show it, and false if nobody can say which that is.
func (m *memoryZones) backend(name fqdn.Name) (fqdn.Name, *file.Zone, bool) {
	for _, lookup := range m.plugins {
		switch apex, z, what := lookup(name); what {
		case passesOn:
		case answersFromZone:
			return apex, z, true
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

// Tells implements [answer.Zones].
func (m *memoryZones) Tells(name fqdn.Name) bool {
	_, _, ok := m.backend(name)
	return ok
}

// Look implements [answer.Zones]. Where there is more to be seen than an address or an
// alias, such as a signature, the plugin is to be asked.
func (m *memoryZones) Look(name fqdn.Name) (answer.At, presence.Version) {
	apex, z, _ := m.backend(name)
	if z == nil {
		return answer.At{}, nil
	}
	version, owners := m.current(apex, z)
	if version == nil {
		return answer.At{}, nil
	}
	at, ok := lookAt(owners, name, apex)
	if !ok {
		return answer.At{}, nil
	}
	return at, version
}

// Beside implements [answer.Zones].
func (m *memoryZones) Beside(owner fqdn.Name, qtype uint16, name string) []dns.RR {
	apex, z, _ := m.backend(owner)
	if z == nil {
		return nil
	}
	version, owners := m.current(apex, z)
	if version == nil {
		return nil
	}
	elem, ok := owners.Search(string(owner))
	if !ok || elem.Type(dns.TypeCNAME) == nil {
		return nil
	}
	return elem.TypeForWildcard(qtype, name)
}

// IsGlue implements [answer.Zones].
func (m *memoryZones) IsGlue(name fqdn.Name) bool {
	apex, z, _ := m.backend(name)
	if z == nil {
		return false
	}
	version, owners := m.current(apex, z)
	if version == nil {
		return false
	}
	for n := name; n != apex; {
		if elem, ok := owners.Search(string(n)); ok && slices.ContainsFunc(elem.Type(dns.TypeNS), func(rr dns.RR) bool {
			ns, ok := rr.(*dns.NS)
			return ok && fqdn.Canonical(ns.Ns) == name
		}) {
			return true
		}
		n, _ = n.Parent()
	}
	return false
}

// zoneVersion is a zone as it is until the plugin reads it again, which gives it
// another SOA record, in memory, whatever has changed.
type zoneVersion struct {
	zone *file.Zone
	soa  *dns.SOA
}

// current returns the zone as it is now, and its owners; nil if file would not answer
// from it.
func (m *memoryZones) current(apex fqdn.Name, z *file.Zone) (*zoneVersion, *tree.Tree) {
	z.RLock()
	soa, owners, expired := z.SOA, z.Tree, z.Expired
	z.RUnlock()
	if soa == nil || owners == nil || expired {
		return nil, nil
	}
	if seen, ok := m.seen.Load(apex); ok {
		if v := seen.(*zoneVersion); v.zone == z && v.soa == soa {
			return v, owners
		}
	}
	v := &zoneVersion{z, soa}
	m.seen.Store(apex, v)
	return v, owners
}

// Current implements [presence.Version].
func (v *zoneVersion) Current() bool {
	v.zone.RLock()
	defer v.zone.RUnlock()
	return v.zone.SOA == v.soa && !v.zone.Expired
}

// lookAt returns what a name is answered with of its own, and false if that cannot be
// seen at the name alone.
func lookAt(owners *tree.Tree, name, apex fqdn.Name) (answer.At, bool) {
	elem, ok := owners.Search(string(name))
	if !ok || leadsOn(elem) || elem.Type(dns.TypeRRSIG) != nil {
		return answer.At{}, false
	}
	for n := name; n != apex; {
		n, _ = n.Parent()
		if above, ok := owners.Search(string(n)); ok && leadsOn(above) {
			return answer.At{}, false
		}
	}
	alias := elem.Type(dns.TypeCNAME) != nil
	return answer.At{
		Alias:   alias,
		Address: !alias && (elem.Type(dns.TypeA) != nil || elem.Type(dns.TypeAAAA) != nil),
	}, true
}

// leadsOn reports whether names below are not answered from this zone: it is a zone
// cut, which glue is below, or a DNAME. The name servers of the zone itself are not
// among its elements.
func leadsOn(e *tree.Elem) bool {
	return e.Type(dns.TypeNS) != nil || e.Type(dns.TypeDNAME) != nil
}
