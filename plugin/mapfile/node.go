package mapfile

// kind is the kind of a node, as far as a map document distinguishes kinds.
type kind uint8

const (
	kindNull   kind = iota
	kindBool        // true or false without quotes
	kindNumber      // a number or a date without quotes; also read as text
	kindText
	kindList
	kindMap
	kindOther // a value with an unknown tag
)

// String names a kind in an error.
func (k kind) String() string {
	return [...]string{"null", "true or false", "a number", "text", "a list", "a mapping", "a tagged value"}[k]
}

// node is one value of a document in YAML or JSON. It takes an eighth of the memory of
// the YAML library's node.
type node struct {
	kind     kind
	pos      Pos
	text     string // of a scalar, as written but for quotes and escapes
	children []node // items of a list; key, value, key, value of a mapping
}

// lookup returns the first entry of this name in the mapping n, or nils.
func (n *node) lookup(name string) (key, value *node) {
	for i := 0; i+1 < len(n.children); i += 2 {
		if n.children[i].text == name {
			return &n.children[i], &n.children[i+1]
		}
	}
	return nil, nil
}

// has reports whether the mapping n has a key of this name.
func (n *node) has(name string) bool {
	key, _ := n.lookup(name)
	return key != nil
}

// posError is an error with its place in the document.
type posError struct {
	pos Pos
	err error
}

func (e *posError) Error() string { return e.err.Error() }
