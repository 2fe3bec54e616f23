package mapfile

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v4"
)

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

// entries calls f for each key and value of a mapping, until f returns false.
func (n *node) entries(f func(key, value *node) bool) {
	for i := 0; i+1 < len(n.kids); i += 2 {
		if !f(&n.kids[i], &n.kids[i+1]) {
			return
		}
	}
}

// has reports whether the mapping n has a key of this name.
func (n *node) has(name string) bool {
	found := false
	n.entries(func(key, _ *node) bool {
		found = key.text == name
		return !found
	})
	return found
}

// Limits of a document. The format itself nests nine deep.
const (
	maxDepth   = 32
	maxBytes   = 256 << 20
	maxAliased = 1_000_000 // nodes that aliases may stand for, all together
)

// errAlias is why a document with aliases is refused as a whole.
var (
	errAliasLoop = errors.New("an alias refers to a value that it is part of")
	errAliasMany = fmt.Errorf("aliases stand for more than %d values", maxAliased)
)

// converter turns the library's tree into ours. An alias shares the children of
// its anchor, so that it costs no memory; what it costs in time is bounded by
// counting the values it stands for.
type converter struct {
	anchors map[*yaml.Node]anchored
	aliased int
}

type anchored struct {
	node node
	size int // values in it, aliases expanded
}

// convert returns n in our form and the number of values in it.
func (c *converter) convert(n *yaml.Node) (node, int, error) {
	if n.Kind == yaml.AliasNode {
		return c.alias(n)
	}
	out := node{kind: kindOf(n), pos: posOf(n.Line, n.Column), text: n.Value}
	if out.kind == kindOther {
		out.text = n.Tag
	}
	size := 1
	if len(n.Content) > 0 {
		out.kids = make([]node, len(n.Content))
	}
	for i, kid := range n.Content {
		var kidSize int
		var err error
		if out.kids[i], kidSize, err = c.convert(kid); err != nil {
			return node{}, 0, err
		}
		size += kidSize
	}
	if n.Anchor != "" {
		c.anchors[n] = anchored{out, size}
	}
	return out, size, nil
}

// alias returns what the alias n stands for, at the place where that stands.
func (c *converter) alias(n *yaml.Node) (node, int, error) {
	a, ok := c.anchors[n.Alias]
	if !ok {
		return node{}, 0, &placed{posOf(n.Line, n.Column), errAliasLoop}
	}
	if c.aliased += a.size; c.aliased > maxAliased {
		return node{}, 0, &placed{posOf(n.Line, n.Column), errAliasMany}
	}
	return a.node, a.size, nil
}

// placed is an error with its place in the document.
type placed struct {
	pos Pos
	err error
}

func (p *placed) Error() string { return p.err.Error() }

func posOf(line, col int) Pos { return Pos{Line: int32(line), Col: int32(col)} }

// kindOf reads the tag that the library gave n, or that the document did.
func kindOf(n *yaml.Node) kind {
	switch {
	case n.Kind == yaml.MappingNode && (n.Tag == "!!map" || n.Tag == "!"):
		return kindMap
	case n.Kind == yaml.SequenceNode && (n.Tag == "!!seq" || n.Tag == "!"):
		return kindList
	case n.Kind != yaml.ScalarNode:
		return kindOther
	}
	switch n.Tag {
	case "!!str", "!!merge", "!": // A merge key is an unknown key like others.
		return kindText
	case "!!null":
		return kindNull
	case "!!bool":
		return kindBool
	case "!!int", "!!float", "!!timestamp":
		return kindNumber
	}
	return kindOther
}
