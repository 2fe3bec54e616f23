package zonefile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/miekg/dns"
)

// Scanner reads the records of a zone file one by one, each with its place and its
// comments. It does not know whose zone the file is: names are as the file writes them,
// below a name that is given. It is not safe for concurrent use.
type Scanner struct {
	r         *reader
	zp        *dns.ZoneParser
	record    record // the text of the present record
	generated int    // number of records of $GENERATE lines, but the first of each
	err       *Error
}

// NewScanner returns a Scanner of the zone file data. Relative names are relative to
// below until the first $ORIGIN; records without a TTL get ttl until the first $TTL.
func NewScanner(data []byte, below string, ttl uint32) *Scanner {
	r := newReader(data)
	zp := dns.NewZoneParser(r, below, "")
	zp.SetDefaultTTL(ttl)
	return &Scanner{r: r, zp: zp}
}

// Next returns the next record, or false at the end of the file and at the first error.
func (s *Scanner) Next() (dns.RR, bool) {
	if s.err != nil {
		return nil, false
	}
	rr, ok := s.zp.Next()
	if !ok {
		if err := s.zp.Err(); err != nil {
			s.err = parseError(err, s.r)
		}
		return nil, false
	}
	if text, line := s.r.takeRecord(); len(text) > 0 {
		s.record = recordLines(text, line)
	} else if s.generated++; s.generated > maxGenerated {
		s.err = &Error{Line: s.record.line, Text: fmt.Sprintf("$GENERATE lines of the file make more than %d records", maxGenerated),
			Remedy: "generate fewer, or use a wildcard"}
		return nil, false
	}
	return rr, true
}

// Err returns the error that ended the reading, or nil. Its File is empty.
func (s *Scanner) Err() *Error { return s.err }

// Unread returns the line below the last record on which the beginning of a record stands
// that the library passes over, or 0 if there is none. It is for the end of the file.
func (s *Scanner) Unread() int32 {
	rest := recordLines(s.r.data[s.r.start:s.r.end], s.r.startLine)
	if isBlank(rest.text) || isDirective(rest.text) {
		return 0
	}
	return rest.line
}

// Line returns the number of the line on which the present record begins.
func (s *Scanner) Line() int32 { return s.record.line }

// Text returns the lines of the present record. The slice is shared: read only.
func (s *Scanner) Text() []byte { return s.record.text }

// InheritsOwner reports whether the present record names no owner, and so has the owner
// of the record above.
func (s *Scanner) InheritsOwner() bool { return s.record.inheritsOwner() }

// Comment returns the comment of the present record, of any type, as the library
// understands it: it misses some comments inside parentheses, and those of a $GENERATE.
func (s *Scanner) Comment() string {
	return strings.TrimSpace(strings.ReplaceAll(s.zp.Comment(), "\n", " "))
}

// Comment is a comment behind a line of a record.
type Comment struct {
	Text string // with its semicolon
	Line int32
	Col  int32 // of the tags in it if there are any, in characters, or else of the semicolon
}

// Comments returns the comments behind all lines of the present record, which must be of
// a type without quoted strings, as A, AAAA and CNAME are.
func (s *Scanner) Comments() []Comment {
	var out []Comment
	text := s.record.text
	for line := s.record.line; len(text) > 0; line++ {
		first := firstLine(text)
		text = text[len(first):]
		c := commentOf(first)
		if c == nil {
			continue
		}
		col := int32(utf8.RuneCount(first[:len(first)-len(c)]) + 1)
		if strings.Contains(string(c), tagsPrefix) {
			col = columnOfTags(first)
		}
		out = append(out, Comment{strings.TrimSpace(string(c)), line, col})
	}
	return out
}
