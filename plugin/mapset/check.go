package mapset

import (
	"net/netip"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// addresses checks that the account may answer with the addresses it names (V5),
// and that no static one is on two of its maps (V7).
func (b *builder) addresses(doc *mapfile.Document, a *mapfile.Account) {
	if a.SpaceInvalid || a.ID == "" {
		return
	}
	onMap := make(map[netip.Addr]claim)
	for i := range a.Maps {
		m := &a.Maps[i]
		for _, ip := range m.IPs {
			b.held(doc, a, ip, "add its prefix or the address to the account, or take the address off the map")
			if c, leased := b.reg.statics[ip.IP]; !leased || c.account != a.ID {
				continue
			}
			if first, twice := onMap[ip.IP]; twice {
				b.refuse(doc, ip.Pos, "V7", "take it off one of the two, or use an address of a BYOIP prefix", "static address %s is on another address map already, at %s", ip.IP, first.at())
				continue
			}
			onMap[ip.IP] = claim{file: doc.Name, pos: ip.Pos}
		}
	}
	for i := range a.Spectrum {
		for _, ip := range a.Spectrum[i].IPs {
			b.held(doc, a, ip, "add its prefix or the address to the account, or take the address off the application")
		}
	}
}

func (b *builder) held(doc *mapfile.Document, a *mapfile.Account, ip mapfile.Addr, remedy string) {
	if !b.reg.holds(a.ID, ip.IP) {
		b.refuse(doc, ip.Pos, "V5", remedy, "address %s is in no prefix of account %q, and none of its static addresses", ip.IP, a.ID)
	}
}

// attachments is which enabled address map answers for what of one account.
type attachments struct {
	account *mapfile.AddressMap
	zones   map[fqdn.Name]*mapfile.AddressMap
}

// attach resolves the memberships of the account's maps (V8), refuses two
// enabled maps of one member (V9), and enabled maps that could not answer (V10).
func (b *builder) attach(doc *mapfile.Document, a *mapfile.Account) attachments {
	att := attachments{zones: make(map[fqdn.Name]*mapfile.AddressMap)}
	byID := make(map[string]fqdn.Name)
	for i := range a.Zones {
		z := &a.Zones[i]
		byID[string(z.Name)] = z.Name
		if z.ID != "" {
			byID[z.ID] = z.Name
		}
	}
	for i := range a.Maps {
		m := &a.Maps[i]
		b.unlikely(doc, m)
		for _, mem := range m.Members {
			if mem.Kind == mapfile.MemberAccount {
				b.attachAccount(doc, a, m, mem, &att)
				continue
			}
			name, ok := byID[mem.Identifier]
			if !ok {
				if n, err := fqdn.Parse(mem.Identifier); err == nil {
					name, ok = byID[string(n)]
				}
			}
			b.attachZone(doc, a, m, mem, name, ok, &att)
		}
		if m.Enabled && len(m.Members) > 0 && len(m.IPs) == 0 && !m.IPsInvalid {
			b.refuse(doc, m.Pos, "V10", "add ips, or disable the map", "address map %q is enabled and has members, but no address", m.ID)
		}
	}
	return att
}

func (b *builder) attachAccount(doc *mapfile.Document, a *mapfile.Account, m *mapfile.AddressMap, mem mapfile.Member, att *attachments) {
	switch {
	case mem.Identifier != a.ID && a.ID != "":
		b.refuse(doc, mem.Pos, "V8", "write the id of the map's own account: "+a.ID, "account %q is not the account of address map %q", mem.Identifier, m.ID)
	case !m.Enabled || att.account == m:
	case att.account != nil:
		b.refuse(doc, mem.Pos, "V9", "disable one of the two, or take the membership off it", "account %q is a member of the enabled address map %q already", a.ID, att.account.ID)
	default:
		att.account = m
	}
}

func (b *builder) attachZone(doc *mapfile.Document, a *mapfile.Account, m *mapfile.AddressMap, mem mapfile.Member, name fqdn.Name, known bool, att *attachments) {
	switch {
	case !known && a.ZonesInvalid:
	case !known:
		remedy := "write the name or id of a zone of account " + a.ID
		if n, err := fqdn.Parse(mem.Identifier); err == nil {
			if c, ok := b.reg.zones[n]; ok && c.account != a.ID {
				remedy += "; this one is of account " + c.account
			}
		}
		b.refuse(doc, mem.Pos, "V8", remedy, "%q is no zone of account %q", mem.Identifier, a.ID)
	case !m.Enabled || att.zones[name] == m:
	case att.zones[name] != nil:
		b.refuse(doc, mem.Pos, "V9", "disable one of the two, or take the membership off it", "zone %q is a member of the enabled address map %q already", name, att.zones[name].ID)
	default:
		att.zones[name] = m
	}
}

// unlikely warns of maps that answer for nothing and look as if they were meant to.
func (b *builder) unlikely(doc *mapfile.Document, m *mapfile.AddressMap) {
	switch {
	case m.MembersInvalid:
	case len(m.Members) == 0:
		b.warn(doc, m.Pos, "address map %q has no members", m.ID)
	case !m.Enabled:
		b.warn(doc, m.Pos, "address map %q has members and is disabled (without enabled: true a map is)", m.ID)
	}
}

// protectedFallback checks what a byoip_only account needs so that its names
// never fall back to anycast (V11).
func (b *builder) protectedFallback(doc *mapfile.Document, a *mapfile.Account, att attachments) {
	if !a.BYOIPOnly {
		return
	}
	if m := att.account; !a.MapsInvalid && (m == nil || m.CanDelete || m.CanModifyIPs) {
		var missing []string
		text := "account %q is byoip_only and has no enabled address map with the account as a member"
		if m != nil {
			if m.CanDelete {
				missing = append(missing, "can_delete: false")
			}
			if m.CanModifyIPs {
				missing = append(missing, "can_modify_ips: false")
			}
			text = "account %q is byoip_only and its account-wide address map lacks " + strings.Join(missing, " and ")
		}
		b.refuse(doc, a.BYOIPPos, "V11", "add an enabled address map with the account as a member, can_delete: false and can_modify_ips: false", text, a.ID)
	}
	for i := range a.Spectrum {
		if app := &a.Spectrum[i]; !app.Static {
			b.refuse(doc, app.TypePos, "V11", "write type: static with ips of the account", "account %q is byoip_only, and the dynamic Spectrum application of %q would be answered with anycast", a.ID, app.Name)
		}
	}
}
