package mapedit

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// look is how a document is written, as far as a new entry should look like the rest.
type look struct {
	json   bool
	narrow bool   // JSON without blanks
	unit   string // JSON: what the keys of the document are indented by, "" if they are in one line
	br     string // the line break
	item   int    // YAML: columns from a list's key to its dashes
	dash   int    // YAML: columns from a dash to its item
}

// lookOf learns from the document.
func lookOf(root mapfile.Tree, data []byte) look {
	l := look{json: mapfile.IsJSON(data), br: lineBreak(data), item: 2, dash: 2}
	if l.json && root.Len() > 0 {
		if indent, ownLine := indentAt(data, root.Child(0).Offset()); ownLine {
			l.unit = indent
		}
		l.narrow = data[root.Child(1).Offset()-1] == ':'
	}
	for key, list := range lists(root) {
		off := list.Offset()
		if data[off] != '-' {
			continue
		}
		l.item = column(data, off) - column(data, key.Offset())
		if item := list.Child(0); !item.IsMissing() {
			l.dash = dashOf(data, item.Offset(), off)
		}
		break
	}
	return l
}

// dashOf returns the columns from the dash of a list to what stands behind the dash.
func dashOf(data []byte, item, dash int) int {
	return min(max(2, column(data, item)-column(data, dash)), 9)
}

// lists returns all lists of a document that are not empty, with their keys.
func lists(t mapfile.Tree) iter.Seq2[mapfile.Tree, mapfile.Tree] {
	var walk func(t mapfile.Tree, yield func(k, v mapfile.Tree) bool) bool
	walk = func(t mapfile.Tree, yield func(k, v mapfile.Tree) bool) bool {
		for i := range t.Len() {
			child := t.Child(i)
			if t.IsMapping() && i%2 == 1 && child.IsList() && child.Len() > 0 && !yield(t.Child(i-1), child) {
				return false
			}
			if !walk(child, yield) {
				return false
			}
		}
		return true
	}
	return func(yield func(k, v mapfile.Tree) bool) { walk(t, yield) }
}

// items returns the items of a list; none of any other value.
func items(t mapfile.Tree) iter.Seq[mapfile.Tree] {
	return func(yield func(mapfile.Tree) bool) {
		for i := range t.Len() {
			if !t.IsList() || !yield(t.Child(i)) {
				return
			}
		}
	}
}

// lineBreak returns the first line break of a text.
func lineBreak(data []byte) string {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0 || data[i] == '\n':
		return "\n"
	case i+1 < len(data) && data[i+1] == '\n':
		return "\r\n"
	}
	return "\r"
}

// lineStart returns where the line of an offset begins.
func lineStart(data []byte, off int) int { return bytes.LastIndexAny(data[:off], "\r\n") + 1 }

// lineEnd returns where the line of an offset ends, before its line break.
func lineEnd(data []byte, off int) int {
	if n := bytes.IndexAny(data[off:], "\r\n"); n >= 0 {
		return off + n
	}
	return len(data)
}

// nextLine returns where the line after that of an offset begins, or the end.
func nextLine(data []byte, off int) int {
	end := lineEnd(data, off)
	if bytes.HasPrefix(data[end:], []byte("\r\n")) {
		return end + 2
	}
	return min(end+1, len(data))
}

// column returns the column of an offset, from 0. Before a block there are spaces only.
func column(data []byte, off int) int {
	return len([]rune(string(bytes.TrimPrefix(data[lineStart(data, off):off], []byte("\ufeff")))))
}

// indentAt returns the white space before an offset in its line, and whether there is
// nothing else before it.
func indentAt(data []byte, off int) (string, bool) {
	indent := indentOf(data, off)
	return indent, lineStart(data, off)+len(indent) == off
}

// indentOf returns the white space at the head of the line of an offset.
func indentOf(data []byte, off int) string {
	line := data[lineStart(data, off):off]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// skipBlank returns the offset past white space and comments.
func skipBlank(data []byte, off int) int {
	for off < len(data) {
		switch {
		case data[off] == '#':
			off = lineEnd(data, off)
		case isSpace(data[off]):
			off++
		default:
			return off
		}
	}
	return off
}

// sortedSplices returns the splices in the order of their places.
func sortedSplices(s []splice) []splice {
	return slices.SortedStableFunc(slices.Values(s), func(a, b splice) int { return cmp.Compare(a.at, b.at) })
}
