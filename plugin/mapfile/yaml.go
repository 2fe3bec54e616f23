package mapfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// readYAML reads the first document in the text of d and complains about a
// second one.
func readYAML(d *Document) (root node, ok bool, errs Errors) {
	var conv converter
	root, second, err := conv.read(d.text.data, maxDepth)
	if second != (Pos{}) {
		errs = append(errs, d.Errorf(inside(d, second), "V1",
			"put each document into a file of its own, in one directory", "a second document in one file"))
	}
	if failed := (*placed)(nil); errors.As(err, &failed) {
		return node{}, false, append(errs, d.Errorf(failed.pos, "V1", "write the values out", "%s", failed.err))
	}
	if err != nil {
		return node{}, false, Errors{notYAML(d, err)}
	}
	return root, true, errs
}

// read reads the first document in text, and returns its tree and where a second
// one begins, if there is one.
func (c *converter) read(text []byte, depth int) (root node, second Pos, err error) {
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(
		loaderlimits.New(loaderlimits.DepthValue(depth), loaderlimits.AliasNone())))
	if err != nil {
		return node{}, Pos{}, err
	}
	var tree, next yaml.Node
	switch err := loader.Load(&tree); {
	case err == io.EOF:
		return node{kind: kindNull, pos: Pos{1, 1}}, Pos{}, nil
	case err != nil:
		return node{}, Pos{}, err
	}
	switch err := loader.Load(&next); {
	case err == nil:
		second = c.posOf(&next)
	case err != io.EOF:
		return node{}, Pos{}, err
	}
	c.anchors, c.free = make(map[*yaml.Node]anchored), c.slab
	root, _, failed := c.convert(tree.Content[0])
	if failed != nil {
		return node{}, second, failed
	}
	return root, second, nil
}

// Why a document with aliases is refused as a whole.
var (
	errAliasLoop = errors.New("an alias refers to a value that it is part of")
	errAliasMany = fmt.Errorf("aliases stand for more than %d values", maxAliased)
)

// converter turns the library's tree into ours. An alias shares the children of
// its anchor, so that it costs no memory; what it costs in time is bounded by
// counting the values it stands for.
type converter struct {
	line    int // how many lines come before the text
	anchors map[*yaml.Node]anchored
	aliased int
	slab    []node // room for the children in one text after the other; may be none
	free    []node // what is left of it
}

type anchored struct {
	node node
	size int // values in it, aliases expanded
}

// convert returns n in our form and the number of values in it.
func (c *converter) convert(n *yaml.Node) (node, int, *placed) {
	if n.Kind == yaml.AliasNode {
		return c.alias(n)
	}
	out := node{kind: kindOf(n), pos: c.posOf(n), text: n.Value}
	if out.kind == kindOther {
		out.text = n.Tag
	}
	size := 1
	if len(n.Content) > 0 {
		out.kids = c.room(len(n.Content))
	}
	for i, kid := range n.Content {
		var kidSize int
		var failed *placed
		if out.kids[i], kidSize, failed = c.convert(kid); failed != nil {
			return node{}, 0, failed
		}
		size += kidSize
	}
	if n.Anchor != "" {
		c.anchors[n] = anchored{out, size}
	}
	return out, size, nil
}

// room returns n nodes to be filled.
func (c *converter) room(n int) []node {
	if len(c.free) < n {
		return make([]node, n)
	}
	kids := c.free[:n:n]
	c.free = c.free[n:]
	return kids
}

// alias returns what the alias n stands for, at the place where that stands.
func (c *converter) alias(n *yaml.Node) (node, int, *placed) {
	a, ok := c.anchors[n.Alias]
	if !ok {
		return node{}, 0, &placed{c.posOf(n), errAliasLoop}
	}
	if c.aliased += a.size; c.aliased > maxAliased {
		return node{}, 0, &placed{c.posOf(n), errAliasMany}
	}
	return a.node, a.size, nil
}

func (c *converter) posOf(n *yaml.Node) Pos { return posOf(c.line+n.Line, n.Column) }

func posOf(line, col int) Pos { return Pos{Line: int32(line), Col: int32(col)} }

// kindOf reads the tag that the library gave n. Of the tags that a document can
// write, only those that say the obvious are known.
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
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return kindOther
	}
	switch n.Tag {
	case "!!null":
		return kindNull
	case "!!bool":
		return kindBool
	}
	return kindNumber
}
