package cloudflare

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// Record is a record of a zone file with its comment.
type Record struct {
	RR      dns.RR
	Owner   fqdn.Name
	Comment string // with its semicolon, or ""
	Line    int    // on which the record begins; 0 if the export does not have it

	// Of an export alone:
	mark          zonefile.Mark
	inheritsOwner bool
	atOrigin      bool     // the owner is "@" below "$ORIGIN ."
	notes         []Change // changes, if the record comes into the zone
}

// Records reads the records of the zone file data of apex; errors call the file name.
// The owner of the SOA is apex, with its last dot or without.
func Records(name string, data []byte, apex fqdn.Name) ([]Record, error) {
	scan := zonefile.NewScanner(data, string(apex), automaticTTL)
	var out []Record
	undotted := false // the record above belongs to an SOA without its last dot
	for rr, ok := scan.Next(); ok; rr, ok = scan.Next() {
		h := rr.Header()
		undotted = fqdn.Canonical(h.Name) == apex+apex && (h.Rrtype == dns.TypeSOA || undotted && scan.InheritsOwner())
		if undotted {
			h.Name = string(apex)
		}
		out = append(out, Record{RR: rr, Owner: fqdn.Canonical(h.Name), Comment: scan.Comment(), Line: int(scan.Line())})
	}
	if err := scan.Err(); err != nil {
		err.File = name
		return nil, err
	}
	return out, nil
}

// Tags returns the tags in the comment of the record, none if the comment cannot be
// read.
func (r *Record) Tags() []zonefile.Tag {
	tags, err := zonefile.Tags(r.Comment)
	if err != nil {
		return nil
	}
	return tags
}

// Tag returns the value of the named tag, and whether the record has it.
func (r *Record) Tag(name string) (string, bool) {
	for _, t := range r.Tags() {
		if strings.EqualFold(t.Name, name) {
			return t.Value, true
		}
	}
	return "", false
}

// note adds a change that counts if the record comes into the zone.
func (r *Record) note(c Change) { r.notes = append(r.notes, c) }
