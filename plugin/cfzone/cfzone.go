// Package cfzone turns a zone as Cloudflare exports it into a zone file that a server
// without Cloudflare's extensions answers truthfully. The extensions are the SOA whose
// owner lacks its last dot, TTL 1 for "automatic", and aliases beside other records,
// which RFC 1034, section 3.6.2, forbids: a server that serves such an alias hides the
// other records.
package cfzone

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

// Kind is the kind of a change.
type Kind string

// The kinds of change.
const (
	Changed Kind = "changed" // the record is answered as before, and written in another way
	Review  Kind = "review"  // the record is as it was, and somebody has to look at it
	Lost    Kind = "lost"    // the record is left out
)

// Change is one difference from the export, or one record to review.
type Change struct {
	Kind Kind
	Line int // of the export, from 1; 0 for the zone as a whole
	Name string
	Text string
}

// Options of a conversion.
type Options struct {
	// ProxiedDefault makes address records without a mark proxied.
	ProxiedDefault bool
}

// Zone is a converted zone.
type Zone struct {
	Text    []byte // the zone file
	Changes []Change
	Records int
	Proxied int // owner names
}

// Convert turns the export data of the zone apex into a zone file; name is its
// path, for errors. An error is about the export, which is then not converted
// at all; it is of type [zonefile.Errors] where a line is to blame.
func Convert(name string, data []byte, apex fqdn.Name, opt Options) (*Zone, error) {
	marks, err := zonefile.Parse(name, data, apex)
	if err != nil {
		return nil, err
	}
	records, err := Records(name, data, apex)
	if err != nil {
		return nil, err
	}
	c := &converter{apex: apex, marks: marks, opt: opt, byOwner: make(map[fqdn.Name][]*Record)}
	c.addRecords(records)
	if !c.has(apex, dns.TypeSOA) {
		return nil, fmt.Errorf("%s has no SOA record of %s: export the whole zone, or write one", name, apex)
	}
	c.markGenerated()
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
func (c *converter) verify(name string, text []byte) error {
	again, err := zonefile.Parse(name, text, c.apex)
	if err != nil {
		return fmt.Errorf("what was made of %s cannot be read: %w", name, err)
	}
	for owner := range c.byOwner {
		if c.proxied(owner) != isProxied(again.Owners[owner], c.opt) && c.has(owner, dns.TypeA, dns.TypeAAAA, dns.TypeCNAME) {
			return fmt.Errorf("%s: the mark of %s would be lost: write each of its records on a line of its own", name, owner)
		}
	}
	return nil
}

// isProxied reports whether a name with the mark and types of o is proxied.
func isProxied(o zonefile.Owner, opt Options) bool {
	return o.Mark == zonefile.Proxied || o.Mark == zonefile.Unmarked && opt.ProxiedDefault && o.Types&zonefile.Address != 0
}
