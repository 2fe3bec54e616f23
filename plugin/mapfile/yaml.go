package mapfile

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// readYAML reads the first document in the text of d and refuses a second one.
func readYAML(d *Document) (root node, ok bool, errs Errors) {
	var conv converter
	root, second, err := conv.load(d.text.data, maxDepth)
	if second != (Pos{}) {
		errs = append(errs, d.Errorf(clampPos(d, second), "V1",
			"put each document into a file of its own, in one directory", "a second document in one file"))
	}
	if refused := (aliasErrors)(nil); errors.As(err, &refused) {
		return node{}, false, append(errs, refused.errors(d)...)
	}
	if err != nil {
		return node{}, false, Errors{yamlError(d, err)}
	}
	return root, true, errs
}

// load reads the first document in text, and returns its tree and where a second
// document begins, if there is one.
func (c *converter) load(text []byte, depth int) (root node, second Pos, err error) {
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
	c.aliases, c.unused = nil, c.nodes
	root = c.convert(tree.Content[0])
	if len(c.aliases) > 0 {
		return node{}, second, c.aliases
	}
	return root, second, nil
}

// aliasErrors are the aliases of a text, as an error. A document with an alias is
// refused: a few lines of aliases stand for millions of values, and they hide the
// addresses of a name from the author of a map.
type aliasErrors []node

func (a aliasErrors) Error() string { return "YAML aliases are refused" }

// errors returns an error of document d for each alias.
func (a aliasErrors) errors(d *Document) Errors {
	dec := &decoder{doc: d}
	for _, n := range a {
		dec.refuse(n.pos, "V1", "write the value out here, or put text that starts with an asterisk in quotes", "%s, and %s is one", a.Error(), quoted("*"+n.text))
	}
	return dec.finish()
}

// converter turns the YAML library's tree into nodes.
type converter struct {
	line    int         // number of lines before the text
	aliases aliasErrors // in the text
	nodes   []node      // memory for children, used for one text after the other; may be nil
	unused  []node      // the part of nodes that is free
}

// convert returns n as a node. An alias is added to aliases.
func (c *converter) convert(n *yaml.Node) node {
	out := node{kind: kindOf(n), pos: c.posOf(n), text: n.Value}
	if n.Kind == yaml.AliasNode {
		c.aliases = append(c.aliases, out)
		return out
	}
	if out.kind == kindOther {
		out.text = n.Tag
	}
	if len(n.Content) > 0 {
		out.children = c.newNodes(len(n.Content))
	}
	for i, child := range n.Content {
		out.children[i] = c.convert(child)
	}
	return out
}

// newNodes returns n empty nodes.
func (c *converter) newNodes(n int) []node {
	if len(c.unused) < n {
		return make([]node, n)
	}
	children := c.unused[:n:n]
	c.unused = c.unused[n:]
	return children
}

func (c *converter) posOf(n *yaml.Node) Pos { return posOf(c.line+n.Line, n.Column) }

func posOf(line, col int) Pos { return Pos{Line: int32(line), Col: int32(col)} }

// kindOf returns the kind of n by the tag that the library gave it. Of the tags that a
// document can write, only the tags of the value's own kind are known.
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
