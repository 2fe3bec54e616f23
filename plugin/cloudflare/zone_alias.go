package cloudflare

import (
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
	for _, r := range slices.Clone(c.records) {
		alias, ok := r.RR.(*dns.CNAME)
		if !ok {
			continue
		}
		beside := c.typesBeside(r)
		_, flatten := r.Tag(flattenTag)
		switch {
		case c.proxied(r.Owner) && len(beside) > 0:
			c.replaceByPlaceholder(r, alias, "beside "+strings.Join(beside, ", ")+", which it would hide")
		case c.proxied(r.Owner):
			// The plugin flattens it.
		case len(beside) > 0:
			c.flatten(r, alias, beside)
		case flatten:
			c.flatten(r, alias, nil)
		}
	}
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
	if v, ok := r.Tag(proxiedTag); !ok || !strings.EqualFold(v, "true") {
		r.addTag(zonefile.Tag{Name: proxiedTag, Value: "true"})
	}
	r.addTag(zonefile.Tag{Name: OriginTag, Value: alias.Target})
	c.addChange(Changed, r, "proxied CNAME to %s %s: the placeholder %s, and the origin in the tag %s", alias.Target, reason, Placeholder, OriginTag)
}

// flatten replaces an alias of a name that is not proxied by the addresses of its final
// target, which are known if the target lies in the zone.
func (c *zoneConverter) flatten(r *Record, alias *dns.CNAME, beside []string) {
	end, addresses := c.followAliases(fqdn.Canonical(alias.Target))
	reason := "is flattened at Cloudflare"
	if len(beside) > 0 {
		reason = "stands beside " + strings.Join(beside, ", ")
	}
	switch {
	case len(beside) > 0 && end != "" && c.proxied(end):
		if c.newlyProxied == nil {
			c.newlyProxied = fqdn.NewSet()
		}
		c.newlyProxied[r.Owner] = struct{}{}
		c.replaceByPlaceholder(r, alias, reason+" and leads to a proxied name")
	case len(addresses) > 0 && !c.proxied(end):
		c.replace(r, addresses)
		c.addChange(Changed, r, "CNAME to %s %s: replaced by the addresses there", alias.Target, reason)
	case len(beside) == 0:
		c.addChange(Review, r, "CNAME to %s %s and is served as a CNAME here: the addresses there are not in the zone, or are mapped ones", alias.Target, reason)
	default:
		c.replace(r, nil)
		c.addChange(Lost, r, "CNAME to %s %s, and the addresses there are not in the zone: write them in its place, or mark the name as proxied", alias.Target, reason)
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
	if len(c.byOwner[name]) > 0 {
		return name
	}
	for n := name; n != c.apex; {
		n, _ = n.Parent()
		if w := n.Wildcard(); len(c.byOwner[w]) > 0 {
			return w
		}
		if len(c.byOwner[n]) > 0 {
			break
		}
	}
	return name
}

// replace replaces r by copies of other records under the name of r.
func (c *zoneConverter) replace(r *Record, by []*Record) {
	var copies []*Record
	for _, b := range by {
		rr := dns.Copy(b.RR)
		rr.Header().Name = r.RR.Header().Name
		copies = append(copies, &Record{RR: rr, Owner: r.Owner, Comment: r.Comment, Line: r.Line})
	}
	i := slices.Index(c.records, r)
	c.records = slices.Replace(c.records, i, i+1, copies...)
	i = slices.Index(c.byOwner[r.Owner], r)
	c.byOwner[r.Owner] = slices.Replace(slices.Clone(c.byOwner[r.Owner]), i, i+1, copies...)
}
