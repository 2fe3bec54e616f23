package mapset

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// addresses checks that the account may answer with the addresses it names (V5),
// and that no static one is on two of its maps (V7).
func (b *builder) addresses(doc *mapfile.Document, a *mapfile.Account) {
	static := make(map[netip.Addr]bool, len(a.StaticIPs))
	for _, ip := range a.StaticIPs {
		static[ip.IP] = true
	}
	onMap := make(map[netip.Addr]claim)
	for i := range a.Maps {
		for _, ip := range a.Maps[i].IPs {
			b.foreign(doc, a, ip, "map")
			if !static[ip.IP] {
				continue
			}
			if first, twice := onMap[ip.IP]; twice {
				b.refuse(doc, ip.Pos, "V7", "take it off one of the two, or use an address of a BYOIP prefix", "static address %s is on another address map already, at %s", ip.IP, first.at())
				continue
			}
			onMap[ip.IP] = claim{account: a.ID, file: doc.Name, pos: ip.Pos}
		}
	}
	for i := range a.Spectrum {
		for _, ip := range a.Spectrum[i].IPs {
			b.foreign(doc, a, ip, "application")
		}
	}
}

// foreign complains about an address that the account does not name as its own. One
// that it names and may not have is refused there, and not once more here.
func (b *builder) foreign(doc *mapfile.Document, a *mapfile.Account, ip mapfile.Addr, on string) {
	if a.ID == "" || a.SpaceInvalid || b.reg.holds(a.ID, ip.IP) || names(a, ip.IP) {
		return
	}
	b.refuse(doc, ip.Pos, "V5", "add its prefix or the address to the account, or take the address off the "+on,
		"address %s is in no prefix of account %q, and none of its static addresses", ip.IP, a.ID)
}

// names reports whether ip is in the space of the account as written.
func names(a *mapfile.Account, ip netip.Addr) bool {
	contains := func(p mapfile.Prefix) bool { return p.CIDR.Contains(ip) }
	return slices.ContainsFunc(a.Prefixes, contains) || slices.ContainsFunc(a.Delegated, contains) ||
		slices.ContainsFunc(a.StaticIPs, func(s mapfile.Addr) bool { return s.IP == ip })
}

// protectedFallback checks what a byoip_only account needs so that its names
// never fall back to anycast (V11).
func (b *builder) protectedFallback(doc *mapfile.Document, a *mapfile.Account, att *attachments) {
	if !a.BYOIPOnly {
		return
	}
	b.protectedMap(doc, a, att)
	for i := range a.Spectrum {
		if app := &a.Spectrum[i]; !app.Static {
			b.refuse(doc, app.TypePos, "V11", "write type: static with ips of the account", "account %q is byoip_only, and the dynamic Spectrum application of %q would be answered with anycast", a.ID, app.Name)
		}
	}
}

func (b *builder) protectedMap(doc *mapfile.Document, a *mapfile.Account, att *attachments) {
	const remedy = "add an enabled address map with the account as a member, can_delete: false and can_modify_ips: false"
	m := att.account
	if m == nil {
		if !a.MapsInvalid && !att.incomplete {
			b.refuse(doc, a.BYOIPPos, "V11", remedy, "account %q is byoip_only and has no enabled address map with the account as a member", a.ID)
		}
		return
	}
	var missing []string
	if m.CanDelete {
		missing = append(missing, "can_delete: false")
	}
	if m.CanModifyIPs {
		missing = append(missing, "can_modify_ips: false")
	}
	if len(missing) > 0 && !a.MapsInvalid {
		flags := strings.Join(missing, " and ")
		b.refuse(doc, m.Pos, "V11", "write "+flags, "account %q is byoip_only, and its account-wide address map %q lacks %s", a.ID, m.ID, flags)
	}
}
