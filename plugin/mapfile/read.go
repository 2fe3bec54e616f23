package mapfile

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/addressmap/addressmap/plugin/printable"
)

// Limits of a document. The format itself nests nine deep.
const (
	maxDepth = 32
	maxBytes = 256 << 20
	maxFlow  = 4 << 20 // bytes of one flow collection in YAML; see longFlow
)

// readTree turns the text of d into a tree. A document that cannot be read at all has
// errors and no tree; a tree may have errors too.
func readTree(d *Document) (root node, ok bool, errs Errors) {
	var jsonErr *Error
	if looksLikeJSON(d.text.data) {
		root, err := readJSON(d.text.data)
		if err == nil {
			return root, true, nil
		}
		jsonErr = d.Errorf(clampPos(d, err.pos), "V1", "correct the JSON at this place", "not JSON: %s", printable.Line(err.err.Error()))
	}
	// A text that is not JSON may still be YAML: "{a: 1}".
	if off, long := longFlow(d.text.data, maxFlow); long {
		if jsonErr == nil {
			jsonErr = d.Errorf(d.text.position(off), "V1", `write the items on lines of their own, with "- " before each, or the whole document as JSON`,
				"a list or mapping in brackets is longer than %d bytes", maxFlow)
		}
		return node{}, false, Errors{jsonErr}
	}
	root, ok, errs = readYAML(d)
	if !ok && jsonErr != nil && strings.HasSuffix(d.Name, ".json") {
		return node{}, false, Errors{jsonErr}
	}
	return root, ok, errs
}

// checkText returns an error if the bytes of d are too many or no UTF-8.
func checkText(d *Document) *Error {
	data := d.text.data
	if len(data) > maxBytes {
		d.text.data = nil // An index of the text would be too large.
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
	return d.Errorf(d.text.position(off), "V1", "save the document as UTF-8", "not UTF-8: byte 0x%02x", data[off])
}

// looksLikeJSON reports whether data starts as a JSON document does.
func looksLikeJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && (data[0] == '{' || data[0] == '[')
}

// clampPos moves a place past the end of the text, where the readers put missing
// values, back to the end of the last line that is not blank.
func clampPos(d *Document, pos Pos) Pos {
	end := len(bytes.TrimRight(d.text.data, " \t\r\n"))
	return d.text.position(min(end, d.text.offsetOf(pos)))
}
