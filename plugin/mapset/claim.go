package mapset

import (
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// claim is who holds something of which there is only one, and since where.
type claim struct {
	*claimant
	pos        mapfile.Pos
	advertised bool // of a prefix
}

// claimant is an account in the document where it stands.
type claimant struct{ account, file string }

// at prints where the claim stands, for the complaint of a second one.
func (c claim) at() string { return fmt.Sprintf("%s:%d:%d", c.file, c.pos.Line, c.pos.Col) }

// registry is what of all documents may be there only once (V4), but for zones, and
// the address space of all accounts (V6). What comes first keeps its claim.
type registry struct {
	accounts claims[string]
	maps     claims[string] // :: id → its map
	apps     claims[fqdn.Name]
	statics  claims[netip.Addr]
	own      *bart.Table[claim] // prefixes
	lent     *bart.Table[claim] // delegated_prefixes
}

func newRegistry() *registry {
	return &registry{
		own:  new(bart.Table[claim]),
		lent: new(bart.Table[claim]),
	}
}

// clone returns a registry that can be changed without changing r.
func (r *registry) clone() *registry {
	return &registry{
		accounts: r.accounts.clone(),
		maps:     r.maps.clone(),
		apps:     r.apps.clone(),
		statics:  r.statics.clone(),
		own:      r.own.Clone(),
		lent:     r.lent.Clone(),
	}
}

// settle is to be called when no more changes.
func (r *registry) settle() {
	r.accounts.settle()
	r.maps.settle()
	r.apps.settle()
	r.statics.settle()
}

// remove takes out all that a document in force claims.
func (r *registry) remove(doc *mapfile.Document) {
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		r.accounts.drop(a.ID)
		for j := range a.Maps {
			r.maps.drop(a.Maps[j].ID)
		}
		for j := range a.Spectrum {
			r.apps.drop(a.Spectrum[j].Name)
		}
		for _, p := range a.Prefixes {
			r.own.Delete(p.CIDR)
		}
		for _, p := range a.Delegated {
			r.lent.Delete(p.CIDR)
		}
		for _, ip := range a.StaticIPs {
			r.statics.drop(ip.IP)
		}
	}
}

// holder knows who holds what.
type holder[K comparable] interface {
	get(K) (claim, bool)
	put(K, claim)
}

// zoneClaims is who holds the zones. That the atlas has them is claim enough, and
// nothing need be kept beside it.
type zoneClaims struct {
	atlas   *atlas
	changed map[fqdn.Name]claim // of the documents that are to be compiled
}

func (z *zoneClaims) get(apex fqdn.Name) (claim, bool) {
	if c, ok := z.changed[apex]; ok {
		return c, true
	}
	r, ok := z.atlas.find(apex)
	if !ok {
		return claim{}, false
	}
	p := r.place()
	return claim{claimant: &claimant{p.account().id, p.block.file}, pos: p.block.facts[p.number].pos}, true
}

func (z *zoneClaims) put(apex fqdn.Name, by claim) { z.changed[apex] = by }

// take enters key and reports true, or complains that it is taken.
func take[K comparable](b *builder, doc *mapfile.Document, in holder[K], key K, by *claimant, pos mapfile.Pos, what, remedy string) bool {
	first, taken := in.get(key)
	if taken {
		b.refuse(doc, pos, "V4", remedy, "%s is there already, at %s", fmt.Sprintf(what, key), first.at())
		return false
	}
	in.put(key, claim{claimant: by, pos: pos})
	return true
}

// names enters what the document claims by name (V4).
func (b *builder) names(doc *mapfile.Document) {
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		by := &claimant{a.ID, doc.Name}
		b.claimants[a] = by
		unique := a.ID != "" && take(b, doc, &b.reg.accounts, a.ID, by, a.Pos, "account %q", "write the account once, or give one of the two another id")
		for j := range a.Zones {
			take(b, doc, &b.zones, a.Zones[j].Name, by, a.Zones[j].Pos, "zone %q", "keep the zone in one account, once")
		}
		for j := range a.Maps {
			m := &a.Maps[j]
			if !unique && madeUp(a.ID, m.ID) {
				continue // It would be there already because the account is.
			}
			take(b, doc, &b.reg.maps, m.ID, by, m.Pos, "address map %q", "give one of the two another id")
		}
		for j := range a.Spectrum {
			take(b, doc, &b.reg.apps, a.Spectrum[j].Name, by, a.Spectrum[j].Pos, "a Spectrum application of %q", "keep one application of the name")
		}
	}
}

// isFirst reports whether z keeps the claim of its name.
func (b *builder) isFirst(doc *mapfile.Document, z *mapfile.Zone) bool {
	if b.unchanged {
		return true
	}
	c, ok := b.zones.get(z.Name)
	return ok && c.file == doc.Name && c.pos == z.Pos
}
