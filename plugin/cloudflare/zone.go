package cloudflare

import (
	"fmt"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

const (
	// OriginTag is the cf_tags tag of a placeholder record. Its value is the target
	// of the replaced alias: the name of the origin.
	OriginTag = "addressmap-origin"
	// Placeholder stands for the address of a proxied name whose origin is known
	// by name only. It is the IPv4 dummy address (RFC 7600), which no host has: a
	// client that gets the address because a mark was lost reaches nothing.
	Placeholder = "192.0.0.8"
	// automatic is the TTL that Cloudflare chooses, which is 300.
	automatic, automaticTTL = 1, 300
)

// ZoneOptions are the options of [ConvertZone]: what an export does not have.
type ZoneOptions struct {
	// ProxiedDefault makes address records without a mark proxied.
	ProxiedDefault bool
	// NameServers take the place of Cloudflare's.
	NameServers []fqdn.Name
	// SOA takes the place of Cloudflare's, if it is not nil.
	SOA *SOA
}

// Zone is a converted zone.
type Zone struct {
	Text    []byte // the zone file
	Changes []Change
	Records int
	Proxied int // owner names
}

// ConvertZone turns the export data of the zone apex into a zone file that a server
// without Cloudflare's extensions answers truthfully; errors call the export name. It
// reads what Cloudflare has written since 2016. Names count as they are meant there: an
// "@" below "$ORIGIN ." is the apex, and a name without its last dot is absolute if it
// lies in the zone. TTL 1 is "automatic". An alias may stand beside other records, which
// RFC 1034, section 3.6.2, forbids: a server that serves such an alias hides the others.
//
// After an error there is no zone file. An error about a line of the export is of type
// [zonefile.Errors].
func ConvertZone(name string, data []byte, apex fqdn.Name, opt ZoneOptions) (*Zone, error) {
	c := &zoneConverter{apex: apex, opt: opt, byOwner: make(map[fqdn.Name][]*Record),
		marks: make(map[fqdn.Name]zonefile.Mark), newlyProxied: fqdn.NewSet()}
	if err := c.read(name, data); err != nil {
		return nil, err
	}
	c.replaceSOA()
	c.replaceNameServers()
	if !c.has(apex, dns.TypeSOA) {
		return nil, fmt.Errorf("%s has no SOA record of %s: export the whole zone, or give the record", name, apex)
	}
	c.reviewTargets()
	c.replaceAliases()
	c.reviewRecords()
	out := c.print()
	if err := c.verify(name, out.Text); err != nil {
		return nil, err
	}
	return out, nil
}

// verify reads the zone file back: a proxied name without its mark would be answered
// with its origin.
func (c *zoneConverter) verify(name string, text []byte) error {
	again, err := zonefile.Parse(name, text, c.apex)
	if err != nil {
		return fmt.Errorf("what was made of %s cannot be read: %w", name, err)
	}
	for owner := range c.byOwner {
		o := again.Owners[owner]
		proxied := o.Mark == zonefile.Proxied || o.Mark == zonefile.Unmarked && c.opt.ProxiedDefault && o.Types&zonefile.Address != 0
		if proxied != c.proxied(owner) {
			return fmt.Errorf("%s: the mark of %s would be lost: write each of its records on a line of its own", name, owner)
		}
	}
	return nil
}
