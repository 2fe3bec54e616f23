package mapfile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// maxFlow is the longest document in JSON's style that is read as YAML if it is
// no JSON: the YAML library holds all tokens of a flow collection in memory, at
// about seventy times the size of the text.
const maxFlow = 4 << 20

// read turns the text of d into a tree. A document that cannot be read at all
// gives an error and no tree; errors may come with a tree as well.
func read(d *Document) (root node, ok bool, errs Errors) {
	data := d.text.data
	if e := unreadable(d); e != nil {
		return node{}, false, Errors{e}
	}
	if looksLikeJSON(data) {
		root, err := readJSON(data)
		if err == nil {
			return root, true, nil
		}
		// Not JSON, but it may still be YAML: of a .json file the complaint
		// of the JSON reader is the one to print all the same.
		jsonErr := d.Errorf(inside(d, err.pos), "V1", "correct the JSON at this place", "not JSON: %s", err.err)
		if len(data) > maxFlow {
			return node{}, false, Errors{jsonErr}
		}
		root, ok, errs = readYAML(d)
		if !ok && strings.HasSuffix(d.Name, ".json") {
			return node{}, false, Errors{jsonErr}
		}
		return root, ok, errs
	}
	return readYAML(d)
}

// unreadable complains about bytes that are no text of a bearable size.
func unreadable(d *Document) *Error {
	data := d.text.data
	if len(data) > maxBytes {
		d.text.data = nil // Nothing of it is worth an index.
		return d.Errorf(Pos{1, 1}, "V1", "split it into a directory of documents", "document has %d bytes, more than %d", len(data), maxBytes)
	}
	if utf8.Valid(data) {
		return nil
	}
	off := 0
	for off < len(data) {
		r, size := utf8.DecodeRune(data[off:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		off += size
	}
	return d.Errorf(d.text.place(off), "V1", "save the document as UTF-8", "not UTF-8: byte 0x%02x", data[off])
}

// looksLikeJSON reports whether data starts as a JSON document does.
func looksLikeJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && (data[0] == '{' || data[0] == '[')
}

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
	root, _, err = conv.convert(tree.Content[0])
	if p := (*placed)(nil); errors.As(err, &p) {
		return node{}, false, append(errs, d.Errorf(p.pos, "V1", "write the values out", "%s", p.err))
	}
	return root, true, errs
}

// notYAML tells what the YAML library could not read, and where.
func notYAML(d *Document, err error) *Error {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return d.Errorf(Pos{1, 1}, "V1", "correct the YAML", "not YAML: %s", err)
	}
	pos := posOf(le.Mark.Line, le.Mark.Column)
	text, remedy := le.Message, "correct the YAML at this place"
	switch {
	case le.Mark.Line == 0: // The library's reader knows no line.
		pos, remedy = d.text.place(control(d.text.data)), "take the control character out"
	case strings.Contains(text, "unexpected end of stream") && le.ContextMark.Line > 0:
		pos, remedy = posOf(le.ContextMark.Line, le.ContextMark.Column), "close the quote that opens here"
	case strings.Contains(text, "cannot start any token"):
		remedy = "put the value in quotes"
		if at := d.text.offsetOf(pos); at < len(d.text.data) && d.text.data[at] == '\t' {
			remedy = "indent with spaces, not with tabs"
		}
	case strings.Contains(text, "mapping values are not allowed"):
		remedy = "check the indentation, or put a value that holds a colon in quotes"
	case strings.Contains(text, "max depth"):
		remedy = "a map document is not nested that deeply: see the map format"
	case strings.Contains(text, "could not find expected ':'"):
		pos, remedy = posOf(le.ContextMark.Line, le.ContextMark.Column), `write "key: value", or a list item with "- " before it`
	}
	return d.Errorf(inside(d, pos), "V1", remedy, "not YAML: %s", text)
}

// control returns the offset of the first character that YAML does not allow.
func control(data []byte) int {
	at := bytes.IndexFunc(data, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || 0x7f <= r && r < 0xa0 && r != 0x85 ||
			r == 0xfeff || r == 0xfffe || r == 0xffff
	})
	return max(0, at)
}

// inside moves a place past the end of the text, where the readers put what is
// missing, back to the end of the last line that says something.
func inside(d *Document, pos Pos) Pos {
	end := len(bytes.TrimRight(d.text.data, " \t\r\n"))
	return d.text.place(min(end, d.text.offsetOf(pos)))
}
