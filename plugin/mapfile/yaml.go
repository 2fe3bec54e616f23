package mapfile

import (
	"bytes"
	"errors"
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
	if found := (aliases)(nil); errors.As(err, &found) {
		return node{}, false, append(errs, found.refused(d)...)
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
	c.found, c.free = nil, c.slab
	root = c.convert(tree.Content[0])
	if len(c.found) > 0 {
		return node{}, second, c.found
	}
	return root, second, nil
}

// aliases are those of a text, as an error. A document with one is refused: a few
// lines of aliases stand for millions of values, and for the author of a map they
// hide what a name is answered with.
type aliases []node

func (a aliases) Error() string { return "YAML aliases are refused" }

// refused returns what is said of the document d, of each alias where it stands.
func (a aliases) refused(d *Document) Errors {
	dec := &decoder{doc: d}
	for _, n := range a {
		dec.refuse(n.pos, "V1", "write the value out here, or put text that starts with an asterisk in quotes", "%s, and %s is one", a.Error(), quoted("*"+n.text))
	}
	return dec.done()
}

// converter turns the library's tree into ours.
type converter struct {
	line  int     // how many lines come before the text
	found aliases // in the text
	slab  []node  // room for the children in one text after the other; may be none
	free  []node  // what is left of it
}

// convert returns n in our form. An alias is noted, and nothing stands for it.
func (c *converter) convert(n *yaml.Node) node {
	out := node{kind: kindOf(n), pos: c.posOf(n), text: n.Value}
	if n.Kind == yaml.AliasNode {
		c.found = append(c.found, out)
		return out
	}
	if out.kind == kindOther {
		out.text = n.Tag
	}
	if len(n.Content) > 0 {
		out.kids = c.room(len(n.Content))
	}
	for i, kid := range n.Content {
		out.kids[i] = c.convert(kid)
	}
	return out
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
