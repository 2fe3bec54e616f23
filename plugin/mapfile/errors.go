package mapfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one error about one place of a document.
type Error struct {
	File   string
	Pos    Pos
	Rule   string // "V5"; "" for a warning
	Text   string // the error, lower case, values quoted
	Remedy string // how to correct the error
	Line   string // the line, or of a long one the part around the place

	caret int // column of the place in Line
}

// Error prints the place, the text, the line with a caret under the place,
// and the remedy:
//
//	maps.yaml:12:11: V5: address "203.0.113.7" is in no prefix of account "acme"
//	      ips: [203.0.113.7]
//	            ^
//	  remedy: add the prefix to the account, or take the address off the map
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Head())
	if e.Line != "" {
		fmt.Fprintf(&b, "\n    %s\n    %s^", e.Line, pad(e.Line, e.caret))
	}
	if e.Remedy != "" {
		fmt.Fprintf(&b, "\n  remedy: %s", e.Remedy)
	}
	return b.String()
}

// Head is the first line of Error: place, rule and text.
func (e *Error) Head() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Pos.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Pos.Line, e.Pos.Col)
	}
	b.WriteString(": ")
	if e.Rule != "" {
		b.WriteString(e.Rule + ": ")
	}
	b.WriteString(e.Text)
	return b.String()
}

// Errors has every error of some documents. An empty list is no error: use
// [Errors.Err].
type Errors []*Error

// maxPrinted is how many errors one message lists: nobody reads more, and a document
// that is wrong throughout must not fill the log.
const maxPrinted = 100

// Error prints the errors one after the other, and counts the errors beyond the first
// hundred. The last line says where the rules are explained.
func (es Errors) Error() string {
	shown := es[:min(len(es), maxPrinted)]
	parts := make([]string, len(shown), len(shown)+2)
	for i, e := range shown {
		parts[i] = e.Error()
	}
	if n := len(es) - len(shown); n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more errors", n))
	}
	rules := make([]string, len(es))
	for i, e := range es {
		rules[i] = e.Rule
	}
	if see := SeeRules(rules); see != "" {
		parts = append(parts, see)
	}
	return strings.Join(parts, "\n")
}

// SeeRules returns the line of a message that says where its rules are explained,
// or "" if it has none. Each rule is named once, however many errors it has:
//
//	see docs/rules.md#v2, #v5
func SeeRules(rules []string) string {
	var anchors []string
	for _, rule := range rules {
		if anchor := "#" + strings.ToLower(rule); rule != "" && !slices.Contains(anchors, anchor) {
			anchors = append(anchors, anchor)
		}
	}
	if len(anchors) == 0 {
		return ""
	}
	return "see docs/rules.md" + strings.Join(anchors, ", ")
}

// Err returns es in the order of file and place, or nil if it is empty.
func (es Errors) Err() error {
	if len(es) == 0 {
		return nil
	}
	es.Sort()
	return es
}

// Sort puts the errors in the order of file and place.
func (es Errors) Sort() {
	slices.SortStableFunc(es, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
}

// Errorf makes an error about the place pos of d, quoting the line. Errorf is safe for
// concurrent use and takes microseconds, however long the document.
func (d *Document) Errorf(pos Pos, rule, remedy, format string, args ...any) *Error {
	e := &Error{File: d.Name, Pos: pos, Rule: rule, Remedy: remedy, Text: fmt.Sprintf(format, args...)}
	if d.text != nil {
		e.Line, e.caret = d.text.quote(pos)
	}
	return e
}

// Forget drops the text of the document, which only errors need: errors made later
// quote no line.
func (d *Document) Forget() { d.text = nil }
