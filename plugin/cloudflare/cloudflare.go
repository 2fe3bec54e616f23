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
	Lost    Kind = "lost"    // the record is left out, or something that it did
)

// Change is one difference from the export, or one record to review.
type Change struct {
	Kind   Kind   `json:"kind"`
	Line   int    `json:"line,omitempty"` // of the export, from 1; 0 for the zone as a whole
	Name   string `json:"name"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"` // what to do about it, or ""
	// Group is what many changes have in common, in the words that stand behind
	// their number: "48 TTLs of 1 became 300". A change without it is alone, or
	// goes with those of the same text.
	Group string `json:"group,omitempty"`
}
