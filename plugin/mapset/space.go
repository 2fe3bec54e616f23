package mapset

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// space enters the prefixes and static addresses of documents and judges those
// of one kind against each other (V6). Whether delegated prefixes are lent is
// for [builder.lenders] to say, when all are in.
func (b *builder) space(docs []*mapfile.Document) {
	for _, doc := range docs {
		for i := range doc.Accounts {
			a := &doc.Accounts[i]
			b.ownPrefixes(doc, a)
			b.lentPrefixes(doc, a)
			b.staticIPs(doc, a)
		}
	}
}

func (b *builder) ownPrefixes(doc *mapfile.Document, a *mapfile.Account) {
	for _, p := range a.Prefixes {
		if other, q, ok := overlap(b.reg.own, p.CIDR, a.ID); ok {
			b.refuse(doc, p.Pos, "V6", overlapRemedy, "prefix %s overlaps with %s of account %q, at %s", p.CIDR, q, other.account, other.at())
			continue
		}
		b.reg.own.Insert(p.CIDR, claim{a.ID, doc.Name, p.Pos, p.Advertised})
	}
}

func (b *builder) lentPrefixes(doc *mapfile.Document, a *mapfile.Account) {
	for _, p := range a.Delegated {
		if other, q, ok := overlap(b.reg.lent, p.CIDR, a.ID); ok {
			b.refuse(doc, p.Pos, "V6", "delegate the space to one account", "delegated prefix %s overlaps with %s, which is delegated to account %q at %s", p.CIDR, q, other.account, other.at())
			continue
		}
		b.reg.lent.Insert(p.CIDR, claim{a.ID, doc.Name, p.Pos, true})
	}
}

const overlapRemedy = "take the prefix off one of the two; what one account lends to another stands under delegated_prefixes of the borrower"

// lenders checks that the delegated prefixes of the documents lie in prefixes of
// other accounts, which then lend them, unless part of a lender may have been
// refused.
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

func (b *builder) lent(doc *mapfile.Document, a *mapfile.Account) {
	for _, p := range a.Delegated {
		if _, _, ok := around(b.reg.own, p.CIDR, a.ID); ok {
			continue
		}
		if other, q, ok := inside(b.reg.own, p.CIDR, a.ID); ok {
			b.refuse(doc, p.Pos, "V6", overlapRemedy, "delegated prefix %s is larger than %s of account %q, at %s", p.CIDR, q, other.account, other.at())
			continue
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

// set tells which addresses of the account do not lie in a withdrawn prefix, its
// own or one that is lent to it: another account's is no business of it. The
// longest prefix decides. The set keeps addrs.
func (r *registry) set(account string, addrs []netip.Addr) addrSet {
	withdrawn := func(ip netip.Addr) bool {
		c, ok := r.own.Lookup(ip)
		if !ok || c.advertised || c.account == account {
			return ok && !c.advertised
		}
		l, ok := r.lent.Lookup(ip)
		return ok && l.account == account
	}
	if !slices.ContainsFunc(addrs, withdrawn) {
		return addrSet{addrs, addrs}
	}
	return addrSet{addrs, slices.DeleteFunc(slices.Clone(addrs), withdrawn)}
}
