package addressmap

import (
	"slices"
	"sync"
	"sync/atomic"

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
)

// memoryZones is the backend of a server block, as far as it has zones in memory and it
// can be said before which of its plugins answers. A look into a zone costs less than to
// ask the plugin, which makes a response, and shows what file does not answer with.
type memoryZones struct {
	plugins []lookupZone // in the order in which they are asked
}

// lookupZone returns what a plugin does with a question about a name: it answers from
// this zone, which is nil if the plugin does not show it, it passes the question on, or
// nobody can say.
type lookupZone func(name fqdn.Name) (*memoryZone, answering)

// memoryZone is a zone that a plugin has in memory, and what was last seen of it.
type memoryZone struct {
	apex fqdn.Name
	zone *file.Zone
	seen atomic.Pointer[zoneVersion]
}

// answering says what a plugin does with a question. The zero value is that nobody
// can say.
type answering uint8

const (
	unsure answering = iota
	passesOn
	answersFromZone
)

// zonesOf returns the zones of the plugins after ours, none where every question may come
// to a plugin first that does not tell the owner of its records.
func zonesOf(handlers []plugin.Handler) *memoryZones {
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
		return func(name fqdn.Name) (*memoryZone, answering) {
			if name.In(fqdn.Canonical(p.Zone)) {
				return nil, answersFromZone // which it does not show
			}
			return nil, passesOn
		}
	case hosts.Hosts:
		// Its entries are names of their own: none is made from a wildcard.
		return func(name fqdn.Name) (*memoryZone, answering) {
			if plugin.Zones(p.Origins).Matches(string(name)) == "" || p.Fall.Through(string(name)) {
				return nil, passesOn
			}
			return nil, unsure
		}
	}
	return nil
}

// ofFile looks into the zone that encloses a name most closely: among those that the
// Corefile lists, or as the plugin says.
func ofFile(p *file.File) lookupZone {
	fall := p.Fall
	if p.ZoneLookupFunc != nil {
		var seen changingZones
		return func(name fqdn.Name) (*memoryZone, answering) {
			apex, z, ok := p.ZoneLookupFunc(string(name))
			switch {
			case !ok:
				return nil, passesOn
			case z == nil || fall.Through(string(name)):
				return nil, unsure
			}
			return seen.of(fqdn.Canonical(apex), z), answersFromZone
		}
	}
	zones := make(map[fqdn.Name]*memoryZone, len(p.Z))
	for apex, z := range p.Z {
		zones[fqdn.Name(apex)] = nil
		if z != nil {
			zones[fqdn.Name(apex)] = &memoryZone{apex: fqdn.Name(apex), zone: z}
		}
	}
	return func(name fqdn.Name) (*memoryZone, answering) {
		for n, ok := name, true; ok; n, ok = n.Parent() {
			switch z, is := zones[n]; {
			case !is:
			case z == nil || fall.Through(string(name)):
				return nil, unsure
			default:
				return z, answersFromZone
			}
		}
		return nil, passesOn
	}
}

func ofAuto(p *auto.Auto) lookupZone {
	var seen changingZones
	return func(name fqdn.Name) (*memoryZone, answering) {
		if !plugin.Zones(p.Origins()).Contains(string(name)) {
			return nil, passesOn
		}
		for n, ok := name, true; ok; n, ok = n.Parent() {
			if z := p.Zones.Zones(string(n)); z != nil {
				return seen.of(n, z), answersFromZone
			}
		}
		return nil, passesOn
	}
}

// changingZones are the zones of a plugin that gains and loses some while it runs.
type changingZones struct {
	zones sync.Map // :: apex → *memoryZone
}

// of returns what is known of a zone.
func (c *changingZones) of(apex fqdn.Name, z *file.Zone) *memoryZone {
	if known, ok := c.zones.Load(apex); ok && known.(*memoryZone).zone == z {
		return known.(*memoryZone)
	}
	m := &memoryZone{apex: apex, zone: z}
	c.zones.Store(apex, m)
	return m
}

// backend returns the zone that a name is answered from, which is nil if its plugin
// does not show it, and false if nobody can say which that is.
func (m *memoryZones) backend(name fqdn.Name) (*memoryZone, bool) {
	for _, lookup := range m.plugins {
		switch z, what := lookup(name); what {
		case passesOn:
		case answersFromZone:
			return z, true
		default:
			return nil, false
		}
	}
	return nil, false
}

// RevealsWildcard implements [answer.Zones].
func (m *memoryZones) RevealsWildcard(name fqdn.Name) bool {
	_, ok := m.backend(name)
	return ok
}

// Look implements [answer.Zones]. It returns what file would answer for the name itself, as
// its zone is now; nothing where there is more to be seen than an address or an alias, such
// as a signature: then the plugin is to be asked.
func (m *memoryZones) Look(name fqdn.Name) (answer.Presence, answer.Version) {
	z, _ := m.backend(name)
	version, owners := z.current()
	if version == nil {
		return answer.Presence{}, nil
	}
	return version.lookAt(owners, name, z.apex), version
}

// Beside implements [answer.Zones].
func (m *memoryZones) Beside(owner fqdn.Name, qtype uint16, name string) []dns.RR {
	z, _ := m.backend(owner)
	version, owners := z.current()
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
	z, _ := m.backend(name)
	version, owners := z.current()
	if version == nil {
		return false
	}
	for n := name; n != z.apex; {
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
	// redirected reports whether a DNAME at the apex leads every name below away. It is
	// asked for each name, and a search for the apex costs as much as one for the name.
	redirected bool
}

// current returns the zone as it is now, and its owners; nil if there is none, or none
// that file would answer from.
func (z *memoryZone) current() (*zoneVersion, *tree.Tree) {
	if z == nil {
		return nil, nil
	}
	z.zone.RLock()
	soa, owners, expired := z.zone.SOA, z.zone.Tree, z.zone.Expired
	z.zone.RUnlock()
	if soa == nil || owners == nil || expired {
		return nil, nil
	}
	v := z.seen.Load()
	if v == nil || v.soa != soa {
		apex, ok := owners.Search(string(z.apex))
		v = &zoneVersion{z.zone, soa, ok && leadsOn(apex)}
		z.seen.Store(v)
	}
	return v, owners
}

// Current implements [answer.Version].
func (v *zoneVersion) Current() bool {
	v.zone.RLock()
	defer v.zone.RUnlock()
	return v.zone.SOA == v.soa && !v.zone.Expired
}

// lookAt returns what a name is answered with of its own, nothing if that cannot be seen
// at the name alone.
func (v *zoneVersion) lookAt(owners *tree.Tree, name, apex fqdn.Name) answer.Presence {
	elem, ok := owners.Search(string(name))
	if !ok || v.redirected || leadsOn(elem) || elem.Type(dns.TypeRRSIG) != nil {
		return answer.Presence{}
	}
	if name == apex {
		return presenceOf(elem)
	}
	for n, _ := name.Parent(); n != apex; n, _ = n.Parent() {
		if above, ok := owners.Search(string(n)); ok && leadsOn(above) {
			return answer.Presence{}
		}
	}
	return presenceOf(elem)
}

// presenceOf returns what an element of the zone's tree answers with, with authority.
func presenceOf(elem *tree.Elem) answer.Presence {
	alias := elem.Type(dns.TypeCNAME) != nil
	if !alias && elem.Type(dns.TypeA) == nil && elem.Type(dns.TypeAAAA) == nil {
		return answer.Presence{}
	}
	return answer.Presence{Exists: true, Alias: alias, Authoritative: true}
}

// leadsOn reports whether names below are not answered from this zone: it is a zone
// cut, which glue is below, or a DNAME. The name servers of the zone itself are not
// among its elements.
func leadsOn(e *tree.Elem) bool {
	return e.Type(dns.TypeNS) != nil || e.Type(dns.TypeDNAME) != nil
}
