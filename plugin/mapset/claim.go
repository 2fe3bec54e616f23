package mapset

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// claim is who holds something of which there is only one, and since where.
type claim struct {
	account    string
	file       string
	pos        mapfile.Pos
	advertised bool // of a prefix
}

// at prints where the claim stands, for the complaint of a second one.
func (c claim) at() string { return fmt.Sprintf("%s:%d:%d", c.file, c.pos.Line, c.pos.Col) }

// registry is what of all documents may be there only once (V4), and the
// address space of all accounts (V6). What comes first keeps its claim.
type registry struct {
	accounts map[string]claim
	maps     map[string]claim // :: id as written → its map
	zones    map[fqdn.Name]claim
	apps     map[fqdn.Name]claim
	statics  map[netip.Addr]claim
	own      *bart.Table[claim] // prefixes
	lent     *bart.Table[claim] // delegated_prefixes
}

func newRegistry() *registry {
	return &registry{
		accounts: make(map[string]claim),
		maps:     make(map[string]claim),
		zones:    make(map[fqdn.Name]claim),
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
		zones:    maps.Clone(r.zones),
		apps:     maps.Clone(r.apps),
		statics:  maps.Clone(r.statics),
		own:      r.own.Clone(),
		lent:     r.lent.Clone(),
	}
}

// take enters key, or complains that it is taken.
func take[K comparable](b *builder, doc *mapfile.Document, in map[K]claim, key K, account string, pos mapfile.Pos, what, remedy string) {
	first, taken := in[key]
	if !taken {
		in[key] = claim{account: account, file: doc.Name, pos: pos}
		return
	}
	b.refuse(doc, pos, "V4", remedy, "%s is there already, at %s", what, first.at())
}

// names enters what the document claims by name (V4).
func (b *builder) names(doc *mapfile.Document) {
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		if a.ID != "" {
			take(b, doc, b.reg.accounts, a.ID, a.ID, a.Pos, fmt.Sprintf("account %q", a.ID), "write the account once, or give one of the two another id")
		}
		for j := range a.Zones {
			z := &a.Zones[j]
			take(b, doc, b.reg.zones, z.Name, a.ID, z.Pos, fmt.Sprintf("zone %q", z.Name), "keep the zone in one account, once")
		}
		for j := range a.Maps {
			m := &a.Maps[j]
			take(b, doc, b.reg.maps, m.ID, a.ID, m.Pos, fmt.Sprintf("address map %q", m.ID), "give one of the two another id")
		}
		for j := range a.Spectrum {
			app := &a.Spectrum[j]
			take(b, doc, b.reg.apps, app.Name, a.ID, app.Pos, fmt.Sprintf("a Spectrum application of %q", app.Name), "keep one application of the name")
		}
	}
}

// space enters the prefixes and static addresses of all documents and judges
// them (V6). A delegated prefix may come before the one that it is a part of,
// so that the prefixes go in first.
func (b *builder) space(docs []*mapfile.Document) {
	each := func(enter func(*mapfile.Document, *mapfile.Account)) {
		for _, doc := range docs {
			for i := range doc.Accounts {
				enter(doc, &doc.Accounts[i])
			}
		}
	}
	each(b.ownPrefixes)
	each(b.lentPrefixes)
	each(b.staticIPs)
}

// lenders checks that the delegated prefixes of the documents are lent, unless
// one of them may be a lender of which part was refused.
func (b *builder) lenders(docs []*mapfile.Document) {
	for _, d := range docs {
		if d.AccountsInvalid || slices.ContainsFunc(d.Accounts, func(a mapfile.Account) bool { return a.SpaceInvalid }) {
			return
		}
	}
	for _, d := range docs {
		for i := range d.Accounts {
			b.lent(d, &d.Accounts[i])
		}
	}
}

const overlapRemedy = "take the prefix off one of the two; what one account lends to another stands under delegated_prefixes of the borrower"

func (b *builder) ownPrefixes(doc *mapfile.Document, a *mapfile.Account) {
	for _, p := range a.Prefixes {
		if other, q, ok := overlap(b.reg.own, p.CIDR, a.ID); ok {
			b.refuse(doc, p.Pos, "V6", overlapRemedy, "prefix %s overlaps with %s of account %q, at %s", p.CIDR, q, other.account, other.at())
			continue
		}
		if other, q, ok := around(b.reg.lent, p.CIDR, a.ID); ok && q != p.CIDR {
			b.refuse(doc, p.Pos, "V6", overlapRemedy, "prefix %s lies in %s, which is delegated to account %q at %s", p.CIDR, q, other.account, other.at())
			continue
		}
		b.reg.own.Insert(p.CIDR, claim{a.ID, doc.Name, p.Pos, p.Advertised})
	}
}

// lentPrefixes enters the delegated prefixes of an account. One may lie inside
// a prefix of another account, which then lends it; any other overlap of two
// accounts is refused.
func (b *builder) lentPrefixes(doc *mapfile.Document, a *mapfile.Account) {
	for _, p := range a.Delegated {
		if other, q, ok := overlap(b.reg.lent, p.CIDR, a.ID); ok {
			b.refuse(doc, p.Pos, "V6", "delegate the space to one account", "delegated prefix %s overlaps with %s, which is delegated to account %q at %s", p.CIDR, q, other.account, other.at())
			continue
		}
		if other, q, ok := inside(b.reg.own, p.CIDR, a.ID); ok && q != p.CIDR {
			b.refuse(doc, p.Pos, "V6", overlapRemedy, "delegated prefix %s is larger than %s of account %q, at %s", p.CIDR, q, other.account, other.at())
			continue
		}
		b.reg.lent.Insert(p.CIDR, claim{a.ID, doc.Name, p.Pos, true})
	}
}

// lent complains about delegated prefixes that no other account lends.
func (b *builder) lent(doc *mapfile.Document, a *mapfile.Account) {
	for _, p := range a.Delegated {
		if _, _, ok := around(b.reg.own, p.CIDR, a.ID); ok {
			continue
		}
		if _, _, larger := inside(b.reg.own, p.CIDR, a.ID); larger {
			continue // said already
		}
		b.refuse(doc, p.Pos, "V6", "write the prefix around it under prefixes of the account that lends it", "delegated prefix %s is lent by no other account", p.CIDR)
	}
}

func (b *builder) staticIPs(doc *mapfile.Document, a *mapfile.Account) {
	for _, ip := range a.StaticIPs {
		first, taken := b.reg.statics[ip.IP]
		if taken && first.account != a.ID {
			b.refuse(doc, ip.Pos, "V6", "lease the address to one account", "static address %s is leased to account %q already, at %s", ip.IP, first.account, first.at())
			continue
		}
		b.reg.statics[ip.IP] = claim{account: a.ID, file: doc.Name, pos: ip.Pos}
	}
}

// overlap returns a prefix of another account that shares addresses with p.
func overlap(t *bart.Table[claim], p netip.Prefix, account string) (claim, netip.Prefix, bool) {
	if c, q, ok := around(t, p, account); ok {
		return c, q, true
	}
	return inside(t, p, account)
}

// around returns a prefix of another account that holds all of p.
func around(t *bart.Table[claim], p netip.Prefix, account string) (claim, netip.Prefix, bool) {
	for q, c := range t.Supernets(p) {
		if c.account != account {
			return c, q, true
		}
	}
	return claim{}, netip.Prefix{}, false
}

// inside returns a prefix of another account that lies in p, the first by
// position so that the complaint is the same each time.
func inside(t *bart.Table[claim], p netip.Prefix, account string) (claim, netip.Prefix, bool) {
	var best claim
	var at netip.Prefix
	for q, c := range t.Subnets(p) {
		if c.account == account {
			continue
		}
		if !at.IsValid() || cmp.Or(cmp.Compare(c.file, best.file), cmp.Compare(c.pos.Line, best.pos.Line), cmp.Compare(c.pos.Col, best.pos.Col)) < 0 {
			best, at = c, q
		}
	}
	return best, at, at.IsValid()
}

// holds reports whether the account may answer with ip (V5).
func (r *registry) holds(account string, ip netip.Addr) bool {
	if c, ok := r.statics[ip]; ok && c.account == account {
		return true
	}
	host := netip.PrefixFrom(ip, ip.BitLen())
	for _, t := range []*bart.Table[claim]{r.own, r.lent} {
		for _, c := range t.Supernets(host) {
			if c.account == account {
				return true
			}
		}
	}
	return false
}

// usable leaves out the addresses that lie in a withdrawn prefix. The longest
// prefix decides, whichever account it is of: a delegated address is gone when
// the lender withdraws the prefix around it.
func (r *registry) usable(ips []mapfile.Addr) []netip.Addr {
	out := make([]netip.Addr, 0, len(ips))
	for _, a := range ips {
		if c, ok := r.own.Lookup(a.IP); !ok || c.advertised {
			out = append(out, a.IP)
		}
	}
	return out
}
