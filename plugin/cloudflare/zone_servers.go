package cloudflare

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

const (
	// noNameServer is in the NS records that exports had until 2019. The word before
	// it is REPLACE, or REPACE in those of before 2017.
	noNameServer = "&me$with^your"
	// nsTTL and soaTTL are the TTLs of records that the export does not have.
	nsTTL, soaTTL = 86400, 3600
)

// cloudflareZones are the zones of Cloudflare's name servers.
var cloudflareZones = fqdn.NewSet("cloudflare.com.", "foundationdns.com.", "foundationdns.net.", "foundationdns.org.")

// isCloudflares reports whether the name of a server is Cloudflare's.
func isCloudflares(server fqdn.Name) bool { return cloudflareZones.Encloses(server) }

// isNoNameServer reports whether a name stands where the export had none.
func isNoNameServer(n fqdn.Name) bool { return strings.Contains(string(n), noNameServer) }

// SOA is what an SOA record says beside its owner.
type SOA struct {
	Primary, Mailbox fqdn.Name // MNAME and RNAME
	// Numbers are serial, refresh, retry, expire and minimum, or nil for those of
	// the export.
	Numbers []uint32
}

// ParseSOA reads an SOA as a zone file has it, "MNAME RNAME" or with the five numbers
// behind. Names are absolute, with their last dots or without, and RNAME may be written
// as the mail address that it is.
func ParseSOA(s string) (*SOA, error) {
	f := strings.Fields(s)
	if len(f) != 2 && len(f) != 7 {
		return nil, errors.New(`write "MNAME RNAME", or those and serial, refresh, retry, expire and minimum`)
	}
	primary, err := fqdn.Parse(f[0])
	if err != nil {
		return nil, fmt.Errorf("MNAME: %w", err)
	}
	if !primary.IsHostName() {
		return nil, fmt.Errorf("MNAME: %q is no host name with its domain: write it as ns1.example.net", f[0])
	}
	// A dot in the local part is escaped (RFC 1035, section 8).
	if local, domain, ok := strings.Cut(f[1], "@"); ok {
		f[1] = strings.ReplaceAll(local, ".", `\.`) + "." + domain
	}
	mailbox, err := fqdn.Parse(f[1])
	if err != nil {
		return nil, fmt.Errorf("RNAME: %w", err)
	}
	soa := &SOA{Primary: primary, Mailbox: mailbox}
	for _, text := range f[2:] {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no number of an SOA: %w", text, errors.Unwrap(err))
		}
		soa.Numbers = append(soa.Numbers, uint32(n))
	}
	return soa, nil
}

// replaceSOA applies the option SOA.
func (c *zoneConverter) replaceSOA() {
	opt := c.opt.SOA
	if opt == nil {
		return
	}
	r := c.first(dns.TypeSOA)
	if r == nil {
		h := dns.RR_Header{Name: string(c.apex), Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: soaTTL}
		r = &Record{Owner: c.apex, RR: &dns.SOA{Hdr: h, Serial: 1, Refresh: 7200, Retry: 3600, Expire: 1209600, Minttl: 300}}
		c.insert(0, r)
	}
	soa := r.RR.(*dns.SOA)
	before := dns.Copy(soa)
	soa.Ns, soa.Mbox = string(opt.Primary), string(opt.Mailbox)
	if n := opt.Numbers; len(n) == 5 {
		soa.Serial, soa.Refresh, soa.Retry, soa.Expire, soa.Minttl = n[0], n[1], n[2], n[3], n[4]
	}
	if before.String() != soa.String() {
		c.add(r, Change{Kind: Changed, Text: fmt.Sprintf("SOA names %s and %s, as given", opt.Primary, opt.Mailbox)})
	}
}

// replaceNameServers applies the option NameServers, and leaves out what is no name
// server.
func (c *zoneConverter) replaceNameServers() {
	given := c.opt.NameServers
	present := fqdn.NewSet()
	var out []*Record // NS records that are left out
	for _, r := range c.byOwner[c.apex] {
		ns, ok := r.RR.(*dns.NS)
		if !ok {
			continue
		}
		n := fqdn.Canonical(ns.Ns)
		present[n] = struct{}{}
		switch isGiven := slices.Contains(given, n); {
		case isNoNameServer(n):
			c.add(r, Change{Kind: Changed, Text: "NS: the name server that the export leaves open is left out"})
			out = append(out, r)
		case isGiven, len(given) == 0:
		case isCloudflares(n):
			c.add(r, Change{Kind: Changed, Text: fmt.Sprintf("NS %s is Cloudflare's and is left out", n), Group: "name servers of Cloudflare's are left out"})
			out = append(out, r)
		default:
			c.add(r, Change{Kind: Review, Text: fmt.Sprintf("NS %s is not one of those given, and stays", n),
				Remedy: "remove it unless the server has the zone", Group: "NS records are none of those given, and stay"})
		}
	}
	for _, r := range out {
		c.replace(r, nil)
	}
	var added []string
	for _, n := range given {
		if _, ok := present[n]; ok {
			continue
		}
		present[n] = struct{}{}
		h := dns.RR_Header{Name: string(c.apex), Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: nsTTL}
		c.insert(len(added), &Record{Owner: c.apex, RR: &dns.NS{Hdr: h, Ns: string(n)}})
		added = append(added, string(n))
	}
	if len(added) > 0 {
		c.addOfZone(Change{Kind: Changed, Text: "NS " + strings.Join(added, ", ") + ", as given"})
	}
}

// reviewServers adds changes for name servers that are Cloudflare's, are missing or have
// no address.
func (c *zoneConverter) reviewServers() {
	if !c.has(c.apex, dns.TypeNS) {
		c.addOfZone(Change{Kind: Review, Text: "the zone has no NS record", Remedy: "give its name servers with --ns"})
	}
	for _, r := range c.byOwner[c.apex] {
		switch rr := r.RR.(type) {
		case *dns.NS:
			n := fqdn.Canonical(rr.Ns)
			if isCloudflares(n) {
				c.add(r, Change{Kind: Review, Text: fmt.Sprintf("NS %s is Cloudflare's", n), Remedy: "give your own name servers with --ns",
					Group: "name servers are Cloudflare's"})
			} else if n.In(c.apex) && !c.has(c.sourceOf(n), dns.TypeA, dns.TypeAAAA) {
				c.add(r, Change{Kind: Review, Text: fmt.Sprintf("NS %s has no address in the zone", n), Remedy: "write its A and AAAA records",
					Group: "name servers have no address in the zone"})
			}
		case *dns.SOA:
			primary := fqdn.Canonical(rr.Ns)
			switch {
			case isCloudflares(primary):
				c.add(r, Change{Kind: Review, Text: fmt.Sprintf("SOA names %s as the primary server, which is Cloudflare's", primary), Remedy: "give yours with --soa"})
			case primary == c.apex && c.opt.SOA == nil:
				c.add(r, Change{Kind: Review, Text: "SOA names the zone itself as the primary server, as exports of before 2023 do", Remedy: "give your server with --soa"})
			}
		}
	}
}
