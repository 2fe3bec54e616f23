package cloudflare

import (
	"bytes"
	"io"
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
	Line    int    // on which the record ends

	undottedOwner bool // the owner was written as the apex without its last dot
}

// Records reads the records of the zone file data of apex; errors call the file name.
// The owner of the SOA is apex, with its last dot or without.
func Records(name string, data []byte, apex fqdn.Name) ([]Record, error) {
	lines := &lineReader{data: bytes.TrimPrefix(data, []byte("\ufeff"))}
	zp := dns.NewZoneParser(lines, string(apex), "")
	zp.SetDefaultTTL(automaticTTL)
	var out []Record
	undotted := false // the record above belongs to an SOA without its last dot
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		h := rr.Header()
		undotted = fqdn.Canonical(h.Name) == apex+apex && (h.Rrtype == dns.TypeSOA || undotted && lines.inheritsOwner())
		if undotted {
			h.Name = string(apex)
		}
		lines.start = lines.pos
		comment := strings.TrimSpace(strings.ReplaceAll(zp.Comment(), "\n", " "))
		out = append(out, Record{RR: rr, Owner: fqdn.Canonical(h.Name), Comment: comment, Line: lines.lastLine(), undottedOwner: undotted})
	}
	if err := zp.Err(); err != nil {
		e := zonefile.Explain(err)
		e.File = name
		return nil, e
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

// lineReader counts lines. The parser reads single bytes and stops at the end of a
// record.
type lineReader struct {
	data       []byte
	pos, start int // the next byte; the beginning of the present record
	line       int // number of line ends that were read
}

// ReadByte implements [io.ByteReader].
func (r *lineReader) ReadByte() (byte, error) {
	if r.pos == len(r.data) {
		return 0, io.EOF
	}
	c := r.data[r.pos]
	r.pos++
	if c == '\n' {
		r.line++
	}
	return c, nil
}

// Read implements [io.Reader]. The parser prefers ReadByte.
func (r *lineReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// lastLine returns the number of the line that was read last.
func (r *lineReader) lastLine() int {
	if r.pos > 0 && r.data[r.pos-1] == '\n' {
		return r.line
	}
	return r.line + 1
}

// inheritsOwner reports whether the present record names no owner.
func (r *lineReader) inheritsOwner() bool {
	text := r.data[r.start:r.pos]
	for line := range bytes.Lines(text) {
		if t := bytes.TrimSpace(line); len(t) > 0 && t[0] != ';' {
			return line[0] == ' ' || line[0] == '\t'
		}
	}
	return false
}
