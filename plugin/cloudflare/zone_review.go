package cloudflare

import (
	"fmt"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// reviewRecords adds a change for each record that can be served as it is and is
// probably a mistake.
func (c *zoneConverter) reviewRecords() {
	c.reviewServers()
	addresses, marked := 0, false
	for _, r := range c.records {
		switch rr := r.RR.(type) {
		case *dns.NS:
			c.reviewTarget(r, rr.Ns)
		case *dns.MX:
			c.reviewTarget(r, rr.Mx)
		case *dns.SRV:
			c.reviewTarget(r, rr.Target)
		case *dns.A, *dns.AAAA, *dns.CNAME:
			addresses++
			marked = marked || c.marks[r.Owner] != zonefile.Unmarked
		}
	}
	if addresses > 0 && !marked && !c.opt.ProxiedDefault {
		c.addOfZone(Change{Kind: Review, Text: "no record has a mark of being proxied, as in exports of before 2025: every address is public",
			Remedy: "mark the proxied names, give --proxied-default, or bring the marks with \"import api\""})
	}
}

// reviewTarget adds a change for a record that names a proxied name as a server, which
// must be reached at its own address. Cloudflare answers such a record with another
// name, which has the origin's address.
func (c *zoneConverter) reviewTarget(r *Record, target string) {
	name := fqdn.Canonical(target)
	if name.In(c.apex) && c.proxied(c.sourceOf(name)) {
		c.add(r, Change{Kind: Review, Text: fmt.Sprintf("%s names %s, which is proxied", typeOf(r), name),
			Remedy: "give the server a name that is not", Group: "records name servers that are proxied"})
	}
}
