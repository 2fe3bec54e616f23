package mapset

import (
	"fmt"
	"maps"
	"net/netip"

	"github.com/gaissmai/bart"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// claim is which account, in which document, holds something of which there is only one,
// and where it stands.
type claim struct {
	account, file string
	pos           mapfile.Pos
	advertised    bool // of a prefix
}

// at prints where the claim stands, for the complaint of a second one.
func (c claim) at() string { return fmt.Sprintf("%s:%d:%d", c.file, c.pos.Line, c.pos.Col) }

// registry is what of all documents may be there only once (V4), but for zones, and
// the address space of all accounts (V6). What comes first keeps its claim.
type registry struct {
	accounts map[string]claim
	maps     map[string]claim // :: id → its map
	apps     map[fqdn.Name]claim
	statics  map[netip.Addr]claim
	own      *bart.Table[claim] // prefixes
	lent     *bart.Table[claim] // delegated_prefixes
}

func newRegistry() *registry {
	return &registry{
		accounts: make(map[string]claim),
		maps:     make(map[string]claim),
		apps:     make(map[fqdn.Name]claim),
		statics:  make(map[netip.Addr]claim),
		own:      new(bart.Table[claim]),
		lent:     new(bart.Table[claim]),
	}
}

// clone returns a registry that can be changed without changing r.
func (r *registry) clone() *registry {
	return &registry{
		accounts: maps.Clone(r.accounts),
		maps:     maps.Clone(r.maps),
		apps:     maps.Clone(r.apps),
		statics:  maps.Clone(r.statics),
		own:      r.own.Clone(),
		lent:     r.lent.Clone(),
	}
}

// remove takes out all that a document in force claims.
func (r *registry) remove(doc *mapfile.Document) {
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		delete(r.accounts, a.ID)
		for j := range a.Maps {
			delete(r.maps, a.Maps[j].ID)
		}
		for j := range a.Spectrum {
			delete(r.apps, a.Spectrum[j].Name)
		}
		for _, p := range a.Prefixes {
			r.own.Delete(p.CIDR)
		}
		for _, p := range a.Delegated {
			r.lent.Delete(p.CIDR)
		}
		for _, ip := range a.StaticIPs {
			delete(r.statics, ip.IP)
		}
	}
}

// zoneClaim returns who has the zone: one of the documents that are to be compiled, or
// one in force.
func (b *builder) zoneClaim(apex fqdn.Name) (claim, bool) {
	if c, ok := b.zones[apex]; ok {
		return c, true
	}
	if z := b.snap.zones[apex]; z != nil {
		return claim{account: z.account.id, file: z.account.file, pos: z.pos}, true
	}
	return claim{}, false
}

// take enters key and reports true, or complains that it is taken.
func take[K comparable](b *builder, doc *mapfile.Document, in map[K]claim, key K, a *mapfile.Account, pos mapfile.Pos, what, remedy string) bool {
	if first, taken := in[key]; taken {
		b.refuse(doc, pos, "V4", remedy, "%s is there already, at %s", fmt.Sprintf(what, key), first.at())
		return false
	}
	in[key] = claim{account: a.ID, file: doc.Name, pos: pos}
	return true
}

// names enters what the document claims by name (V4).
func (b *builder) names(doc *mapfile.Document) {
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		unique := a.ID != "" && take(b, doc, b.reg.accounts, a.ID, a, a.Pos, "account %q", "write the account once, or give one of the two another id")
		for j := range a.Zones {
			z := &a.Zones[j]
			if c, taken := b.zoneClaim(z.Name); taken {
				b.zones[z.Name] = c // also if a document in force has it
			}
			take(b, doc, b.zones, z.Name, a, z.Pos, "zone %q", "keep the zone in one account, once")
		}
		for j := range a.Maps {
			m := &a.Maps[j]
			if !unique && madeUp(a.ID, m.ID) {
				continue // It would be there already because the account is.
			}
			take(b, doc, b.reg.maps, m.ID, a, m.Pos, "address map %q", "give one of the two another id")
		}
		for j := range a.Spectrum {
			take(b, doc, b.reg.apps, a.Spectrum[j].Name, a, a.Spectrum[j].Pos, "a Spectrum application of %q", "keep one application of the name")
		}
	}
}

// isFirst reports whether z keeps the claim of its name.
func (b *builder) isFirst(doc *mapfile.Document, z *mapfile.Zone) bool {
	if b.last != nil {
		return true
	}
	c, ok := b.zoneClaim(z.Name)
	return ok && c.file == doc.Name && c.pos == z.Pos
}
