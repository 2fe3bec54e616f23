package mapfile

import (
	"bytes"
)

// pieceSize is the least size of a piece of a document in bytes, but for the last.
const pieceSize = 64 << 10

// nodesPerPiece is enough nodes for most pieces.
const nodesPerPiece = pieceSize / 8

// pieces is a document divided into pieces.
type pieces struct {
	head       []byte // the text before the accounts
	key        Pos    // of "accounts", the last key in head
	itemColumn int32  // the column in which each item begins
	items      []piece
}

// piece is a list of some of the accounts.
type piece struct {
	text []byte
	line int // number of lines before text
}

// cutPieces divides a document whose last key is "accounts", with a list in block
// style, into the text before the items of the list, and pieces with some of the items
// each, which are at least size bytes long. It goes by the beginnings of lines, and
// reports false for a document in another style.
func cutPieces(data []byte, size int) (pieces, bool) {
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
		case out.key.Line == 0 && text[0] == '%': // A directive applies to all pieces.
			return pieces{}, false
		case out.key.Line == 0:
			if isAccounts(text) {
				out.key = Pos{int32(line + 1), column}
			}
		case out.itemColumn == 0:
			if !isItem || column < out.key.Col {
				return pieces{}, false
			}
			out.head, out.itemColumn = data[:at], column
			from, fromLine = at, line
		case column < out.itemColumn || column == out.itemColumn && !isItem:
			return pieces{}, false
		case column == out.itemColumn && at-from >= size:
			out.items = append(out.items, piece{data[from:at], fromLine})
			from, fromLine = at, line
		}
		at = end
	}
	out.items = append(out.items, piece{data[from:], fromLine})
	return out, len(out.items) > 1
}

// LargestPiece returns how many bytes of a document in YAML are read at once, into a
// tree that is many times as large. It is 0 for JSON.
func LargestPiece(data []byte) int {
	if looksLikeJSON(data) {
		return 0
	}
	p, ok := cutPieces(data, pieceSize)
	if !ok {
		return len(data)
	}
	largest := len(p.head)
	for _, item := range p.items {
		largest = max(largest, len(item.text))
	}
	return largest
}

// isAccounts reports whether text is the key "accounts" without a value.
func isAccounts(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte("accounts:"))
	return ok && (len(rest) == 0 || rest[0] == ' ' && bytes.TrimLeft(rest, " ")[0] == '#')
}

// hasPlainBreaks reports whether "\n", alone or after "\r", is the only line break in
// text, and text has no byte order mark, which would count at the start of a piece.
func hasPlainBreaks(text []byte) bool {
	for _, s := range []string{"\u0085", "\u2028", "\u2029", "\ufeff"} {
		if bytes.Contains(text, []byte(s)) {
			return false
		}
	}
	return bytes.Count(text, []byte("\r")) == bytes.Count(text, []byte("\r\n"))
}

// parsePieces reads a document in pieces, each of which takes a small part of the
// memory of the whole document: the library's tree is many times as large as the text.
// It reports false for a document that must be read as a whole, such as one that is no
// YAML: the errors are exact then.
//
// Pieces that are YAML mean together the same as the whole document. A piece that ends
// within quotes or brackets is no YAML, and every other construct ends before a line
// that is indented as little as the items (YAML 1.2.2, chapters 6 to 8).
func parsePieces(name string, data []byte, size int) (*Document, Errors, bool) {
	p, ok := cutPieces(data, size)
	if !ok {
		return nil, nil, false
	}
	doc := &Document{Name: name, text: &quoter{data: data}}
	d := &decoder{doc: doc}
	conv := converter{nodes: make([]node, nodesPerPiece)}
	root, ok := conv.piece(piece{text: p.head}, kindMap, maxDepth)
	if !ok {
		return nil, nil, false
	}
	key, accounts := root.lookup("accounts")
	if key == nil || key.pos != p.key || accounts != &root.children[len(root.children)-1] || accounts.kind != kindNull {
		return nil, nil, false
	}
	*accounts = node{kind: kindList, pos: Pos{int32(p.items[0].line + 1), p.itemColumn}}
	if d.document(&root); doc.AccountsInvalid {
		return nil, nil, false
	}
	for _, item := range p.items {
		list, ok := conv.piece(item, kindList, maxDepth-1)
		if !ok {
			return nil, nil, false
		}
		d.accountList(list.children)
	}
	return doc, d.finish(), true
}

// piece reads a piece, which must be of the kind want.
func (c *converter) piece(p piece, want kind, depth int) (node, bool) {
	if _, long := longFlow(p.text, maxFlow); long || !hasPlainBreaks(p.text) {
		return node{}, false
	}
	c.line = p.line
	root, second, err := c.load(p.text, depth)
	return root, err == nil && second == (Pos{}) && root.kind == want
}
