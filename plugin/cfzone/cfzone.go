// Package cfzone turns a zone as Cloudflare exports it into a zone file from
// which a server answers truthfully that knows nothing of Cloudflare's
// extensions: the SOA whose owner lacks its last dot, TTL 1 for "automatic",
// and aliases beside other records, which RFC 1034, section 3.6.2, forbids and
// which hide those records where they are served.
package cfzone

import (
	"fmt"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

const (
	// OriginTag is the cf_tags tag of a placeholder record. Its value is the
	// name that the alias pointed to: where the origin is.
	OriginTag = "addressmap-origin"
	// Placeholder stands for the address of a proxied name whose origin is
	// known by name only. It is the IPv4 dummy address (RFC 7600): no host has
	// it, so that a lost mark leads nowhere.
	Placeholder = "192.0.0.8"
	// automatic is the TTL that says "as Cloudflare likes", which is 300.
	automatic, automaticTTL = 1, 300
)

// Kind tells what became of a record.
type Kind string

// The kinds of change.
const (
	Changed Kind = "changed" // it is answered as before, and written in another way
	Kept    Kind = "kept"    // as it was, but it needs a look
	Lost    Kind = "lost"    // it could not be kept
)

// Change is one thing that is not as it was in the export, or needs a look.
type Change struct {
	Kind Kind
	Line int // of the export, from 1; 0 for the zone as a whole
	Name string
	Text string
}

// Options of a conversion.
type Options struct {
	// ProxiedDefault tells whether address records without a mark are proxied.
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
	c := &converter{apex: apex, marks: marks, opt: opt, at: make(map[fqdn.Name][]*Record)}
	c.take(records)
	if !c.has(apex, dns.TypeSOA) {
		return nil, fmt.Errorf("%s has no SOA record of %s: export the whole zone, or write one", name, apex)
	}
	c.markGenerated()
	c.aliases()
	c.look()
	out := c.zone()
	if err := c.verify(name, out.Text); err != nil {
		return nil, err
	}
	return out, nil
}

// verify reads the zone file back: a proxied name that lost its mark would give
// its origin away.
func (c *converter) verify(name string, text []byte) error {
	again, err := zonefile.Parse(name, text, c.apex)
	if err != nil {
		return fmt.Errorf("what was made of %s cannot be read: %w", name, err)
	}
	for owner := range c.at {
		if c.proxied(owner) != isProxied(again.Owners[owner], c.opt) && c.has(owner, dns.TypeA, dns.TypeAAAA, dns.TypeCNAME) {
			return fmt.Errorf("%s: the mark of %s would be lost: write each of its records on a line of its own", name, owner)
		}
	}
	return nil
}

func isProxied(o zonefile.Owner, opt Options) bool {
	return o.Mark == zonefile.Proxied || o.Mark == zonefile.Unmarked && opt.ProxiedDefault && o.Types&zonefile.Address != 0
}
