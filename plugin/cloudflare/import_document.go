package cloudflare

import (
	"cmp"
	"iter"
	"net/netip"
	"strings"
	"unicode"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// assembly is a document under construction.
type assembly struct {
	*Import
	doc         document
	zones       map[fqdn.Name]*docZone
	accounts    map[*docZone]*docAccount
	zonesByID   map[string]*docZone  // :: zone id → zone
	listZones   map[*answer]*docZone // :: page of records or applications → the zone of its list, or nil
	mapAccounts map[string]string    // :: id of an address map → id of the account that it was asked for at
}

// Document returns a document of the added objects. The changes list every object that
// is not in the document, and every value that is a guess. It may be called once.
func (i *Import) Document() ([]byte, []Change, error) {
	a := &assembly{
		Import: i, zones: make(map[fqdn.Name]*docZone), accounts: make(map[*docZone]*docAccount), zonesByID: make(map[string]*docZone),
		listZones: make(map[*answer]*docZone), mapAccounts: make(map[string]string),
	}
	objects := i.merged()
	a.addPrefixes(objects)
	for _, active := range []bool{true, false} { // One that moves between accounts is here twice.
		for z := range valuesOf[apiZone](objects) {
			if active == (cmp.Or(z.Status, "active") == "active") {
				a.addZone(z)
			}
		}
	}
	for _, ans := range i.answers {
		a.listZones[ans] = a.zoneOfAnswer(ans)
		for _, o := range ans.objects {
			if o.kind == addressMapKind && ans.call.account != "" {
				a.mapAccounts[o.id] = ans.call.account
			}
		}
	}
	a.judgeLists()
	a.addRecords(objects)
	for m := range valuesOf[apiAddressMap](objects) {
		a.addMap(m)
	}
	for app := range valuesOf[apiApplication](objects) {
		a.addApp(app)
	}
	text, err := a.doc.text()
	return text, i.changes, err
}

// valuesOf returns the objects with fields of one type.
func valuesOf[T any](objects []object) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, o := range objects {
			if v, ok := o.value.(*T); ok && !yield(*v) {
				return
			}
		}
	}
}

// addPrefixes puts the prefixes and delegations into their accounts.
func (a *assembly) addPrefixes(objects []object) {
	accounts := make(map[string]string) // :: id of a prefix → id of its account
	for p := range valuesOf[apiPrefix](objects) {
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
	for b := range valuesOf[apiBGPPrefix](objects) {
		a.addBGP(b)
	}
	for d := range valuesOf[apiDelegation](objects) {
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

// addZone puts a zone into its account.
func (a *assembly) addZone(z apiZone) {
	name, err := fqdn.Parse(z.Name)
	if err != nil || z.Account.ID == "" {
		a.addChange(Lost, z.Name, "zone without a legal name or an account")
		return
	}
	if other := a.zones[name]; other != nil {
		a.addChange(Lost, z.Name, "zone of account %s: it is here already, of account %s", z.Account.ID, a.accounts[other].ID)
		return
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
	if acc.Name == "" {
		acc.Name = a.oneLine(acc.ID, "name", z.Account.Name)
	}
	dz := &docZone{Name: z.Name, ID: z.ID}
	acc.Zones = append(acc.Zones, dz)
	a.zones[name], a.accounts[dz] = dz, acc
	if z.ID != "" {
		a.zonesByID[z.ID] = dz
	}
}

// oneLine returns a text for people with blanks in the place of control characters, which
// no document may have (V1).
func (a *assembly) oneLine(of, key, text string) string {
	line := strings.Join(strings.FieldsFunc(text, unicode.IsControl), " ")
	if line != text {
		a.addChange(Changed, of, "the control characters in its %s became blanks", key)
	}
	return line
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
