package cloudflare

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// cloudflareZone is the zone of Cloudflare's name servers.
const cloudflareZone = fqdn.Name("cloudflare.com.")

// reviewRecords adds a change for each record that can be served as it is and is
// probably a mistake.
func (c *zoneConverter) reviewRecords() {
	addresses, marked := 0, false
	for _, r := range c.records {
		switch rr := r.RR.(type) {
		case *dns.NS:
			if r.Owner == c.apex && fqdn.Canonical(rr.Ns).In(cloudflareZone) {
				c.addChange(Review, r, "NS %s is Cloudflare's: write your own name servers", rr.Ns)
			}
		case *dns.SOA:
			if fqdn.Canonical(rr.Ns).In(cloudflareZone) {
				c.addChange(Review, r, "SOA names %s as the primary server, which is Cloudflare's: write your own", rr.Ns)
			}
		case *dns.MX:
			c.reviewTarget(r, rr.Mx)
		case *dns.SRV:
			c.reviewTarget(r, rr.Target)
		case *dns.A, *dns.AAAA, *dns.CNAME:
			addresses++
			marked = marked || c.marks.Owners[r.Owner].Mark != zonefile.Unmarked
		}
	}
	if addresses > 0 && !marked {
		c.changes = append(c.changes, Change{Kind: Review, Name: strings.TrimSuffix(string(c.apex), "."),
			Text: "no record has a mark of being proxied: exports of before 2025 have none; use --proxied-default or mark them"})
	}
}

// reviewTarget adds a change for a record that names a proxied name as a server, which
// must be reached at its own address. Cloudflare answers such a record with another
// name, which has the origin's address.
func (c *zoneConverter) reviewTarget(r *Record, target string) {
	name := fqdn.Canonical(target)
	if name.In(c.apex) && c.proxied(c.sourceOf(name)) {
		c.addChange(Review, r, "%s names %s, which is proxied: give the server a name that is not", typeOf(r), target)
	}
}
