package zonefile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Error is one complaint about one place of a zone file. It quotes nothing of the
// file: a map that names a file which is none, as one of passwords, must not bring
// a line of it into a log.
type Error struct {
	File   string
	Line   int32  // from 1; 0 for the file as a whole
	Col    int32  // from 1
	Text   string // what is wrong, lower case
	Remedy string // what to do about it
	Err    error  // the library's error, or nil
}

// Error prints the place, what is wrong, and the remedy on a line of its own:
//
//	db.example.org:12:33: tag cf-proxied has a value that is neither true nor false
//	  remedy: write cf-proxied:true or cf-proxied:false
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
		if e.Line > 0 {
			fmt.Fprintf(&b, "%d:%d:", e.Line, max(1, e.Col))
		}
		b.WriteByte(' ')
	}
	b.WriteString(e.Text)
	if e.Remedy != "" {
		b.WriteString("\n  remedy: " + e.Remedy)
	}
	return b.String()
}

// Unwrap returns the library's error, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Errors is every complaint about a zone file, in the order of its lines: all
// those about tags, up to a hundred, and then the one that ended the reading.
type Errors []*Error

// Error prints the complaints one after the other.
func (es Errors) Error() string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = e.Error()
	}
	return strings.Join(parts, "\n")
}

// Unwrap returns the complaints, for errors.As.
func (es Errors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// parseError explains why the parser stopped: for a reason of the reader, or
// for one of its own.
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
		told := Explain(err)
		e.Text, e.Remedy = told.Text, told.Remedy
		// The parser may have looked ahead to the next line and knows its own;
		// but of what a $GENERATE makes it counts the records.
		if told.Line > 0 && !r.generating && r.start < r.end {
			e.Line, e.Col = told.Line, told.Col
		}
	}
	return e
}

// Explain turns an error of the library's parser into one that quotes nothing of
// the text that was read. Its File is empty, and its Line is 0 if the library does
// not tell it.
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
	// Before the place stands what was read there, in quotes, and before that one
	// of the library's own phrases; some others hold what was read as well.
	if phrase := ownPhrase.FindStringSubmatch(rest); phrase != nil && strings.Count(rest, "dns: ") == 1 {
		e.Text = phrase[1]
	}
	return e
}

// ownPhrase matches the library's errors that hold a phrase of its own. What was
// read is always in quotes.
var ownPhrase = regexp.MustCompile(`^dns: ([A-Za-z0-9 /$-]+): "`)

// cutLast is [strings.Cut] around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
