package mapfile

// kind tells what a node is, as far as a map document cares.
type kind uint8

const (
	kindNull   kind = iota
	kindBool        // true or false without quotes
	kindNumber      // a number or a date without quotes: text, where text is wanted
	kindText
	kindList
	kindMap
	kindOther // something with a tag that means nothing here
)

// String names a kind in an error.
func (k kind) String() string {
	return [...]string{"null", "true or false", "a number", "text", "a list", "a mapping", "a tagged value"}[k]
}

// node is one value of a document: the one form that the decoder reads, whether
// YAML or JSON was written. It is an eighth of the library's own node.
type node struct {
	kind kind
	pos  Pos
	text string // of a scalar, as written but for quotes and escapes
	kids []node // items of a list; key, value, key, value of a mapping
}

// find returns the first entry of this name in the mapping n, or nils.
func (n *node) find(name string) (key, value *node) {
	for i := 0; i+1 < len(n.kids); i += 2 {
		if n.kids[i].text == name {
			return &n.kids[i], &n.kids[i+1]
		}
	}
	return nil, nil
}

// has reports whether the mapping n has a key of this name.
func (n *node) has(name string) bool {
	key, _ := n.find(name)
	return key != nil
}

// placed is an error with its place in the document.
type placed struct {
	pos Pos
	err error
}

func (p *placed) Error() string { return p.err.Error() }
