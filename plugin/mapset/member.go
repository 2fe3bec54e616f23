package mapset

import (
	"cmp"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// attachments is which enabled address map answers for what of one account.
type attachments struct {
	account *mapfile.AddressMap
	zones   map[fqdn.Name]*mapfile.AddressMap
	owners  map[fqdn.Name]*mapfile.AddressMap // :: name or wildcard
	ofZone  map[fqdn.Name][]nameMember        // :: zone → memberships of its names, those of disabled maps too

	names map[fqdn.Name]fqdn.Name // the account's zones, each to itself as its document has it
	ids   map[string]fqdn.Name    // :: id of a zone → its apex

	// A membership of an enabled map was refused, or its addresses are missing:
	// whether a zone or the account lacks a map cannot be told.
	incomplete bool
}

// attach resolves the memberships of the account's maps (V8), refuses two
// enabled maps of one member (V9), and enabled maps that could not answer (V10).
func (b *builder) attach(doc *mapfile.Document, a *mapfile.Account) *attachments {
	att := &attachments{
		zones:  make(map[fqdn.Name]*mapfile.AddressMap),
		owners: make(map[fqdn.Name]*mapfile.AddressMap),
		ofZone: make(map[fqdn.Name][]nameMember),
		names:  make(map[fqdn.Name]fqdn.Name, len(a.Zones)),
		ids:    make(map[string]fqdn.Name),
	}
	for i := range a.Zones {
		z := &a.Zones[i]
		att.names[z.Name] = z.Name
		if z.ID == "" {
			continue
		}
		if other, taken := att.ids[z.ID]; taken && other != z.Name {
			b.refuse(doc, z.IDPos, "V4", "write the id that each of the two has", "zone %q has the id %q already", other, z.ID)
			continue
		}
		att.ids[z.ID] = z.Name
	}
	for i := range a.Maps {
		m := &a.Maps[i]
		b.unlikely(doc, m)
		for _, mem := range m.Members {
			switch mem.Kind {
			case mapfile.MemberAccount:
				b.attachAccount(doc, a, m, mem, att)
			case mapfile.MemberZone:
				b.attachZone(doc, a, m, mem, att)
			case mapfile.MemberName:
				b.attachName(doc, a, m, mem, att)
			}
		}
		if m.Enabled && len(m.Members) > 0 && len(m.IPs) == 0 && !m.IPsInvalid {
			b.refuse(doc, m.Pos, "V10", "add ips, or disable the map", "address map %q is enabled and has members, but no address", m.ID)
			att.incomplete = true
		}
	}
	return att
}

func (b *builder) attachAccount(doc *mapfile.Document, a *mapfile.Account, m *mapfile.AddressMap, mem mapfile.Member, att *attachments) {
	switch {
	case a.ID == "":
		att.incomplete = true // What the membership names cannot be told right or wrong.
	case mem.Identifier != a.ID:
		att.incomplete = att.incomplete || m.Enabled
		b.refuse(doc, mem.Pos, "V8", "write the id of the map's own account: "+a.ID, "account %q is not the account of address map %q", mem.Identifier, m.ID)
	case !m.Enabled || att.account == m:
	case att.account != nil:
		b.refuse(doc, mem.Pos, "V9", "disable one of the two, or take the membership off it", "account %q is a member of the enabled address map %q already", a.ID, att.account.ID)
	default:
		att.account = m
	}
}

func (b *builder) attachZone(doc *mapfile.Document, a *mapfile.Account, m *mapfile.AddressMap, mem mapfile.Member, att *attachments) {
	name, known := att.zone(mem.Identifier)
	switch {
	case !known:
		att.incomplete = att.incomplete || m.Enabled
		if !a.ZonesInvalid {
			b.refuse(doc, mem.Pos, "V8", b.zoneRemedy(a, mem.Identifier), "%q is no zone of account %q", mem.Identifier, a.ID)
		}
	case !m.Enabled || att.zones[name] == m:
	case att.zones[name] != nil:
		b.refuse(doc, mem.Pos, "V9", "disable one of the two, or take the membership off it", "zone %q is a member of the enabled address map %q already", name, att.zones[name].ID)
	default:
		att.zones[name] = m
	}
}

func (b *builder) zoneRemedy(a *mapfile.Account, identifier string) string {
	const few = 5 // zones that a line can name
	remedy := "write the name or id of a zone of the account"
	if n := len(a.Zones); n > 0 && n <= few {
		names := make([]string, n)
		for i := range a.Zones {
			names[i] = string(a.Zones[i].Name)
		}
		remedy += ": " + strings.Join(names, ", ")
	}
	if n, err := fqdn.Parse(identifier); err == nil {
		if c, ok := b.zoneClaim(n); ok && c.account != a.ID {
			remedy += "; this one is of account " + c.account
		}
	}
	return remedy
}

// zone finds the zone of the account that an identifier means: by its name, in
// any form, or by its id.
func (att *attachments) zone(identifier string) (fqdn.Name, bool) {
	if n, err := fqdn.Parse(identifier); err == nil {
		if own, ok := att.names[n]; ok {
			return own, true
		}
	}
	n, ok := att.ids[identifier]
	return n, ok
}

// member is a membership in the one form in which they can be compared.
type member struct {
	kind mapfile.MemberKind
	name fqdn.Name // the apex of a zone, or a name; "" of the account
}

// memberAccount is the membership of a map's own account.
var memberAccount = member{kind: mapfile.MemberAccount}

// member returns a membership in that form.
func (att *attachments) member(mem mapfile.Member) member {
	switch mem.Kind {
	case mapfile.MemberAccount:
		return memberAccount
	case mapfile.MemberName:
		return member{mem.Kind, mem.Name}
	}
	n, _ := att.zone(mem.Identifier)
	return member{mem.Kind, n}
}

func (m member) compare(o member) int {
	return cmp.Or(cmp.Compare(m.kind, o.kind), cmp.Compare(m.name, o.name))
}

// unlikely warns of maps that answer for nothing and look as if they were meant to.
func (b *builder) unlikely(doc *mapfile.Document, m *mapfile.AddressMap) {
	switch {
	case m.MembersInvalid:
	case len(m.Members) == 0:
		b.warn(doc, m.Pos, "address map %q has no members", m.ID)
	case !m.Enabled:
		b.warn(doc, m.Pos, "address map %q has members and is disabled: enabled is false or absent", m.ID)
	}
}
