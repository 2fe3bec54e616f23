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
}

// declaredBy returns the zone that a decision went by, or nil if no zone of the map
// encloses the name.
func declaredBy(d mapset.Decision, in *live.Checked) *declared {
	for _, s := range in.Sources {
		for i := range s.Doc.Accounts {
			a := &s.Doc.Accounts[i]
			for j := range a.Zones {
				if z := &a.Zones[j]; z.Name == d.Zone() && a.ID == d.Account() {
					return &declared{s.Doc, a, z, s.ZoneFiles[z.Name], in.Snapshot.Anycast()}
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
	for _, m := range z.zone.Marks {
		if m.Owner == owner {
			return z.at(fmt.Sprintf("%s marked %s", owner, word(m.Proxied)), m.Pos)
		}
	}
	rest := z.rest()
	if z.file == nil {
		return rest
	}
	o, ok := z.file.Owners[owner]
	if !ok {
		return rest
	}
	what := fmt.Sprintf("%s %s in the zone file", owner, o.Mark)
	if o.Mark == zonefile.Unmarked && rest.File != "" {
		what += ", " + rest.What
	}
	return &place{What: what, File: z.zone.ZoneFile, Line: int(o.Line)}
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
			s.Place = z.at("application", z.account.Spectrum[i].Pos)
		}
		s.IPs = texts(r.Addrs())
	case mapset.StepAnycast:
		s.IPs = texts(z.anycast)
	case mapset.StepZone, mapset.StepAccount:
		if i := slices.IndexFunc(z.account.Maps, func(m mapfile.AddressMap) bool { return m.ID == r.Map }); i >= 0 {
			m := &z.account.Maps[i]
			s.Place, s.sni = z.at("address map", m.Pos), m.DefaultSNI
			for _, ip := range m.IPs {
				s.IPs = append(s.IPs, ip.IP.String())
			}
		}
	}
	return s
}

func texts(ips []netip.Addr) []string {
	var out []string
	for _, ip := range ips {
		out = append(out, ip.String())
	}
	return out
}
