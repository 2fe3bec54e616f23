package mapfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/printable"
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
		fmt.Fprintf(&b, "\n  remedy: %s", printable.Line(e.Remedy))
	}
	return b.String()
}

// Head is the first line of Error: place, rule and text.
func (e *Error) Head() string {
	var b strings.Builder
	b.WriteString(printable.Line(e.File))
	if e.Pos.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Pos.Line, e.Pos.Col)
	}
	b.WriteString(": ")
	if e.Rule != "" {
		b.WriteString(e.Rule + ": ")
	}
	b.WriteString(printable.Text(e.Text)) // that of a zone file's error has lines of its own
	return b.String()
}

// Errors has every error of some documents. An empty list is no error: use
// [Errors.Err].
type Errors []*Error

// Kind is what errors have in common that are about different values.
func (e *Error) Kind() string {
	kind := printable.Kind(e.Text)
	if e.Rule == "" {
		return kind
	}
	return e.Rule + ": " + kind
}

// Error prints the errors one after the other, the first ten of each kind, and counts the
// others. The last line says where the rules are explained.
func (es Errors) Error() string {
	var parts []string
	kinds, rules := make([]string, len(es)), make([]string, len(es))
	for i, e := range es {
		kinds[i], rules[i] = e.Kind(), e.Rule
	}
	shown, more := printable.First(kinds)
	for _, i := range shown {
		parts = append(parts, es[i].Error())
	}
	parts = append(parts, more...)
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
