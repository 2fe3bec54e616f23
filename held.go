package addressmap

import (
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/file/tree"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/presence"
)

// held is the zones that the plugin file has in memory. A look into them costs less
// than to ask the plugin, which makes a response.
type held map[fqdn.Name]*heldZone // :: apex → zone

// heldZone is one of them, and what was last seen of it.
type heldZone struct {
	zone *file.Zone
	seen atomic.Pointer[zoneVersion]
}

// zoneVersion is a zone as it is until the plugin reads it again, which gives it
// another SOA record, in memory, whatever has changed.
type zoneVersion struct {
	zone *file.Zone
	soa  *dns.SOA
}

// heldBy returns the zones of a plugin, nil if they cannot be looked into. Of all
// backends, only file does nothing to an answer but what is in its zones.
func heldBy(next plugin.Handler) answer.Zones {
	if xfer, ok := next.(*transfer.Transfer); ok {
		next = xfer.Next // it passes everything on that is no transfer
	}
	f, ok := next.(file.File)
	if !ok || f.ZoneLookupFunc != nil {
		return nil
	}
	h := make(held, len(f.Z))
	for apex, z := range f.Z {
		if z != nil {
			h[fqdn.Name(apex)] = &heldZone{zone: z}
		}
	}
	return h
}

// WithAddress implements [answer.Zones]. Where there is more to be seen than an
// address, such as an alias or a signature, the plugin is to be asked.
func (h held) WithAddress(name fqdn.Name) presence.Version {
	apex, z := h.enclosing(name)
	if z == nil {
		return nil
	}
	version, owners := z.look()
	if version == nil || !answersAt(owners, name, apex) {
		return nil
	}
	return version
}

// enclosing returns the zone that encloses a name most closely, and its apex.
func (h held) enclosing(name fqdn.Name) (fqdn.Name, *heldZone) {
	for n, ok := name, true; ok; n, ok = n.Parent() {
		if z := h[n]; z != nil {
			return n, z
		}
	}
	return "", nil
}

// look returns the zone as it is now, and its owners; nil if file would not answer
// from it.
func (z *heldZone) look() (*zoneVersion, *tree.Tree) {
	z.zone.RLock()
	soa, owners, expired := z.zone.SOA, z.zone.Tree, z.zone.Expired
	z.zone.RUnlock()
	if soa == nil || expired {
		return nil, nil
	}
	v := z.seen.Load()
	if v == nil || v.soa != soa {
		v = &zoneVersion{z.zone, soa}
		z.seen.Store(v)
	}
	return v, owners
}

// Current implements [presence.Version].
func (v *zoneVersion) Current() bool {
	v.zone.RLock()
	defer v.zone.RUnlock()
	return v.zone.SOA == v.soa && !v.zone.Expired
}

// answersAt reports whether a name is answered with an address of its own.
func answersAt(owners *tree.Tree, name, apex fqdn.Name) bool {
	at, ok := owners.Search(string(name))
	if !ok || at.Type(dns.TypeA) == nil && at.Type(dns.TypeAAAA) == nil || leadsOn(at) ||
		at.Type(dns.TypeCNAME) != nil || at.Type(dns.TypeRRSIG) != nil {
		return false
	}
	for n := name; n != apex; {
		n, _ = n.Parent()
		if above, ok := owners.Search(string(n)); ok && leadsOn(above) {
			return false
		}
	}
	return true
}

// leadsOn reports whether names below are not answered from this zone: it is a zone
// cut, which glue is below, or a DNAME. The name servers of the zone itself are not
// among its elements.
func leadsOn(e *tree.Elem) bool {
	return e.Type(dns.TypeNS) != nil || e.Type(dns.TypeDNAME) != nil
}
