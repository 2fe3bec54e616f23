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
	loader, err := yaml.NewLoader(bytes.NewReader(d.text.data), yaml.WithPlugin(
		loaderlimits.New(loaderlimits.DepthValue(maxDepth), loaderlimits.AliasNone())))
	if err != nil {
		return node{}, false, Errors{notYAML(d, err)}
	}
	var tree, second yaml.Node
	switch err := loader.Load(&tree); {
	case err == io.EOF:
		return node{kind: kindNull, pos: Pos{1, 1}}, true, nil
	case err != nil:
		return node{}, false, Errors{notYAML(d, err)}
	}
	switch err := loader.Load(&second); {
	case err == nil:
		errs = append(errs, d.Errorf(inside(d, posOf(second.Line, second.Column)), "V1",
			"put each document into a file of its own, in one directory", "a second document in one file"))
	case err != io.EOF:
		return node{}, false, Errors{notYAML(d, err)}
	}
	conv := converter{anchors: make(map[*yaml.Node]anchored)}
	root, _, failed := conv.convert(tree.Content[0])
	if failed != nil {
		return node{}, false, append(errs, d.Errorf(failed.pos, "V1", "write the values out", "%s", failed.err))
	}
	return root, true, errs
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
	anchors map[*yaml.Node]anchored
	aliased int
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

// alias returns what the alias n stands for, at the place where that stands.
func (c *converter) alias(n *yaml.Node) (node, int, *placed) {
	a, ok := c.anchors[n.Alias]
	if !ok {
		return node{}, 0, &placed{posOf(n.Line, n.Column), errAliasLoop}
	}
	if c.aliased += a.size; c.aliased > maxAliased {
		return node{}, 0, &placed{posOf(n.Line, n.Column), errAliasMany}
	}
	return a.node, a.size, nil
}

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
