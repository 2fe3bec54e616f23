package zonefile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/addressmap/addressmap/plugin/printable"
)

// Error is one error about one place of a zone file. An Error quotes no text of the
// file: a map that names a file of passwords as a zone file must not bring a line of
// that file into a log.
type Error struct {
	File   string
	Line   int32  // from 1; 0 for the file as a whole
	Col    int32  // from 1
	Text   string // the error, lower case
	Remedy string // how to correct the error
	Err    error  // the library's error, or nil
}

// Error prints the place, the text, and the remedy on a line of its own:
//
//	db.example.org:12:33: tag cf-proxied has a value that is neither true nor false
//	  remedy: write cf-proxied:true or cf-proxied:false
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(printable.Line(e.File) + ":")
		if e.Line > 0 {
			fmt.Fprintf(&b, "%d:%d:", e.Line, max(1, e.Col))
		}
		b.WriteByte(' ')
	}
	b.WriteString(printable.Line(e.Text))
	if e.Remedy != "" {
		b.WriteString("\n  remedy: " + printable.Line(e.Remedy))
	}
	return b.String()
}

// Unwrap returns the library's error, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Errors has every error of a zone file, in the order of its lines: up to a hundred
// errors about tags, and then the error that ended the reading.
type Errors []*Error

// Error prints the errors one after the other, the first ten that say the same.
func (es Errors) Error() string {
	kinds := make([]string, len(es))
	for i, e := range es {
		kinds[i] = e.Text
	}
	shown, more := printable.First(kinds)
	parts := make([]string, len(shown), len(shown)+len(more))
	for i, at := range shown {
		parts[i] = es[at].Error()
	}
	return strings.Join(append(parts, more...), "\n")
}

// Unwrap returns the errors, for errors.As.
func (es Errors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// parseError returns the error that ended the reading: an error of the reader, or of
// the library's parser.
func parseError(err error, r *reader) *Error {
	e := &Error{Line: r.line, Err: err}
	switch {
	case r.err == errRecordLong:
		e.Err = r.err
		e.Text = fmt.Sprintf("a record of more than %d bytes ends here", maxRecord)
		e.Remedy = "look for a quote or a parenthesis further up that is not closed"
	case r.err == errGenerateLong:
		e.Err = r.err
		e.Text = fmt.Sprintf("$GENERATE of more than %d bytes", maxGenerate)
		e.Remedy = "write the records out"
	case strings.Contains(err.Error(), "$INCLUDE directive not allowed"):
		e.Text = "$INCLUDE is not followed: marks in the included file would be missed"
		e.Remedy = "put the records into one file"
	default:
		explained := Explain(err)
		e.Text, e.Remedy = explained.Text, explained.Remedy
		// The parser knows its line, and the reader may be a line ahead. But the
		// parser counts the records of a $GENERATE as lines.
		if explained.Line > 0 && !r.generating && r.start < r.end {
			e.Line, e.Col = explained.Line, explained.Col
		}
	}
	return e
}

// Explain turns an error of the library's parser into an Error, which quotes no text
// of the zone file. Its File is empty, and its Line is 0 if the library gives none.
func Explain(err error) *Error {
	e := &Error{Err: err, Text: "no record or directive", Remedy: "correct the record or directive in this place"}
	rest, place, ok := cutLast(err.Error(), " at line: ")
	if !ok {
		return e
	}
	line, col, _ := strings.Cut(place, ":")
	l, err := strconv.ParseInt(line, 10, 32)
	c, err2 := strconv.ParseInt(col, 10, 32)
	if err == nil && err2 == nil {
		e.Line, e.Col = int32(l), int32(c)
	}
	// The library's error has a phrase, the text of the zone file in quotes, and the
	// place. Some phrases have text of the zone file in them too.
	if phrase := libraryPhrase.FindStringSubmatch(rest); phrase != nil && strings.Count(rest, "dns: ") == 1 {
		e.Text = phrase[1]
	}
	return e
}

// libraryPhrase matches the library's errors whose phrase has no text of the zone
// file in it; that text is always in quotes.
var libraryPhrase = regexp.MustCompile(`^dns: ([A-Za-z0-9 /$-]+): "`)

// cutLast is [strings.Cut] around the last sep.
func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
