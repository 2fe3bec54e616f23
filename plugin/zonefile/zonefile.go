// Package zonefile reads which owner names of a zone file are marked as
// proxied. The marks are the cf_tags comments that Cloudflare's zone export
// writes after its records; the records are read as CoreDNS's file plugin reads
// them, by the same library, so that both see the same owners.
//
// The author of a mark wants the address of the name hidden. A comment that could be a
// mark and cannot be read as one is therefore an error, never an unmarked name.
package zonefile

import (
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Zone has the owner names of a zone file. A Zone does not change and is safe for
// concurrent use.
type Zone struct {
	Apex   fqdn.Name
	Owners map[fqdn.Name]Owner // :: owner in the zone → its mark and types

	// Warnings are about legal text that is probably a mistake, a line each with
	// the place in front.
	Warnings []string

	nameServers []fqdn.Name
}

// NameServers returns the targets of the NS records at the apex in the order of
// the file. The slice is shared: read only.
func (z *Zone) NameServers() []fqdn.Name { return z.nameServers }

// Owner has the mark and the record types of one owner name. It takes eight octets,
// because there may be a million owners.
type Owner struct {
	Line  int32 // of the first record that carries the mark, or else of the first record
	Mark  Mark
	Types Types
}

// Mark is the proxied status that the tags of an owner name give it.
type Mark uint8

// The marks in rising order: of several at one owner the highest counts. One
// proxied record makes the whole name proxied.
const (
	Unmarked  Mark = iota // no tag cf-proxied at the owner's A, AAAA and CNAME records
	Unproxied             // only cf-proxied:false
	Proxied               // cf-proxied:true at one of them
)

// String returns "unmarked", "unproxied" or "proxied".
func (m Mark) String() string { return [...]string{"unmarked", "unproxied", "proxied"}[m] }

// Types has a bit for each type of record that an owner has.
type Types uint8

// The types that decide how a name is answered. An NS below the apex is a zone cut:
// addresses at and below the zone cut are glue.
const (
	A Types = 1 << iota
	AAAA
	CNAME
	NS
	DNAME
	Other // any other type
)

// Address are the types of record that can be proxied.
const Address = A | AAAA | CNAME
