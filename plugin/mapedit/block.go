package mapedit

import (
	"bytes"
	"iter"
	"strings"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// maxPlaces is at how many ends of lines a place is looked for: a value that goes on
// for more lines after its beginning is nothing that people write.
const maxPlaces = 100

// inBlock returns the ways to insert lines at the end of a list or mapping in lines
// that starts at an offset. Where its last value ends, the positions do not tell, only
// where the value begins: every end of a line from there on may be it.
func (e *editor) inBlock(c change, start int) iter.Seq[splice] {
	lines := e.blockLines(c, start)
	following := e.following(c.to)
	return func(yield func(splice) bool) {
		at := e.lastValue(c.to, start)
		for range maxPlaces {
			at = nextLine(e.data, at)
			if !yield(e.lineSplice(e.pastComments(at, start, following), lines)) || at == len(e.data) {
				return
			}
		}
	}
}

// blockLines returns the lines to insert.
func (e *editor) blockLines(c change, start int) string {
	b := block{item: e.look.item, dash: e.look.dash, br: e.look.br}
	if c.item == nil {
		return b.fields(c.fields, column(e.data, start))
	}
	if n := c.to.Len(); n > 0 && !c.to.Child(n-1).IsMissing() {
		last := c.to.Child(n - 1)
		off := e.start(last)
		b.flows = e.data[off] == '{'
		b.dash = dashOf(e.data, last.Offset(), start)
	}
	return b.listItem(c.item, column(e.data, start))
}

// lineSplice inserts lines at the beginning of a line, or at the end of the text, whose
// last line may lack its line break and goes on lacking it.
func (e *editor) lineSplice(at int, lines string) splice {
	if before := e.data[:at]; at == len(e.data) && lineStart(before, at) != at {
		lines = e.look.br + strings.TrimSuffix(lines, e.look.br)
	}
	return splice{at: at, text: lines}
}

// lastValue returns where the last value of a collection begins for which something
// is written.
func (e *editor) lastValue(t mapfile.Tree, start int) int {
	last := start
	for t.Len() > 0 {
		i := t.Len() - 1
		if t.Child(i).IsMissing() && i > 0 {
			i-- // the key of the missing value
		}
		if t = t.Child(i); !t.IsMissing() {
			last = t.Offset()
		}
	}
	return last
}

// pastComments returns the beginning of the line after the comments that go on, without
// a blank line between, from the line that begins at an offset: those in the columns of
// the collection, and further right than what follows it, belong to the collection.
func (e *editor) pastComments(at, start int, following mapfile.Tree) int {
	least := column(e.data, start)
	if !following.IsMissing() {
		least = max(least, column(e.data, following.Offset())+1)
	}
	for at < len(e.data) {
		line := e.data[at:lineEnd(e.data, at)]
		text := bytes.TrimLeft(line, " ")
		if len(text) == 0 || text[0] != '#' || len(line)-len(text) < least {
			break
		}
		at = nextLine(e.data, at)
	}
	return at
}

// following returns the value that is written next after all of t.
func (e *editor) following(t mapfile.Tree) mapfile.Tree {
	var next mapfile.Tree
	var walk func(in mapfile.Tree) bool
	walk = func(in mapfile.Tree) bool {
		if in == t {
			return true
		}
		for i := range in.Len() {
			if walk(in.Child(i)) {
				if i+1 < in.Len() && next == (mapfile.Tree{}) {
					next = in.Child(i + 1)
				}
				return true
			}
		}
		return false
	}
	walk(e.root)
	return next
}
