package zonefile

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is one complaint about one line of a zone file.
type Error struct {
	File   string
	Line   int32  // from 1; 0 for the file as a whole
	Text   string // what is wrong, lower case, values quoted
	Remedy string // what to do about it
	Err    error  // the library's error, or nil
}

// Error prints the place, what is wrong, and the remedy on a line of its own:
//
//	db.example.org:12: tag cf-proxied has the value "yes"
//	  remedy: write cf-proxied:true or cf-proxied:false
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
		if e.Line > 0 {
			fmt.Fprintf(&b, "%d:", e.Line)
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
		e.Text = strings.TrimPrefix(err.Error(), "dns: ")
		e.Remedy = "correct the record or directive on this line"
		text, place, ok := cutLast(e.Text, " at line: ")
		if !ok {
			return e
		}
		e.Text = text
		// The parser may have looked ahead to the next line and knows its own;
		// but of what a $GENERATE makes it counts the records.
		line, _, _ := strings.Cut(place, ":")
		if n, err := strconv.ParseInt(line, 10, 32); err == nil && !r.generating && r.start < r.end {
			e.Line = int32(n)
		}
	}
	return e
}

// cutLast is [strings.Cut] around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
