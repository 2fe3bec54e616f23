package cloudflare

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// maxAliases is how many aliases are followed, one after the other.
const maxAliases = 16

// flattenTag is Cloudflare's mark of an alias that is answered with addresses.
const flattenTag = "cf-flatten-cname"

// replaceAliases replaces the CNAME records that a server would not answer as
// Cloudflare does: a CNAME hides all other records at its name, and at the apex the
// whole zone.
func (c *zoneConverter) replaceAliases() {
	for _, r := range c.records {
		alias, ok := r.RR.(*dns.CNAME)
		if !ok {
			continue
		}
		beside := c.typesBeside(r)
		_, flatten := r.Tag(flattenTag)
		switch {
		case c.proxied(r.Owner) && len(beside) > 0:
			c.replaceByPlaceholder(r, alias, "of a proxied name stands beside "+strings.Join(beside, ", ")+", which it would hide")
		case c.proxied(r.Owner):
			// The plugin flattens it.
		case len(beside) > 0:
			c.flatten(r, alias, beside)
		case flatten:
			c.flatten(r, alias, nil)
		}
	}
	c.applyReplaced()
}

// typesBeside returns the types of the other records at the name of r.
func (c *zoneConverter) typesBeside(r *Record) []string {
	var types []string
	for _, other := range c.byOwner[r.Owner] {
		if t := typeOf(other); other != r && !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}

// replaceByPlaceholder replaces an alias of a proxied name by an address that is never
// answered, with the origin in a tag.
func (c *zoneConverter) replaceByPlaceholder(r *Record, alias *dns.CNAME, reason string) {
	h := alias.Hdr
	h.Rrtype = dns.TypeA
	r.RR = &dns.A{Hdr: h, A: netip.MustParseAddr(Placeholder).AsSlice()}
	if v, _ := r.Tag(proxiedTag); !strings.EqualFold(v, "true") {
		r.addTag(zonefile.Tag{Name: proxiedTag, Value: "true"})
	}
	r.addTag(zonefile.Tag{Name: OriginTag, Value: alias.Target})
	c.add(r, Change{Kind: Changed, Text: fmt.Sprintf("CNAME to %s %s: the placeholder %s, and the origin in the tag %s",
		fqdn.Canonical(alias.Target), reason, Placeholder, OriginTag), Group: "aliases of proxied names became placeholders, with the origin in the tag " + OriginTag})
}

// flatten replaces an alias of a name that is not proxied by what its final target is
// answered with, which is known if the target lies in the zone.
func (c *zoneConverter) flatten(r *Record, alias *dns.CNAME, beside []string) {
	target := fqdn.Canonical(alias.Target)
	end, addresses := c.followAliases(target)
	reason := "is flattened at Cloudflare"
	if len(beside) > 0 {
		reason = "stands beside " + strings.Join(beside, ", ")
	}
	switch {
	case c.proxied(end):
		c.newlyProxied[r.Owner] = struct{}{}
		c.replaceByPlaceholder(r, alias, reason+" and leads to a proxied name")
	case len(addresses) > 0:
		c.replaceByCopies(r, addresses)
		c.add(r, Change{Kind: Changed, Text: fmt.Sprintf("CNAME to %s %s: replaced by the addresses there", target, reason),
			Group: "aliases became the addresses to which they lead"})
	case len(beside) == 0:
		c.add(r, Change{Kind: Lost, Text: fmt.Sprintf("CNAME to %s %s, and is served as a CNAME here: the addresses there are not in the zone", target, reason),
			Remedy: "write the addresses in its place, unless an alias is as good", Group: "aliases are not flattened any more: the addresses to which they lead are not in the zone"})
	default:
		c.replace(r, nil)
		c.add(r, Change{Kind: Lost, Text: fmt.Sprintf("CNAME to %s %s, and the addresses there are not in the zone", target, reason),
			Remedy: "write the addresses in its place, or mark the name as proxied", Group: "aliases beside other records are left out: the addresses to which they lead are not in the zone"})
	}
}

// followAliases follows aliases to the final target and its addresses. A target outside
// the zone is "".
func (c *zoneConverter) followAliases(name fqdn.Name) (end fqdn.Name, addresses []*Record) {
	for range maxAliases {
		if !name.In(c.apex) {
			return "", nil
		}
		source := c.sourceOf(name)
		next := fqdn.Name("")
		for _, r := range c.byOwner[source] {
			switch rr := r.RR.(type) {
			case *dns.A, *dns.AAAA:
				addresses = append(addresses, r)
			case *dns.CNAME:
				next = fqdn.Canonical(rr.Target)
			}
		}
		if next == "" || c.proxied(source) {
			return source, addresses
		}
		name = next
	}
	return "", nil
}

// sourceOf returns the owner whose records answer a name: the name itself, or a
// wildcard (RFC 4592).
func (c *zoneConverter) sourceOf(name fqdn.Name) fqdn.Name {
	if c.exists(name) {
		return name
	}
	for n := name; n != c.apex; {
		n, _ = n.Parent()
		if w := n.Wildcard(); len(c.byOwner[w]) > 0 {
			return w
		}
		if c.exists(n) {
			break
		}
	}
	return name
}

// exists reports whether a name is an owner, or one is below it (RFC 4592, section 2.2.2).
func (c *zoneConverter) exists(n fqdn.Name) bool {
	_, above := c.above[n]
	return above || len(c.byOwner[n]) > 0
}

// replaceByCopies replaces r by copies of other records under the name of r.
func (c *zoneConverter) replaceByCopies(r *Record, of []*Record) {
	var copies []*Record
	for _, o := range of {
		rr := dns.Copy(o.RR)
		rr.Header().Name = r.RR.Header().Name
		copies = append(copies, &Record{RR: rr, Owner: r.Owner, Comment: r.Comment, Line: r.Line})
	}
	c.replace(r, copies)
}
