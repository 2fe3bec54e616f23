package mapfile

import (
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// accounts reads the list of accounts. An account whose id is refused stays in the
// document, so that the rest of the account is checked.
func (d *decoder) accounts(n *node) {
	d.doc.AccountsInvalid = n != nil && n.kind != kindList
	d.zonesLost = d.zonesLost || d.doc.AccountsInvalid
	d.accountList(d.list(n, "accounts"))
}

// accountList reads items of the list of accounts.
func (d *decoder) accountList(items []node) {
	d.doc.Accounts = slices.Grow(d.doc.Accounts, len(items))
	for i := range items {
		o, ok := d.object(&items[i], &accountKeys)
		if !ok {
			d.doc.AccountsInvalid = true
			continue
		}
		a := d.account(&o)
		d.doc.AccountsInvalid = d.doc.AccountsInvalid || a.ID == ""
		d.doc.Accounts = append(d.doc.Accounts, a)
	}
}

// account reads one account.
func (d *decoder) account(o *object) Account {
	a := Account{Pos: o.node.pos}
	if n := d.required(o, "id"); n != nil {
		a.Pos = n.pos
		a.ID, _ = d.text(n, "id")
	}
	a.Name = d.optionalText(o.get("name"), "name")
	a.BYOIPPos = o.keyPos("byoip_only")
	if n := o.get("byoip_only"); n != nil {
		a.BYOIPOnly, a.BYOIPPos = d.flag(n, "byoip_only", false), n.pos
	}
	before := d.errorCount()
	a.Prefixes = d.prefixes(o.get("prefixes"), "prefixes", true)
	a.Delegated = d.prefixes(o.get("delegated_prefixes"), "delegated_prefixes", false)
	a.StaticIPs = d.addrs(o.get("static_ips"), "static_ips", false)
	a.SpaceInvalid = d.errorCount() > before
	d.zones(&a, o.get("zones"))
	before = d.errorCount()
	d.addressMaps(&a, o.get("address_maps"))
	a.MapsInvalid = d.errorCount() > before
	d.spectrumApps(&a, o.get("spectrum_apps"))
	return a
}

// zones reads the zones of a.
func (d *decoder) zones(a *Account, n *node) {
	items := d.list(n, "zones")
	a.ZonesInvalid = n != nil && n.kind != kindList
	d.zonesLost = d.zonesLost || a.ZonesInvalid
	if len(items) == 0 {
		return
	}
	a.Zones = make([]Zone, 0, len(items))
	for i := range items {
		o, ok := d.object(&items[i], &zoneKeys)
		if !ok {
			a.ZonesInvalid = true
			continue
		}
		z := d.zone(a, &o)
		if z.Name == "" {
			a.ZonesInvalid, d.zonesLost = true, true
			continue
		}
		a.Zones = append(a.Zones, z)
	}
}

// zone reads one zone of a; Name is empty if the name is refused.
func (d *decoder) zone(a *Account, o *object) Zone {
	z := Zone{Pos: o.node.pos, IDPos: o.keyPos("id"), ZoneFilePos: o.keyPos("zone_file")}
	if n := d.required(o, "name"); n != nil {
		z.Pos = n.pos
		z.Name = d.zoneName(n)
	}
	if n := o.get("id"); n != nil {
		var ok bool
		z.IDPos = n.pos
		if z.ID, ok = d.text(n, "id"); !ok {
			a.ZonesInvalid = true
		}
	}
	z.IPv6 = d.flag(o.get("ipv6"), "ipv6", true)
	before := d.errorCount()
	d.marks(&z, o.get("proxied"))
	z.MarksInvalid = d.errorCount() > before
	if n := o.get("zone_file"); n != nil {
		z.ZoneFilePos = n.pos
		z.ZoneFile, _ = d.text(n, "zone_file")
	}
	z.ProxiedDefault = d.flag(o.get("proxied_default"), "proxied_default", false)
	return z
}

// zoneName reads the name of a zone, or returns "".
func (d *decoder) zoneName(n *node) fqdn.Name {
	s, ok := d.text(n, "name")
	if !ok {
		return ""
	}
	name, ok := d.ownerName(n, s, "")
	if ok && hasWildcard(name) {
		d.refuse(n.pos, "V3", `write the zone's own name, and "*" under "proxied"`, "zone name %s has a wildcard label", quoted(s))
		return ""
	}
	return name
}

// marks reads which names of z are proxied. In a zone whose own name is refused the
// marks are still read, for their errors.
func (d *decoder) marks(z *Zone, n *node) {
	if n == nil {
		return
	}
	if n.kind == kindText && n.text == "all" {
		z.All = true
		return
	}
	if n.kind != kindList {
		d.refuse(n.pos, "V1", `write all, or a list such as ["@", www]`, `"proxied" must be all or a list, not %s`, shownValue(n))
		return
	}
	z.Marks = make([]Mark, 0, len(n.children))
	first := make(map[fqdn.Name]Pos, len(n.children))
	for i := range n.children {
		m, ok := d.mark(&n.children[i], z.Name)
		if !ok || z.Name == "" {
			continue
		}
		if at, dup := first[m.Owner]; dup {
			d.refuse(m.Pos, "V14", "keep one of the two", "name %q is marked twice in its zone, first in line %d", m.Owner, at.Line)
			continue
		}
		first[m.Owner] = m.Pos
		z.Marks = append(z.Marks, m)
	}
}

// mark reads one entry of "proxied".
func (d *decoder) mark(n *node, zone fqdn.Name) (Mark, bool) {
	m := Mark{Proxied: true}
	read, key := d.itemText, "proxied"
	if n.kind == kindMap {
		read, key = d.text, "name"
		o, _ := d.object(n, &markKeys)
		m.Proxied = d.flag(o.get("proxied"), "proxied", true)
		m.V4Only = d.flag(o.get("ipv4_only"), "ipv4_only", false)
		m.V6Only = d.flag(o.get("ipv6_only"), "ipv6_only", false)
		if m.V4Only && m.V6Only {
			d.refuse(o.get("ipv6_only").pos, "V14", "keep one of the two: without either, both families are answered", `"ipv4_only" and "ipv6_only" together leave no address`)
		}
		if n = d.required(&o, "name"); n == nil {
			return m, false
		}
	}
	m.Pos = n.pos
	s, ok := read(n, key)
	if !ok {
		return m, false
	}
	if s == "@" && zone == "" {
		return m, true // The mark has no name, because the zone's name was refused.
	}
	m.Owner, ok = d.ownerName(n, s, zone)
	if ok && !onlyLeftmost(m.Owner) {
		d.refuse(n.pos, "V3", `write "*" as the first label only, as in "*.shop"`, "wildcard in %s is not the leftmost label", quoted(s))
		return m, false
	}
	return m, ok
}
