// Package zonefile reads which owner names of a zone file are marked as
// proxied. The marks are the cf_tags comments that Cloudflare's zone export
// writes after its records; the records are read as CoreDNS's file plugin reads
// them, by the same library, so that both see the same owners.
//
// Whoever marks a name wants its address hidden. What could be a mark and
// cannot be read as one is therefore an error, never an unmarked name.
package zonefile

import (
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Zone is what a zone file says about its owner names. It does not change once
// read and is safe for concurrent use.
type Zone struct {
	Apex   fqdn.Name
	Owners map[fqdn.Name]Owner // :: owner in the zone → its mark and types

	// Warnings says what is allowed and yet probably not meant, a line each
	// with the place in front.
	Warnings []string

	nameServers []fqdn.Name
}

// NameServers returns the targets of the NS records at the apex in the order of
// the file. The slice is shared: read only.
func (z *Zone) NameServers() []fqdn.Name { return z.nameServers }

// Owner is what a zone file says about one owner name. It is kept at eight
// octets, for there may be a million of them.
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

// Types tells which types of record an owner has, as bits.
type Types uint8

// The types that decide how a name is answered. NS below the apex is a zone
// cut: what lies under it is glue.
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
