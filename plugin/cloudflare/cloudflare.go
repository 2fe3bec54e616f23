// Package cloudflare brings zones and address maps over from Cloudflare. [ConvertZone]
// turns a zone as Cloudflare exports it into a zone file, and [Import] makes a map
// document of the responses of Cloudflare's API. Both list their [Change]s: each record
// or object that is not as it was, or that somebody has to look at.
package cloudflare

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
