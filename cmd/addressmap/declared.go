package main

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// declared is a zone as its document writes it. It decides nothing: it says where the
// things that a decision names are written.
type declared struct {
	doc     *mapfile.Document
	account *mapfile.Account
	zone    *mapfile.Zone
	file    *zonefile.Zone // nil if the zone has no zone file
	anycast []netip.Addr   // of the map
	all     []mapset.Source
}

// declaredBy returns the zone that a decision went by, or nil if no zone of the map
// encloses the name.
func declaredBy(d mapset.Decision, in *live.Checked) *declared {
	for _, s := range in.Sources {
		for i := range s.Doc.Accounts {
			a := &s.Doc.Accounts[i]
			for j := range a.Zones {
				if z := &a.Zones[j]; z.Name == d.Zone() && a.ID == d.Account() {
					return &declared{s.Doc, a, z, s.ZoneFiles[z.Name], in.Snapshot.Anycast(), in.Sources}
				}
			}
		}
	}
	return nil
}

func (z *declared) at(what string, pos mapfile.Pos) *place {
	return &place{What: what, File: z.doc.Name, Line: int(pos.Line)}
}

// mark returns the mark of exactly this owner, in the list or the zone file, or what
// the zone says of owners without one.
func (z *declared) mark(owner fqdn.Name) *place {
	if p := z.own(owner); p != nil {
		return p
	}
	return z.rest()
}

// own returns the mark of exactly this owner, or nil if nothing is written for it.
func (z *declared) own(owner fqdn.Name) *place {
	for _, m := range z.zone.Marks {
		if m.Owner == owner {
			return z.at(fmt.Sprintf("%s marked %s", owner, word(m.Proxied)), m.Pos)
		}
	}
	if z.file == nil {
		return nil
	}
	o, ok := z.file.Owners[owner]
	if !ok {
		return nil
	}
	what := fmt.Sprintf("%s %s in the zone file", owner, o.Mark)
	if rest := z.rest(); o.Mark == zonefile.Unmarked && rest.File != "" {
		what += ", " + rest.What
	}
	return &place{What: what, File: z.zone.ZoneFile, Line: int(o.Line)}
}

// covering returns the mark of the name or of the nearest wildcard above it in the zone,
// or what the zone says of owners without one.
func (z *declared) covering(name fqdn.Name) *place {
	p := z.own(name)
	for up, ok := name.Parent(); p == nil && ok && up.In(z.zone.Name); up, ok = up.Parent() {
		p = z.own(up.Wildcard())
	}
	if p == nil {
		return z.rest()
	}
	return p
}

// rest returns what the zone says of the names without a mark.
func (z *declared) rest() *place {
	switch {
	case z.zone.All:
		return z.at("proxied: all", z.zone.Pos)
	case z.zone.ProxiedDefault && z.zone.ZoneFile != "":
		return z.at("proxied_default: true", z.zone.Pos)
	}
	return &place{What: "no mark"}
}

// step returns a step of the fallback for a name, with the place where the step is
// written and its addresses.
func (z *declared) step(name fqdn.Name, r mapset.Reason) stepTried {
	s := stepTried{Step: r.Step.String(), Map: r.Map, Applies: r.Answers(), Reason: r.String()}
	switch r.Step {
	case mapset.StepSpectrum:
		if i := slices.IndexFunc(z.account.Spectrum, func(app mapfile.SpectrumApp) bool { return app.Name == name }); i >= 0 {
			app := &z.account.Spectrum[i]
			s.Place = z.at("application", app.Pos)
			_, s.Withdrawn = z.usable(app.IPs, r)
		}
		s.IPs = texts(r.Addrs())
	case mapset.StepAnycast:
		s.IPs = texts(z.anycast)
		if len(r.Drained()) > 0 {
			s.IPs = texts(r.Addrs())
		}
	case mapset.StepName, mapset.StepZone, mapset.StepAccount:
		if i := slices.IndexFunc(z.account.Maps, func(m mapfile.AddressMap) bool { return m.ID == r.Map }); i >= 0 {
			m := &z.account.Maps[i]
			s.Place, s.sni = z.at("address map", m.Pos), m.DefaultSNI
			s.IPs, s.Withdrawn = z.usable(m.IPs, r)
		}
	}
	return s
}

// withdrawn is addresses of a step that are not answered, and the prefix that says so.
type withdrawn struct {
	IPs    []string `json:"ips"`
	Prefix string   `json:"prefix"`
	Place  *place   `json:"place"`
}

// usable returns the addresses of a step that may be answered, and the others with the
// reason: the longest prefix around an address decides, if it is the account's or lent to
// it. Of a disabled address map, the step has no addresses.
func (z *declared) usable(addrs []mapfile.Addr, r mapset.Reason) (ips []string, out []withdrawn) {
	usable, drained := r.Addrs(), r.Drained()
	for _, addr := range addrs {
		if slices.Contains(usable, addr.IP) {
			ips = append(ips, addr.IP.String())
			continue
		}
		if slices.Contains(drained, addr.IP) {
			continue
		}
		doc, p := z.prefixAround(addr.IP)
		if p == nil || p.Advertised {
			ips = append(ips, addr.IP.String())
			continue
		}
		i := slices.IndexFunc(out, func(w withdrawn) bool { return w.Prefix == p.CIDR.String() })
		if i < 0 {
			i = len(out)
			out = append(out, withdrawn{Prefix: p.CIDR.String(), Place: &place{What: "advertised: false", File: doc.Name, Line: int(p.Pos.Line)}})
		}
		out[i].IPs = append(out[i].IPs, addr.IP.String())
	}
	return ips, out
}

// prefixAround returns the longest prefix of any account around an address, if it counts
// for this account, and its document.
func (z *declared) prefixAround(ip netip.Addr) (doc *mapfile.Document, longest *mapfile.Prefix) {
	var owner *mapfile.Account
	for _, d := range z.all {
		for i := range d.Doc.Accounts {
			a := &d.Doc.Accounts[i]
			for j := range a.Prefixes {
				if p := &a.Prefixes[j]; p.CIDR.Contains(ip) && (longest == nil || p.CIDR.Bits() > longest.CIDR.Bits()) {
					doc, owner, longest = d.Doc, a, p
				}
			}
		}
	}
	lent := slices.ContainsFunc(z.account.Delegated, func(p mapfile.Prefix) bool { return p.CIDR.Contains(ip) })
	if owner != nil && owner.ID != z.account.ID && !lent {
		return nil, nil
	}
	return doc, longest
}

func texts(ips []netip.Addr) []string {
	var out []string
	for _, ip := range ips {
		out = append(out, ip.String())
	}
	return out
}
