package cloudflare

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// maxErrors is how many errors about marks are collected before the rest of the export
// is left unread.
const maxErrors = 100

// read reads the records that lie in the zone, with the names and marks that they have
// at Cloudflare.
func (c *zoneConverter) read(name string, data []byte) error {
	if err := otherFile(data); err != nil {
		err.File = name
		return zonefile.Errors{err}
	}
	records, errs := c.scan(data)
	if len(records)+len(errs) == 0 {
		errs = append(errs, &zonefile.Error{Text: "the export holds no record", Remedy: "export the zone again"})
	}
	c.resolveNames(records)
	outside, soaByOrigin := 0, false
	for _, r := range records {
		h := r.RR.Header()
		switch {
		case h.Rrtype == dns.TypeSOA && r.Owner != c.apex:
			errs = append(errs, &zonefile.Error{Line: int32(r.Line), Text: fmt.Sprintf("SOA of another zone in a zone file of %q", c.apex),
				Remedy: "name the file of this zone"})
		case !r.Owner.In(c.apex):
			outside++
			c.add(r, Change{Kind: Lost, Text: fmt.Sprintf("%s record outside the zone %s", typeOf(r), c.apex),
				Remedy: "import it with its own zone", Group: "records outside the zone"})
		case h.Rrtype == dns.TypeSOA && c.has(c.apex, dns.TypeSOA):
			c.addSecondSOA(r)
		default:
			soaByOrigin = soaByOrigin || r.atOrigin && h.Rrtype == dns.TypeSOA
			c.addRecord(r)
		}
	}
	owners := fqdn.NewSet()
	for owner := range c.byOwner {
		owners[owner] = struct{}{}
	}
	c.above = owners.Above()
	if outside > 0 && (len(c.records) == 0 || len(c.records) == 1 && soaByOrigin) {
		errs = append(errs, &zonefile.Error{Text: fmt.Sprintf("no record lies in zone %q", c.apex), Remedy: "name the zone of the export"})
	}
	for _, err := range errs {
		err.File = name
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// otherFile returns an error about a file that comes in the place of an export now and
// then, and nil about any other.
func otherFile(data []byte) *zonefile.Error {
	text := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return &zonefile.Error{Text: "the file is in UTF-16", Remedy: "save it as UTF-8"}
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		return &zonefile.Error{Text: "the file is JSON, as errors of the API are", Remedy: "export the zone again, or give records of the API to \"import api\""}
	case bytes.HasPrefix(text, []byte("<")):
		return &zonefile.Error{Text: "the file is HTML", Remedy: "export the zone again"}
	}
	return nil
}

// scan reads the records with their comments and marks. Relative names end in the label
// of [relative].
func (c *zoneConverter) scan(data []byte) (records []*Record, errs zonefile.Errors) {
	s := zonefile.NewScanner(data, relative, automaticTTL)
	for rr, ok := s.Next(); ok && len(errs) < maxErrors; rr, ok = s.Next() {
		r := &Record{RR: rr, Line: int(s.Line()), inheritsOwner: s.InheritsOwner()}
		records = append(records, r)
		if lacksData(rr, s.Text()) {
			errs = append(errs, cutOff(s.Line()))
			break
		}
		if !isAddress(rr) {
			if rr.Header().Rrtype != dns.TypeSOA { // Its comments say what the numbers are.
				r.Comment = graphic(s.Comment())
			}
			r.removeArray(s.Text())
			if !canBeWritten(r.RR) {
				errs = append(errs, &zonefile.Error{Line: s.Line(), Text: fmt.Sprintf("the %s record could not be read again once it is written", typeOf(r)),
					Remedy: "correct its data"})
			}
			continue
		}
		if err := r.readComments(s.Comments()); err != nil {
			errs = append(errs, err)
		}
	}
	if err := s.Err(); err != nil {
		errs = append(errs, err)
	} else if line := s.Unread(); line > 0 {
		errs = append(errs, cutOff(line))
	}
	return records, errs
}

func cutOff(line int32) *zonefile.Error {
	return &zonefile.Error{Line: line, Text: "the last record is not complete", Remedy: "export the zone again: the file is cut off"}
}

// canBeWritten reports whether a record can be read again. The library reads a few that
// it writes in another form, such as a CAA with spaces for a tag.
func canBeWritten(rr dns.RR) bool {
	again, err := dns.NewRR(rr.String())
	return err == nil && again != nil
}

// isAddress reports whether a record is of a type that can be proxied.
func isAddress(rr dns.RR) bool {
	switch rr.Header().Rrtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
		return true
	}
	return false
}

// lacksData reports whether a record ends with its type, at the end of the file. The
// library takes that for a record of a dynamic update (RFC 2136), which may have no data.
func lacksData(rr dns.RR, lines []byte) bool {
	words := bytes.Fields(lines)
	if len(words) == 0 || !strings.EqualFold(string(words[len(words)-1]), dns.Type(rr.Header().Rrtype).String()) {
		return false
	}
	h := *rr.Header()
	*rr.Header() = dns.RR_Header{}
	defer func() { *rr.Header() = h }()
	return reflect.ValueOf(rr).Elem().IsZero()
}

// addRecord adds a record of the zone, with 300 for the TTL "automatic".
func (c *zoneConverter) addRecord(r *Record) {
	if h := r.RR.Header(); h.Ttl == automatic {
		h.Ttl = automaticTTL
		c.add(r, Change{Kind: Changed, Text: fmt.Sprintf("%s: TTL 1 (automatic) became %d", typeOf(r), automaticTTL),
			Group: fmt.Sprintf("TTLs of 1 (automatic) became %d", automaticTTL)})
	}
	for _, note := range r.notes {
		c.add(r, note)
	}
	c.marks[r.Owner] = max(c.marks[r.Owner], r.mark)
	c.records = append(c.records, r)
	c.byOwner[r.Owner] = append(c.byOwner[r.Owner], r)
}

// addSecondSOA leaves out an SOA after the first, which may be the same, as at the end
// of a zone transfer.
func (c *zoneConverter) addSecondSOA(r *Record) {
	for _, first := range c.byOwner[c.apex] {
		if dns.IsDuplicate(first.RR, r.RR) {
			c.add(r, Change{Kind: Changed, Text: "the same SOA record again is left out"})
			return
		}
	}
	c.add(r, Change{Kind: Lost, Text: "a second SOA record", Remedy: "put the right one first, or give it"})
}

// removeArray removes the word Array behind the text of a TXT record. Exports of about
// 2018 have it: a list of strings was printed as if it were one.
func (r *Record) removeArray(lines []byte) {
	txt, ok := r.RR.(*dns.TXT)
	if ok && len(txt.Txt) > 1 && bytes.HasSuffix(bytes.TrimRight(lines, "\r\n"), []byte("\"\tArray")) {
		txt.Txt = txt.Txt[:len(txt.Txt)-1]
		r.note(Change{Kind: Changed, Text: "TXT: the word Array behind the text, a mistake of old exports, is left out",
			Group: "TXT records lost the word Array, a mistake of old exports"})
	}
}

// readComments gives the record the comment behind its lines, and the mark in it.
func (r *Record) readComments(comments []zonefile.Comment) *zonefile.Error {
	tags := make([][]zonefile.Tag, len(comments))
	for i, c := range comments {
		var err error
		if tags[i], err = zonefile.Tags(c.Text); err == nil {
			var mark zonefile.Mark
			mark, err = markOf(tags[i])
			r.mark = max(r.mark, mark)
		}
		if e := (*zonefile.Error)(nil); errors.As(err, &e) {
			e.Line, e.Col = c.Line, c.Col
			return e
		}
	}
	r.Comment = graphic(joinComments(comments, tags))
	if r.mark == zonefile.Unmarked {
		r.readNearMark(comments)
	}
	return nil
}

// markOf is [zonefile.MarkOf] with an error that can be nil.
func markOf(tags []zonefile.Tag) (zonefile.Mark, error) {
	mark, err := zonefile.MarkOf(tags)
	if err != nil {
		return mark, err
	}
	return mark, nil
}
