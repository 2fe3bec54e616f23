package cfzone

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// maxChain is how many aliases are followed, one after the other.
const maxChain = 16

// flattenTag is Cloudflare's mark of an alias that is answered with addresses.
const flattenTag = "cf-flatten-cname"

// aliases replaces the CNAME records that a server would not answer as
// Cloudflare does: one hides all else at its name, and at the apex the zone.
func (c *converter) aliases() {
	for _, r := range slices.Clone(c.records) {
		alias, ok := r.RR.(*dns.CNAME)
		if !ok {
			continue
		}
		beside := c.beside(r)
		_, flatten := r.Tag(flattenTag)
		switch {
		case c.proxied(r.Owner) && len(beside) > 0:
			c.placehold(r, alias, "beside "+strings.Join(beside, ", ")+", which it would hide")
		case c.proxied(r.Owner):
			// The plugin flattens it.
		case len(beside) > 0:
			c.flatten(r, alias, beside)
		case flatten:
			c.flatten(r, alias, nil)
		}
	}
}

// beside returns the types of the other records at the name of r.
func (c *converter) beside(r *Record) []string {
	var types []string
	for _, other := range c.at[r.Owner] {
		if t := typeOf(other); other != r && !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}

// placehold replaces an alias of a proxied name by an address that is never
// answered, and keeps where the origin is.
func (c *converter) placehold(r *Record, alias *dns.CNAME, why string) {
	h := alias.Hdr
	h.Rrtype = dns.TypeA
	r.RR = &dns.A{Hdr: h, A: netip.MustParseAddr(Placeholder).AsSlice()}
	if v, ok := r.Tag(proxiedTag); !ok || !strings.EqualFold(v, "true") {
		r.tag(zonefile.Tag{Name: proxiedTag, Value: "true"})
	}
	r.tag(zonefile.Tag{Name: OriginTag, Value: alias.Target})
	c.note(Changed, r, "proxied CNAME to %s %s: the placeholder %s, and the origin kept in the tag %s", alias.Target, why, Placeholder, OriginTag)
}

// flatten replaces an alias of a name that is not proxied by the addresses at
// its end, which are known if they lie in the zone.
func (c *converter) flatten(r *Record, alias *dns.CNAME, beside []string) {
	end, addresses := c.follow(fqdn.Canonical(alias.Target))
	why := "is flattened at Cloudflare"
	if len(beside) > 0 {
		why = "stands beside " + strings.Join(beside, ", ")
	}
	switch {
	case len(beside) > 0 && end != "" && c.proxied(end):
		if c.masked == nil {
			c.masked = fqdn.NewSet()
		}
		c.masked[r.Owner] = struct{}{}
		c.placehold(r, alias, why+" and leads to a proxied name")
	case len(addresses) > 0 && !c.proxied(end):
		c.replace(r, addresses)
		c.note(Changed, r, "CNAME to %s %s: replaced by the addresses there", alias.Target, why)
	case len(beside) == 0:
		c.note(Kept, r, "CNAME to %s %s and is served as a CNAME here: the addresses there are not in the zone, or are mapped ones", alias.Target, why)
	default:
		c.replace(r, nil)
		c.note(Lost, r, "CNAME to %s %s, and the addresses there are not in the zone: write them in its place, or mark the name as proxied", alias.Target, why)
	}
}

// follow goes along aliases to the name at the end of them and its addresses.
// It returns "" for an end out of the zone.
func (c *converter) follow(name fqdn.Name) (end fqdn.Name, addresses []*Record) {
	for range maxChain {
		if !name.In(c.apex) {
			return "", nil
		}
		source := c.source(name)
		next := fqdn.Name("")
		for _, r := range c.at[source] {
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

// source returns the owner that a name is answered from: itself, or a wildcard
// (RFC 4592).
func (c *converter) source(name fqdn.Name) fqdn.Name {
	if len(c.at[name]) > 0 {
		return name
	}
	for n := name; n != c.apex; {
		n, _ = n.Parent()
		if w := n.Wildcard(); len(c.at[w]) > 0 {
			return w
		}
		if len(c.at[n]) > 0 {
			break
		}
	}
	return name
}

// replace puts copies of other records, under the name of r, in its place.
func (c *converter) replace(r *Record, by []*Record) {
	var copies []*Record
	for _, b := range by {
		rr := dns.Copy(b.RR)
		rr.Header().Name = r.RR.Header().Name
		copies = append(copies, &Record{RR: rr, Owner: r.Owner, Comment: r.Comment, Line: r.Line})
	}
	i := slices.Index(c.records, r)
	c.records = slices.Replace(c.records, i, i+1, copies...)
	i = slices.Index(c.at[r.Owner], r)
	c.at[r.Owner] = slices.Replace(slices.Clone(c.at[r.Owner]), i, i+1, copies...)
}
