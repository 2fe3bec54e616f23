package zonefile

import (
	"bytes"
	"errors"
	"io"
)

const (
	// maxRecord is the most text one record may have, comments of their own
	// line not counted: the longest RDATA is 65,535 octets, and an octet takes
	// up to four characters.
	maxRecord = 320 << 10
	// maxGenerate is the most text a $GENERATE line may have. The library takes
	// time that grows with the square of the line's length.
	maxGenerate = 4 << 10
)

var (
	errRecordLong   = errors.New("record is too long")
	errGenerateLong = errors.New("$GENERATE is too long")
)

// reader passes a zone file to the parser, which asks for single bytes and stops at
// the end of a record. The reader thereby knows the place and the text of each record.
// The parser returns no line numbers, and its comments have gaps: the comment of a
// $GENERATE is lost, some comments inside parentheses are lost, and the others are
// joined.
type reader struct {
	data     []byte
	pos, end int   // the next byte; the end of its line
	line     int32 // the line that ends at end
	err      error // errRecordLong, errGenerateLong, or nil

	// Of the present record:
	start      int // where the record before ended
	startLine  int32
	length     int // in bytes, as far as the record is read, without blank lines
	limit      int // of length
	generating bool
}

func newReader(data []byte) *reader {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // a byte order mark
	return &reader{data: data, limit: maxRecord, startLine: 1}
}

// takeRecord returns the lines that were read since the last call, and the number of
// the first. There are no lines for a record that comes from a $GENERATE further up.
func (r *reader) takeRecord() (text []byte, line int32) {
	text, line = r.data[r.start:r.end], r.startLine
	r.start, r.startLine = r.end, r.line+1
	r.length, r.limit, r.generating = 0, maxRecord, false
	return text, line
}

// ReadByte implements [io.ByteReader].
func (r *reader) ReadByte() (byte, error) {
	if r.pos == r.end {
		if err := r.nextLine(); err != nil {
			return 0, err
		}
	}
	c := r.data[r.pos]
	r.pos++
	return c, nil
}

// Read implements [io.Reader]. The parser prefers ReadByte.
func (r *reader) Read(p []byte) (int, error) {
	for i := range p {
		c, err := r.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

// nextLine makes the next line readable, unless the present record becomes longer with
// the line than limit.
func (r *reader) nextLine() error {
	if r.end == len(r.data) {
		return io.EOF
	}
	line := firstLine(r.data[r.end:])
	r.end += len(line)
	r.line++
	if isBlank(line) {
		return nil
	}
	r.length += len(line)
	if !r.generating && bytes.IndexByte(line, '$') >= 0 && bytes.Contains(bytes.ToUpper(line), []byte("$GENERATE")) {
		r.generating = true
		r.limit = min(r.limit, r.length-len(line)+maxGenerate)
	}
	if r.length <= r.limit {
		return nil
	}
	r.err = errRecordLong
	if r.generating {
		r.err = errGenerateLong
	}
	return r.err
}

// firstLine returns the first line of text with its end of line.
func firstLine(text []byte) []byte {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1]
	}
	return text
}

// isBlank reports whether a line has only space and a comment.
func isBlank(line []byte) bool {
	line = bytes.TrimLeft(line, " \t\r\n")
	return len(line) == 0 || line[0] == ';'
}
