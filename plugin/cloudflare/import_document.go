package cloudflare

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// assembly is a document under construction.
type assembly struct {
	*Import
	doc       document
	zones     map[fqdn.Name]*docZone
	accounts  map[*docZone]*docAccount
	zonesByID map[string]*docZone // :: zone id → zone
}

// Document returns a document of the added objects. The changes list every object that
// is not in the document, and every value that is a guess.
func (i *Import) Document() ([]byte, []Change, error) {
	a := &assembly{Import: i, zones: make(map[fqdn.Name]*docZone), accounts: make(map[*docZone]*docAccount), zonesByID: make(map[string]*docZone)}
	a.missingPages()
	a.addPrefixes()
	a.addZones()
	a.addRecords()
	for _, m := range i.maps {
		a.addMap(m)
	}
	for _, app := range i.apps {
		a.addApp(app)
	}
	text, err := a.doc.text()
	return text, i.changes, err
}

// missingPages adds a change for each list of which a page is missing.
func (a *assembly) missingPages() {
	sets := slices.SortedFunc(maps.Keys(a.pageCounts), func(x, y pageSet) int {
		return cmp.Or(strings.Compare(string(x.kind), string(y.kind)), x.total-y.total)
	})
	for _, p := range sets {
		if count := a.pageCounts[p]; count%p.total != 0 {
			a.addChange(Lost, string(p.kind)+"s", "%d of %d are here: fetch the other pages of the list", count, p.total)
		}
	}
}

// addPrefixes puts the prefixes and delegations into their accounts.
func (a *assembly) addPrefixes() {
	accounts := make(map[string]string) // :: id of a prefix → id of its account
	for _, p := range a.prefixes {
		if p.AccountID == "" {
			a.addChange(Lost, p.CIDR, "prefix without an account_id")
			continue
		}
		accounts[p.ID] = p.AccountID
		if p.Approved == "P" {
			a.addChange(Review, p.CIDR, "prefix that Cloudflare has not approved yet")
		}
		acc := a.doc.account(p.AccountID)
		acc.Prefixes = append(acc.Prefixes, &docPrefix{p.CIDR, p.Advertised == nil || *p.Advertised})
	}
	for _, b := range a.bgp {
		a.addBGP(b)
	}
	for _, d := range a.delegations {
		if accounts[d.ParentPrefixID] == "" {
			a.addChange(Lost, d.CIDR, "delegation to account %s of prefix %s, which is not here: fetch the prefix", d.DelegatedAccountID, d.ParentPrefixID)
			continue
		}
		acc := a.doc.account(d.DelegatedAccountID)
		acc.Delegated = append(acc.Delegated, d.CIDR)
	}
}

// addBGP sets whether a prefix, or the part of a prefix that the BGP prefix is, is
// advertised.
func (a *assembly) addBGP(b apiBGPPrefix) {
	cidr, err := netip.ParsePrefix(b.CIDR)
	for _, acc := range a.doc.Accounts {
		for _, p := range acc.Prefixes {
			whole, perr := netip.ParsePrefix(p.CIDR)
			if err != nil || perr != nil || !whole.Contains(cidr.Addr()) || whole.Bits() > cidr.Bits() {
				continue
			}
			switch advertised := b.OnDemand.Advertised == nil || *b.OnDemand.Advertised; {
			case whole == cidr:
				p.Advertised = advertised
			case advertised != p.Advertised:
				acc.Prefixes = append(acc.Prefixes, &docPrefix{b.CIDR, advertised})
			}
			return
		}
	}
	a.addChange(Lost, b.CIDR, "BGP prefix of a prefix that is not here: fetch the prefix")
}

// addZones puts the zones into their accounts.
func (a *assembly) addZones() {
	for _, z := range a.Import.zones {
		name, err := fqdn.Parse(z.Name)
		if err != nil || z.Account.ID == "" {
			a.addChange(Lost, z.Name, "zone without a legal name or an account")
			continue
		}
		if z.Status != "" && z.Status != "active" {
			a.addChange(Review, z.Name, "zone is %s: Cloudflare answers its origins until it is active, and here its marks count", z.Status)
		}
		if z.Paused {
			a.addChange(Review, z.Name, "zone is paused: Cloudflare answers its origins, and here its marks count")
		}
		if z.Type != "" && z.Type != "full" {
			a.addChange(Review, z.Name, "zone is of type %s: its DNS is not wholly Cloudflare's", z.Type)
		}
		acc := a.doc.account(z.Account.ID)
		acc.Name = z.Account.Name
		dz := &docZone{Name: z.Name, ID: z.ID}
		acc.Zones = append(acc.Zones, dz)
		a.zones[name], a.accounts[dz] = dz, acc
		if z.ID != "" {
			a.zonesByID[z.ID] = dz
		}
	}
}

// zoneOf returns the deepest zone that encloses a name, or nil.
func (a *assembly) zoneOf(name fqdn.Name) *docZone {
	for ok := true; ok; name, ok = name.Parent() {
		if z := a.zones[name]; z != nil {
			return z
		}
	}
	return nil
}
