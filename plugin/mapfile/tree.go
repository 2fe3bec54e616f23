package mapfile

import (
	"bytes"
	"encoding/json"
)

// Tree is one value of a document as written, for programs that change a document's
// text: [Document] has what the values mean. Two equal Trees are the same value. The
// zero Tree is "no value".
type Tree struct {
	doc  *Document
	node *node
	from int // offset of the document in the text: past a byte order mark
}

// ReadTree returns the value that is the whole document. It reads a document in YAML
// at once, into a tree many times as large as the text, and knows no rule but that the
// document is one: [Parse] says whether it is legal.
func ReadTree(name string, data []byte) (Tree, Errors) {
	text := bytes.TrimPrefix(data, []byte("\ufeff"))
	t := Tree{doc: &Document{Name: name, text: &quoter{data: text}}, from: len(data) - len(text)}
	if e := checkText(t.doc); e != nil {
		return Tree{}, Errors{e}
	}
	root, _, errs := readTree(t.doc)
	if len(errs) > 0 {
		return Tree{}, errs
	}
	t.node = &root
	return t, nil
}

// IsJSON reports whether data is JSON, as far as a document in JSON and one in YAML
// are written differently.
func IsJSON(data []byte) bool {
	return json.Valid(bytes.TrimPrefix(data, []byte("\ufeff")))
}

// Offset returns where in the text the value begins: at its anchor or tag if it has
// one. A missing value ("key:") begins at the next token, wherever that is.
func (t Tree) Offset() int { return t.from + t.doc.text.offsetOf(t.node.pos) }

// Line returns the line in which the value begins, from 1.
func (t Tree) Line() int { return int(t.node.pos.Line) }

// IsList reports whether t is a list.
func (t Tree) IsList() bool { return t.node != nil && t.node.kind == kindList }

// IsMapping reports whether t is a mapping. Its children are key, value, key, value.
func (t Tree) IsMapping() bool { return t.node != nil && t.node.kind == kindMap }

// IsMissing reports whether t is no value, or a null for which nothing is written
// ("key:"); null in JSON counts as missing too.
func (t Tree) IsMissing() bool {
	return t.node == nil || t.node.kind == kindNull && t.node.text == ""
}

// Kind names the kind of t, as errors do.
func (t Tree) Kind() string { return t.node.kind.String() }

// Text returns a scalar as written but for quotes and escapes; "" if there is none.
func (t Tree) Text() string {
	if t.node == nil {
		return ""
	}
	return t.node.text
}

// Len returns the number of children.
func (t Tree) Len() int {
	if t.node == nil {
		return 0
	}
	return len(t.node.children)
}

// Child returns the child of index i.
func (t Tree) Child(i int) Tree { return Tree{t.doc, &t.node.children[i], t.from} }

// Get returns the value of a key in the mapping t, or no value.
func (t Tree) Get(key string) Tree {
	if !t.IsMapping() {
		return Tree{}
	}
	if _, value := t.node.lookup(key); value != nil {
		return Tree{t.doc, value, t.from}
	}
	return Tree{}
}
