package who

import (
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// written gathers where the map has the addresses: first anycast, then what each document
// writes, in the order of the documents.
func (g *gatherer) written(s *mapset.Snapshot) {
	documents := s.Documents()
	anycast := &Place{Kind: KindAnycast, Addresses: g.of(s.Anycast())}
	for _, doc := range documents {
		if list := mapfile.IPs(doc.Anycast); len(list) > 0 && slices.Equal(list, s.Anycast()) { // else it is that of the Corefile, or of a site
			anycast.File, anycast.Line = doc.Name, int(doc.Pos.Line)
		}
	}
	g.put(key{}, anycast)
	for _, doc := range documents {
		general := slices.DeleteFunc(mapfile.IPs(doc.Anycast), func(ip netip.Addr) bool { return slices.Contains(s.Anycast(), ip) })
		g.put(key{general: true}, &Place{Kind: KindGeneral, Addresses: g.of(general), File: doc.Name, Line: int(doc.Pos.Line)})
		for _, site := range doc.Sites {
			g.put(key{site: site.Name}, &Place{Kind: KindSite, ID: site.Name, Addresses: g.of(mapfile.IPs(site.Anycast)), File: doc.Name, Line: int(site.Pos.Line)})
		}
	}
	for _, doc := range documents {
		for i := range doc.Accounts {
			g.account(doc, &doc.Accounts[i])
		}
	}
	for l := range s.Listings() {
		p := g.places[key{account: l.Account, addressMap: l.Map, app: l.App}]
		if p == nil || len(l.Usable) == len(l.Written) {
			continue
		}
		for _, ip := range p.Addresses {
			if !slices.Contains(l.Usable, ip) {
				p.Withdrawn = append(p.Withdrawn, ip)
			}
		}
	}
}

// account gathers the address space and the places of one account.
func (g *gatherer) account(doc *mapfile.Document, a *mapfile.Account) {
	space := func(kind string, p mapfile.Prefix) {
		if g.overlaps(p.CIDR) {
			g.report.Space = append(g.report.Space, Space{kind, shown(p.CIDR), a.ID, !p.Advertised, doc.Name, int(p.Pos.Line)})
		}
	}
	for _, p := range a.Prefixes {
		space(KindPrefix, p)
	}
	for _, p := range a.Delegated {
		space(KindDelegated, p)
	}
	for _, ip := range a.StaticIPs {
		space(KindStatic, mapfile.Prefix{CIDR: netip.PrefixFrom(ip.IP, ip.IP.BitLen()), Advertised: true, Pos: ip.Pos})
	}
	for _, m := range a.Maps {
		g.put(key{account: a.ID, addressMap: m.ID}, &Place{Kind: KindMap, ID: m.ID, Account: a.ID, Disabled: !m.Enabled,
			Addresses: g.of(mapfile.IPs(m.IPs)), File: doc.Name, Line: int(m.Pos.Line)})
	}
	for _, app := range a.Spectrum {
		g.put(key{account: a.ID, app: app.Name}, &Place{Kind: KindSpectrum, ID: string(app.Name), Account: a.ID,
			Addresses: g.of(mapfile.IPs(app.IPs)), File: doc.Name, Line: int(app.Pos.Line)})
	}
}

// put adds a place that has any of the addresses.
func (g *gatherer) put(at key, p *Place) {
	if len(p.Addresses) == 0 {
		return
	}
	p.Withdrawn, p.Passed = []netip.Addr{}, []*Passed{}
	g.places[at] = p
	g.report.Places = append(g.report.Places, p)
}
