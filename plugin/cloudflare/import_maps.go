package cloudflare

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// addMap puts an address map into its account. The API's address map does not name the
// account.
func (a *assembly) addMap(m apiAddressMap) {
	acc := a.accountOf(m)
	if acc == nil {
		a.addChange(Lost, m.ID, "address map of an account that nothing tells: name it with --account")
		return
	}
	dm := docMap{
		ID: m.ID, Description: a.oneLine(m.ID, "description", m.Description), Enabled: m.Enabled, DefaultSNI: m.DefaultSNI,
		CanDelete: m.CanDelete == nil || *m.CanDelete, CanModifyIPs: m.CanModifyIPs == nil || *m.CanModifyIPs,
		IPs: []string{}, Memberships: []docMember{},
	}
	for _, ip := range m.IPs {
		dm.IPs = append(dm.IPs, string(ip))
		a.addStatic(acc, string(ip))
	}
	account := false
	for _, mem := range m.Memberships {
		if mem.Kind == "zone" && a.zonesByID[mem.Identifier] == nil {
			a.addChange(Lost, m.ID, "membership of zone %s, which is not here: fetch the zone", mem.Identifier)
			continue
		}
		account = account || mem.Kind == "account"
		dm.Memberships = append(dm.Memberships, docMember{mem.Kind, mem.Identifier})
	}
	if account && dm.Enabled && !dm.CanDelete && !dm.CanModifyIPs && len(dm.IPs) > 0 {
		// Cloudflare makes such a map for accounts that may not use its addresses.
		acc.BYOIPOnly = true
		a.addChange(Changed, acc.ID, "byoip_only: its account-wide map %s can be neither deleted nor modified", m.ID)
	}
	if dm.Enabled && len(dm.IPs) == 0 && len(dm.Memberships) > 0 {
		dm.Enabled = false
		a.addChange(Review, m.ID, "address map without addresses became a disabled one: it answers nobody, and a map refuses it (V10)")
	}
	acc.Maps = append(acc.Maps, dm)
}

// accountOf returns the account of a map: the one that it was asked for at, or by its
// members, by its addresses, or because there is only one account.
func (a *assembly) accountOf(m apiAddressMap) *docAccount {
	if id := a.mapAccounts[m.ID]; id != "" {
		return a.doc.account(id)
	}
	for _, mem := range m.Memberships {
		if mem.Kind == "account" {
			return a.doc.account(mem.Identifier)
		}
		if z := a.zonesByID[mem.Identifier]; z != nil {
			return a.accounts[z]
		}
	}
	for _, text := range m.IPs {
		ip, err := netip.ParseAddr(string(text))
		if i := slices.IndexFunc(a.doc.Accounts, func(acc *docAccount) bool { return err == nil && acc.contains(ip) }); i >= 0 {
			return a.doc.Accounts[i]
		}
	}
	switch {
	case a.Import.account != "":
		return a.doc.account(a.Import.account)
	case len(a.doc.Accounts) == 1:
		return a.doc.Accounts[0]
	}
	return nil
}

// addStatic makes an address that lies in no prefix of the account one of its static
// addresses: Cloudflare leases static addresses, and its API has no list of them.
func (a *assembly) addStatic(acc *docAccount, text string) {
	ip, err := netip.ParseAddr(text)
	if err != nil || acc.contains(ip) || slices.Contains(acc.StaticIPs, text) {
		return
	}
	acc.StaticIPs = append(acc.StaticIPs, text)
	a.addChange(Changed, text, "lies in no prefix of account %s that is here: taken for a leased address, under static_ips", acc.ID)
}

// addApp puts a Spectrum application into the account of its zone.
func (a *assembly) addApp(app apiApplication) {
	name, err := fqdn.Parse(app.DNS.Name)
	if err != nil {
		a.addChange(Lost, app.ID, "Spectrum application without a legal name: %v", err)
		return
	}
	z := a.zoneOf(name)
	if strings.Contains("."+string(name), ".*.") {
		a.addChange(Lost, app.DNS.Name, "Spectrum application of a wildcard: a map has applications of exactly one name")
		return
	}
	if z == nil {
		a.addChange(Lost, app.DNS.Name, "Spectrum application in no zone that is here: fetch the zone")
		return
	}
	acc := a.accounts[z]
	var da docApp
	da.DNS.Name, da.EdgeIPs = app.DNS.Name, docEdge{app.EdgeIPs.Type, app.EdgeIPs.Connectivity, app.EdgeIPs.IPs}
	da.DNS.Type = "CNAME"
	switch app.EdgeIPs.Type {
	case "static":
		da.DNS.Type, da.EdgeIPs.Connectivity = "ADDRESS", ""
		for _, ip := range app.EdgeIPs.IPs {
			a.addStatic(acc, ip)
		}
	case "dynamic":
		if acc.BYOIPOnly {
			a.addChange(Lost, app.DNS.Name, "Spectrum application with dynamic addresses, which account %s may not use, as it is byoip_only: give it static ones", acc.ID)
			return
		}
		da.EdgeIPs.IPs = nil
	default:
		a.addChange(Lost, app.DNS.Name, "Spectrum application whose edge_ips have the type %q", app.EdgeIPs.Type)
		return
	}
	if app.DNS.Type != da.DNS.Type {
		a.addChange(Changed, app.DNS.Name, "dns type %s became %s, which is that of %s edge_ips", app.DNS.Type, da.DNS.Type, app.EdgeIPs.Type)
	}
	a.addChange(Review, app.DNS.Name, "Spectrum application %s: its protocol and origin are the edge's to know, and are not in the map", app.Protocol)
	for _, other := range acc.Apps {
		if other.DNS.Name != da.DNS.Name {
			continue
		}
		if !reflect.DeepEqual(other, da) {
			a.addChange(Lost, app.DNS.Name, "the edge_ips of application %s: another of the same name has other ones, and they are the name's", app.Protocol)
		}
		return
	}
	acc.Apps = append(acc.Apps, da)
}
