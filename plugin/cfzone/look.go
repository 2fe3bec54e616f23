package cfzone

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// cloudflare is where Cloudflare's name servers are.
const cloudflare = fqdn.Name("cloudflare.com.")

// look tells of what can be served as it is and yet will hardly be meant so.
func (c *converter) look() {
	addresses, marked := 0, false
	for _, r := range c.records {
		switch rr := r.RR.(type) {
		case *dns.NS:
			if r.Owner == c.apex && fqdn.Canonical(rr.Ns).In(cloudflare) {
				c.note(Kept, r, "NS %s is Cloudflare's: write your own name servers", rr.Ns)
			}
		case *dns.SOA:
			if fqdn.Canonical(rr.Ns).In(cloudflare) {
				c.note(Kept, r, "SOA names %s as the primary server, which is Cloudflare's: write your own", rr.Ns)
			}
		case *dns.MX:
			c.lookAt(r, rr.Mx)
		case *dns.SRV:
			c.lookAt(r, rr.Target)
		case *dns.A, *dns.AAAA, *dns.CNAME:
			addresses++
			marked = marked || c.marks.Owners[r.Owner].Mark != zonefile.Unmarked
		}
	}
	if addresses > 0 && !marked {
		c.changes = append(c.changes, Change{Kind: Kept, Name: strings.TrimSuffix(string(c.apex), "."),
			Text: "no record has a mark of being proxied: exports of before 2025 have none; use --proxied-default or mark them"})
	}
}

// lookAt tells of a server that is reached at its own address and no mapped one.
// Cloudflare answers another name there, which has the origin's address.
func (c *converter) lookAt(r *Record, target string) {
	name := fqdn.Canonical(target)
	if name.In(c.apex) && c.proxied(c.source(name)) {
		c.note(Kept, r, "%s names %s, which is proxied: give the server a name that is not", typeOf(r), target)
	}
}
