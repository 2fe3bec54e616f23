package cloudflare

import (
	"fmt"
	"net/netip"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// onlyThere has the zones of names that work at Cloudflare alone, with what is there.
var onlyThere = map[fqdn.Name]service{
	"pages.dev.":          {"Cloudflare Pages", "bring the site to a server of your own"},
	"workers.dev.":        {"a Worker", "bring what it does to a server of your own"},
	"cfargotunnel.com.":   {"a tunnel into Cloudflare's network", "give the origin an address, or reach it in another way"},
	"r2.dev.":             {"a bucket of R2", "bring the files to a server of your own"},
	"cdn.cloudflare.net.": {"Cloudflare's proxy", "write the origin in its place"},
	"mx.cloudflare.net.":  {"Cloudflare's Email Routing", "write a mail server of your own"},
}

// discard and documentation are addresses without a host: of names for which a Worker
// or a redirect answers (RFC 6666, RFC 5737).
var (
	discard       = netip.MustParsePrefix("100::/64")
	documentation = netip.MustParsePrefix("192.0.2.0/24")
)

// service is what an operator had at Cloudflare under a name.
type service struct {
	what   string
	remedy string
}

// serviceAt returns the service to which a name belongs.
func serviceAt(n fqdn.Name) (service, bool) {
	for ok := true; ok; n, ok = n.Parent() {
		if s, ok := onlyThere[n]; ok {
			return s, true
		}
	}
	return service{}, false
}

// reviewTargets adds a change for each record whose target exists at Cloudflare alone.
// The edge cannot reach such an origin.
func (c *zoneConverter) reviewTargets() {
	for _, r := range c.records {
		switch rr := r.RR.(type) {
		case *dns.CNAME:
			c.reviewService(r, rr.Target)
		case *dns.MX:
			c.reviewService(r, rr.Mx)
		case *dns.A:
			c.reviewNoHost(r, rr.A, documentation)
		case *dns.AAAA:
			c.reviewNoHost(r, rr.AAAA, discard)
		}
	}
}

// reviewService adds a change if the target of a record is a service of Cloudflare's.
func (c *zoneConverter) reviewService(r *Record, target string) {
	n := fqdn.Canonical(target)
	if s, ok := serviceAt(n); ok {
		c.add(r, Change{Kind: Review, Text: fmt.Sprintf("%s to %s is %s, and works there alone", typeOf(r), n, s.what), Remedy: s.remedy,
			Group: "records lead to " + s.what + ", which works there alone"})
	}
}

// reviewNoHost adds a change if the address of a record is no host's.
func (c *zoneConverter) reviewNoHost(r *Record, octets []byte, addresses netip.Prefix) {
	a, _ := netip.AddrFromSlice(octets)
	if addresses.Contains(a.Unmap()) {
		c.add(r, Change{Kind: Review, Text: fmt.Sprintf("%s %s is no host: a Worker or a redirect answered there", typeOf(r), a.Unmap()),
			Remedy: "bring what it did to a server of your own, and write its address", Group: "addresses are no host's: a Worker or a redirect answered there"})
	}
}
