package mapedit

import (
	"fmt"
	"iter"
	"strings"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// editor changes one document.
type editor struct {
	name string
	data []byte
	root mapfile.Tree
	look look
}

// splice puts text in the place of n octets at an offset; n is 0 for an insertion.
type splice struct {
	at, n int
	text  string
}

// apply returns the document with the change. It reports false if there is no place
// at which the new text would mean the old document and the change.
func (e *editor) apply(c change) ([]byte, bool) {
	var fixed []splice
	for _, s := range c.scalars {
		at, n, ok := e.written(s.at)
		if !ok {
			return nil, false
		}
		fixed = append(fixed, splice{at, n, scalarText(s.value, e.look.json)})
	}
	want := meaning(e.root, c)
	for splices := range e.places(c) {
		text := spliced(e.data, append(fixed[:len(fixed):len(fixed)], splices...))
		if tree, errs := mapfile.ReadTree(e.name, text); len(errs) == 0 && meaning(tree, change{}) == want {
			return text, true
		}
	}
	return nil, false
}

// places returns the ways to insert what the change adds, the likeliest one first.
func (e *editor) places(c change) iter.Seq[[]splice] {
	return func(yield func([]splice) bool) {
		if c.item == nil && c.fields == nil {
			yield(nil)
			return
		}
		start := e.start(c.to)
		if b := e.data[start]; b == '[' || b == '{' {
			if splices, ok := e.inFlow(c, start); ok {
				yield(splices)
			}
			return
		}
		for s := range e.inBlock(c, start) {
			if !yield([]splice{s}) {
				return
			}
		}
	}
}

// start returns the offset at which a collection begins, past its anchor and tag.
func (e *editor) start(t mapfile.Tree) int {
	off := t.Offset()
	if t.IsMapping() && t.Len() > 0 && t.Child(0).Offset() == off {
		return off // An anchor here belongs to the key.
	}
	for off < len(e.data) && (e.data[off] == '&' || e.data[off] == '!') {
		for off < len(e.data) && !isSpace(e.data[off]) {
			off++
		}
		off = skipBlank(e.data, off)
	}
	return min(off, len(e.data)-1)
}

// written returns where a scalar is written, if it is in one line and has no anchor.
func (e *editor) written(t mapfile.Tree) (at, n int, ok bool) {
	at = t.Offset()
	rest := e.data[at:]
	if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		return at, quotedLen(rest), true
	}
	text := t.Text()
	return at, len(text), text != "" && strings.HasPrefix(string(rest[:min(len(rest), len(text))]), text)
}

// spliced returns the text with the splices, which are in order and do not overlap but
// for those of scalars, which come first in any order.
func spliced(data []byte, splices []splice) []byte {
	sorted := sortedSplices(splices)
	var out []byte
	from := 0
	for _, s := range sorted {
		out = append(append(out, data[from:s.at]...), s.text...)
		from = s.at + s.n
	}
	return append(out, data[from:]...)
}

// meaning writes down what a document says, together with a change: two documents that
// say the same, in whatever form, have the same meaning.
func meaning(t mapfile.Tree, c change) string {
	var b strings.Builder
	writeMeaning(&b, t, c)
	return b.String()
}

func writeMeaning(b *strings.Builder, t mapfile.Tree, c change) {
	for _, s := range c.scalars {
		if s.at == t {
			writeValue(b, s.value)
			return
		}
	}
	if !t.IsList() && !t.IsMapping() {
		fmt.Fprintf(b, "%s %q\n", t.Kind(), t.Text())
		return
	}
	b.WriteString(t.Kind() + " (\n")
	for i := range t.Len() {
		writeMeaning(b, t.Child(i), c)
	}
	if t == c.to && c.item != nil {
		writeValue(b, c.item)
	}
	if t == c.to {
		writeFields(b, c.fields)
	}
	b.WriteString(")\n")
}

// writeValue writes the meaning of a new value.
func writeValue(b *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		fmt.Fprintf(b, "text %q\n", v)
	case bool:
		fmt.Fprintf(b, "true or false \"%t\"\n", v)
	case []mapping:
		b.WriteString("a list (\n")
		for _, m := range v {
			writeValue(b, m)
		}
		b.WriteString(")\n")
	case mapping:
		b.WriteString("a mapping (\n")
		writeFields(b, v)
		b.WriteString(")\n")
	}
}

func writeFields(b *strings.Builder, fields mapping) {
	for _, f := range fields {
		writeValue(b, f.key)
		writeValue(b, f.value)
	}
}
