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
// takes many times as long over it, and the memory that longFlow tells of.
type jsonReader struct {
	data []byte
	dec  *json.Decoder

	off int // all before it is counted in pos
	pos Pos
}

// readJSON returns the tree of data, or where it stops being one JSON value.
func readJSON(data []byte) (node, *placed) {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), pos: Pos{1, 1}}
	r.dec.UseNumber()
	root, err := r.value(0)
	if err != nil {
		return node{}, err
	}
	after := r.next()
	switch _, err := r.dec.Token(); {
	case err == io.EOF:
		return root, nil
	case err == nil:
		return node{}, &placed{after, errors.New("text after the end of the document")}
	default:
		return node{}, r.fail()
	}
}

// value reads the next value.
func (r *jsonReader) value(depth int) (node, *placed) {
	pos := r.next()
	tok, err := r.dec.Token()
	if err != nil {
		return node{}, r.fail()
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

// collection reads the rest of the object or array that open began.
func (r *jsonReader) collection(n node, open json.Delim, depth int) (node, *placed) {
	if depth > maxDepth {
		return node{}, &placed{n.pos, fmt.Errorf("exceeded max depth of %d", maxDepth)}
	}
	n.kind = kindList
	if open == '{' {
		n.kind = kindMap
	}
	for r.dec.More() {
		kid, err := r.value(depth)
		if err != nil {
			return node{}, err
		}
		n.kids = append(n.kids, kid)
	}
	if _, err := r.dec.Token(); err != nil { // the closing bracket
		return node{}, r.fail()
	}
	return n, nil
}

// next is the place of the next token: past white space and separators, which
// is all that stands between tokens.
func (r *jsonReader) next() Pos {
	off := int(r.dec.InputOffset())
	for off < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[off]) >= 0 {
		off++
	}
	return r.advance(off)
}

// advance counts lines and characters up to offset off.
func (r *jsonReader) advance(off int) Pos {
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

// fail finds the place of an error: the decoder that goes token by token does
// not tell it, a check of the whole text does.
func (r *jsonReader) fail() *placed {
	err := json.Unmarshal(r.data, new(json.RawMessage))
	off := len(r.data)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		off = int(syntax.Offset) - 1 // It counts the offending byte.
	}
	return &placed{r.advance(max(r.off, off)), err}
}
