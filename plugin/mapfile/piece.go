package mapfile

import (
	"bytes"
)

// pieceSize is how many bytes a piece of a document has at least, but for the last.
const pieceSize = 64 << 10

// slabSize is enough nodes for most pieces.
const slabSize = pieceSize / 8

// pieces is a document that was cut.
type pieces struct {
	head   []byte // what comes before the accounts
	key    Pos    // of "accounts", the last key in it
	column int32  // in which each item begins
	items  []piece
}

// piece is a list of some of the accounts.
type piece struct {
	text []byte
	line int // how many lines come before it
}

// cut divides a document of which the last key is "accounts", with a list in block
// style, into what comes before its items, and lists of some of them each that are
// at least size bytes long. It goes by how lines begin, and reports false of a
// document that is written differently.
func cut(data []byte, size int) (pieces, bool) {
	var out pieces
	from, fromLine := 0, 0
	for at, line := 0, 0; at < len(data); line++ {
		end := min(len(data), endOf(data, at, "\n")+1)
		text := bytes.TrimRight(data[at:end], " \r\n")
		column := int32(1 + len(text))
		text = bytes.TrimLeft(text, " ")
		column -= int32(len(text))
		isItem := len(text) > 0 && text[0] == '-' && (len(text) == 1 || text[1] == ' ')
		switch {
		case len(text) == 0 || text[0] == '#':
		case out.key.Line == 0 && text[0] == '%': // a directive holds for all
			return pieces{}, false
		case out.key.Line == 0:
			if isAccounts(text) {
				out.key = Pos{int32(line + 1), column}
			}
		case out.column == 0:
			if !isItem || column < out.key.Col {
				return pieces{}, false
			}
			out.head, out.column = data[:at], column
			from, fromLine = at, line
		case column < out.column || column == out.column && !isItem:
			return pieces{}, false
		case column == out.column && at-from >= size:
			out.items = append(out.items, piece{data[from:at], fromLine})
			from, fromLine = at, line
		}
		at = end
	}
	out.items = append(out.items, piece{data[from:], fromLine})
	return out, len(out.items) > 1
}

// LargestPiece returns how many bytes of a document in YAML are read at once: in a tree
// that is many times as large. It is 0 for JSON.
func LargestPiece(data []byte) int {
	if looksLikeJSON(data) {
		return 0
	}
	p, ok := cut(data, pieceSize)
	if !ok {
		return len(data)
	}
	largest := len(p.head)
	for _, item := range p.items {
		largest = max(largest, len(item.text))
	}
	return largest
}

// isAccounts reports whether text is the key and nothing else.
func isAccounts(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte("accounts:"))
	return ok && (len(rest) == 0 || rest[0] == ' ' && bytes.TrimLeft(rest, " ")[0] == '#')
}

// simple reports whether "\n", alone or after "\r", is the only line break in text,
// and whether there is no byte order mark, which means something at the beginning.
func simple(text []byte) bool {
	for _, s := range []string{"\u0085", "\u2028", "\u2029", "\ufeff"} {
		if bytes.Contains(text, []byte(s)) {
			return false
		}
	}
	return bytes.Count(text, []byte("\r")) == bytes.Count(text, []byte("\r\n"))
}

// parsePieces reads a document in pieces, of which each takes a small part of the
// memory that the whole does: the library's tree is many times as large as the
// text. It reports false of a document that has to be read as a whole, as one that
// is no YAML: what is wrong with it is known exactly then.
//
// Pieces that are YAML say together what the whole document says. One that ends
// within quotes or brackets is not, and whatever else a line may be part of ends
// where something is indented as little as the items are (YAML 1.2.2, chapters 6
// to 8).
func parsePieces(name string, data []byte, size int) (*Document, Errors, bool) {
	p, ok := cut(data, size)
	if !ok {
		return nil, nil, false
	}
	doc := &Document{Name: name, text: &quoter{data: data}}
	d := &decoder{doc: doc}
	conv := converter{slab: make([]node, slabSize)}
	root, ok := conv.piece(piece{text: p.head}, kindMap, maxDepth)
	if !ok {
		return nil, nil, false
	}
	key, accounts := root.find("accounts")
	if key == nil || key.pos != p.key || accounts != &root.kids[len(root.kids)-1] || accounts.kind != kindNull {
		return nil, nil, false
	}
	*accounts = node{kind: kindList, pos: Pos{int32(p.items[0].line + 1), p.column}}
	if d.document(&root); doc.AccountsInvalid {
		return nil, nil, false
	}
	for _, item := range p.items {
		list, ok := conv.piece(item, kindList, maxDepth-1)
		if !ok {
			return nil, nil, false
		}
		d.accountList(list.kids)
	}
	return doc, d.done(), true
}

// piece reads a piece that must be of the kind wanted.
func (c *converter) piece(p piece, want kind, depth int) (node, bool) {
	if _, long := longFlow(p.text, maxFlow); long || !simple(p.text) {
		return node{}, false
	}
	c.line = p.line
	root, second, err := c.read(p.text, depth)
	return root, err == nil && second == (Pos{}) && root.kind == want
}
