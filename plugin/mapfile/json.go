package mapfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// jsonReader reads a JSON document into nodes. JSON is YAML, but the YAML library
// takes many times as long, and as much memory as longFlow describes.
type jsonReader struct {
	data []byte
	dec  *json.Decoder

	off int // pos is the place of this offset
	pos Pos
}

// readJSON returns the tree of data, or the error and its place.
func readJSON(data []byte) (node, *posError) {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), pos: Pos{1, 1}}
	r.dec.UseNumber()
	root, err := r.value(0)
	if err != nil {
		return node{}, err
	}
	after := r.nextPos()
	switch _, err := r.dec.Token(); {
	case err == io.EOF:
		return root, nil
	case err == nil:
		return node{}, &posError{after, errors.New("text after the end of the document")}
	default:
		return node{}, r.syntaxError()
	}
}

// value reads the next value.
func (r *jsonReader) value(depth int) (node, *posError) {
	pos := r.nextPos()
	tok, err := r.dec.Token()
	if err != nil {
		return node{}, r.syntaxError()
	}
	n := node{pos: pos}
	switch t := tok.(type) {
	case json.Delim:
		return r.collection(n, t, depth+1)
	case string:
		n.kind, n.text = kindText, t
	case json.Number:
		n.kind, n.text = kindNumber, t.String()
	case bool:
		n.kind, n.text = kindBool, strconv.FormatBool(t)
	}
	return n, nil
}

// collection reads the rest of an object or array after its opening bracket.
func (r *jsonReader) collection(n node, open json.Delim, depth int) (node, *posError) {
	if depth > maxDepth {
		return node{}, &posError{n.pos, fmt.Errorf("exceeded max depth of %d", maxDepth)}
	}
	n.kind = kindList
	if open == '{' {
		n.kind = kindMap
	}
	for r.dec.More() {
		child, err := r.value(depth)
		if err != nil {
			return node{}, err
		}
		n.children = append(n.children, child)
	}
	if _, err := r.dec.Token(); err != nil { // the closing bracket
		return node{}, r.syntaxError()
	}
	return n, nil
}

// nextPos is the place of the next token, past white space and separators.
func (r *jsonReader) nextPos() Pos {
	off := int(r.dec.InputOffset())
	for off < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[off]) >= 0 {
		off++
	}
	return r.advanceTo(off)
}

// advanceTo counts lines and characters up to offset off.
func (r *jsonReader) advanceTo(off int) Pos {
	for r.off < off {
		c := r.data[r.off]
		if l := lineBreak(r.data[r.off:]); l > 0 {
			r.off, r.pos = r.off+l, Pos{r.pos.Line + 1, 1}
			continue
		}
		if startsRune(c) {
			r.pos.Col++
		}
		r.off++
	}
	return r.pos
}

// syntaxError returns the error with its place. The decoder of tokens does not know
// the place; a check of the whole text does.
func (r *jsonReader) syntaxError() *posError {
	err := json.Unmarshal(r.data, new(json.RawMessage))
	off := len(r.data)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		off = int(syntax.Offset) - 1 // It counts the offending byte.
	}
	return &posError{r.advanceTo(max(r.off, off)), err}
}
