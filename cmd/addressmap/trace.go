package main

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// tracer goes through the documents of a map to find where a decision comes from.
// It decides nothing: the decision is the snapshot's.
type tracer struct {
	sources []mapset.Source
	options mapset.Options
	name    fqdn.Name

	doc     *mapfile.Document
	account *mapfile.Account
	zone    *mapfile.Zone
	file    *zonefile.Zone
}

// find fills in where the zone, the mark and the steps of a decision stand.
func (t *tracer) find(e *explanation, d mapset.Decision) {
	for _, s := range t.sources {
		for i := range s.Doc.Accounts {
			a := &s.Doc.Accounts[i]
			for j := range a.Zones {
				if a.Zones[j].Name == d.Zone() && a.ID == d.Account() {
					t.doc, t.account, t.zone, t.file = s.Doc, a, &a.Zones[j], s.ZoneFiles[d.Zone()]
				}
			}
		}
	}
	if t.zone == nil {
		return
	}
	e.Zone = t.at(string(t.zone.Name), t.zone.Pos)
	e.Mark = t.mark()
	if d.Spectrum {
		e.Mark = &place{What: "the name of a Spectrum application"}
	}
	if d.Proxied() {
		e.Steps = t.steps(d)
	}
}

func (t *tracer) at(what string, pos mapfile.Pos) *place {
	return &place{What: what, File: t.doc.Name, Line: int(pos.Line)}
}

// mark finds what says whether the name is proxied.
func (t *tracer) mark() *place {
	if p := t.markOf(t.name); p != nil {
		return p
	}
	for n := t.name; n != t.zone.Name; {
		n, _ = n.Parent()
		if p := t.markOf(n.Wildcard()); p != nil {
			p.What += ", if the backend answers for the name from it"
			return p
		}
	}
	switch {
	case t.zone.All:
		return t.at("proxied: all", t.zone.Pos)
	case t.zone.ProxiedDefault && t.zone.ZoneFile != "":
		return t.at("proxied_default: true", t.zone.Pos)
	}
	return &place{What: "no mark"}
}

// markOf finds the mark of exactly this owner, in the list or the zone file.
func (t *tracer) markOf(owner fqdn.Name) *place {
	for _, m := range t.zone.Marks {
		if m.Owner == owner {
			return t.at(fmt.Sprintf("%s marked %s", owner, word(m.Proxied)), m.Pos)
		}
	}
	if t.file == nil {
		return nil
	}
	o, ok := t.file.Owners[owner]
	if !ok || o.Mark == zonefile.Unmarked && t.zone.ProxiedDefault {
		return nil
	}
	return &place{What: fmt.Sprintf("%s %s in the zone file", owner, o.Mark), File: t.zone.ZoneFile, Line: int(o.Line)}
}

func word(proxied bool) string {
	if proxied {
		return "proxied"
	}
	return "unproxied"
}

// steps lists the fallback in its order.
func (t *tracer) steps(d mapset.Decision) []stepTried {
	out := t.spectrum(d)
	out = append(out, t.maps(mapfile.MemberZone, mapset.StepZone, d)...)
	out = append(out, t.maps(mapfile.MemberAccount, mapset.StepAccount, d)...)
	last := stepTried{Step: mapset.StepAnycast.String(), Applies: applies(d, mapset.StepAnycast, "")}
	switch {
	case last.Applies:
		last.Reason = "the shared addresses"
	case t.account.BYOIPOnly:
		last.Reason = "the account is byoip_only"
	case len(t.anycast()) == 0:
		last.Reason = "there are no anycast addresses"
	default:
		last.Reason = "not reached"
	}
	last.IPs = texts(t.anycast())
	return append(out, last)
}

// spectrum is the first step: an application of exactly the name.
func (t *tracer) spectrum(d mapset.Decision) []stepTried {
	for i := range t.account.Spectrum {
		app := &t.account.Spectrum[i]
		if app.Name != t.name {
			continue
		}
		s := stepTried{Step: mapset.StepSpectrum.String(), Applies: true, Reason: "dynamic: anycast, as far as it connects", Place: t.at("application", app.Pos)}
		if app.Static {
			s.Reason = "static: its own addresses"
		}
		s.IPs = texts(slices.Concat(d.Addrs(mapset.IPv4), d.Addrs(mapset.IPv6)))
		return []stepTried{s}
	}
	return []stepTried{{Step: mapset.StepSpectrum.String(), Reason: "no application has this name"}}
}

// maps lists the address maps of one step.
func (t *tracer) maps(kind mapfile.MemberKind, step mapset.Step, d mapset.Decision) []stepTried {
	var out []stepTried
	for i := range t.account.Maps {
		m := &t.account.Maps[i]
		if !slices.ContainsFunc(m.Members, func(mem mapfile.Member) bool { return mem.Kind == kind && t.isMember(mem) }) {
			continue
		}
		s := stepTried{Step: step.String(), Map: m.ID, Place: t.at("address map", m.Pos), sni: m.DefaultSNI, Applies: applies(d, step, m.ID)}
		for _, ip := range m.IPs {
			s.IPs = append(s.IPs, ip.IP.String())
		}
		switch {
		case s.Applies:
			s.Reason = "enabled, with usable addresses"
		case !m.Enabled:
			s.Reason = "disabled"
		case t.withdrawn(m):
			s.Reason = "all its addresses lie in withdrawn prefixes"
		default:
			s.Reason = "not reached"
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return []stepTried{{Step: step.String(), Reason: "no address map has the " + step.String() + " as a member"}}
	}
	return out
}

func (t *tracer) isMember(mem mapfile.Member) bool {
	if mem.Kind == mapfile.MemberAccount {
		return mem.Identifier == t.account.ID
	}
	if mem.Identifier == t.zone.ID {
		return true
	}
	n, err := fqdn.Parse(mem.Identifier)
	return err == nil && n == t.zone.Name
}

// withdrawn reports whether every address of the map lies in a withdrawn prefix,
// of whichever account.
func (t *tracer) withdrawn(m *mapfile.AddressMap) bool {
	return !slices.ContainsFunc(m.IPs, func(ip mapfile.Addr) bool {
		longest, advertised := -1, true
		for _, s := range t.sources {
			for i := range s.Doc.Accounts {
				for _, p := range s.Doc.Accounts[i].Prefixes {
					if p.CIDR.Contains(ip.IP) && p.CIDR.Bits() > longest {
						longest, advertised = p.CIDR.Bits(), p.Advertised
					}
				}
			}
		}
		return advertised
	})
}

func (t *tracer) anycast() []netip.Addr {
	if len(t.options.Anycast) > 0 {
		return t.options.Anycast
	}
	var out []netip.Addr
	for _, s := range t.sources {
		for _, a := range s.Doc.Anycast {
			out = append(out, a.IP)
		}
	}
	return out
}

// applies reports whether a step answers for any family.
func applies(d mapset.Decision, step mapset.Step, id string) bool {
	for _, f := range []mapset.Family{mapset.IPv4, mapset.IPv6} {
		if d.Step(f) == step && d.Map(f) == id {
			return true
		}
	}
	return false
}

func texts(ips []netip.Addr) []string {
	var out []string
	for _, ip := range ips {
		out = append(out, ip.String())
	}
	return out
}
