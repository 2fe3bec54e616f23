package mapfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parse reads one map document; errors call its file name. Parse returns every
// error that the document has by itself, in the order of their places, and the
// document without the refused parts, so that the check of several documents can go
// on (see [Document]). The document is nil only if the text could not be read as YAML
// at all. It is fit for use if there are no errors.
//
// The document refers to data, which must not change afterwards. Parse is safe for
// concurrent use.
func Parse(name string, data []byte) (*Document, Errors) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	doc := &Document{Name: name, text: &quoter{data: data}}
	if e := checkText(doc); e != nil {
		return nil, Errors{e}
	}
	pieced, errs, ok := parsePieces(name, data, pieceSize)
	if ok {
		doc = pieced
	} else if doc, errs = parseWhole(doc); doc == nil {
		return nil, errs
	}
	return doc, errs
}

// parseWhole reads the text of doc at once, not in pieces.
func parseWhole(doc *Document) (*Document, Errors) {
	root, ok, errs := readTree(doc)
	if !ok {
		return nil, errs
	}
	d := &decoder{doc: doc, errs: errs, zonesLost: len(errs) > 0} // A second document may have zones.
	d.document(&root)
	return doc, d.finish()
}

// decoder turns the tree of a document into the Document, and gathers the errors.
type decoder struct {
	doc       *Document
	errs      Errors
	unlisted  int  // number of errors that are not in errs
	complete  bool // the document was read to the end
	zonesLost bool // a zone may be missing, or stand under an unknown key
}

// maxErrors is how many errors of one document are listed. A file of the wrong
// kind can have an error in every line.
const maxErrors = 1000

// isFull reports whether further errors are only counted.
func (d *decoder) isFull() bool { return len(d.errs) >= maxErrors }

// errorCount is the number of errors up to now.
func (d *decoder) errorCount() int { return len(d.errs) + d.unlisted }

// refuse adds an error about the place pos.
func (d *decoder) refuse(pos Pos, rule, remedy, format string, args ...any) {
	if d.isFull() {
		d.unlisted++
		return
	}
	// The YAML library puts a missing last value behind the end of the text.
	d.errs = append(d.errs, d.doc.Errorf(clampPos(d.doc, pos), rule, remedy, format, args...))
}

// finish returns the errors in order.
func (d *decoder) finish() Errors {
	d.errs.Sort()
	out := d.errs
	if d.unlisted > 0 {
		out[len(out)-1].Text += fmt.Sprintf(" (and %d more errors that are not listed)", d.unlisted)
	}
	d.doc.HasAllZones = d.complete && !d.zonesLost
	return out
}

// document reads the top of the tree.
func (d *decoder) document(root *node) {
	d.doc.Pos = root.pos
	d.doc.AnycastInvalid, d.doc.AccountsInvalid = true, true // until they are read
	if root.kind == kindNull {
		d.refuse(root.pos, "V1", `write "accounts:" and the rest of the map, or {} for an empty one`, "the document is empty")
		return
	}
	if d.listResponse(root) {
		return
	}
	o, ok := d.object(root, &documentKeys)
	if !ok {
		return
	}
	if n := o.get("version"); n != nil && (n.kind != kindNumber || n.text != "1") {
		d.refuse(n.pos, "V1", "write 1, without quotes, or leave the key out", "unknown version %s", shownValue(n))
	}
	d.doc.Pos = o.keyPos("anycast")
	if o.get("anycast") == nil {
		d.doc.Pos = o.keyPos("sites")
	}
	before := d.errorCount()
	d.doc.Anycast = d.answerAddrs(o.get("anycast"), "anycast", false)
	d.doc.Sites = d.sites(o.get("sites"))
	d.doc.AnycastInvalid = d.errorCount() > before
	d.accounts(o.get("accounts"))
	d.complete = true
}

// text reads the value of key as text. A scalar without quotes is text too, unless it
// is null, true or false. Text with a control character is refused (V1), however it
// is written: logs and terminals print the text.
func (d *decoder) text(n *node, key string) (string, bool) { return d.scalarText(n, "%q", key) }

// itemText reads one item of the list at key as text does.
func (d *decoder) itemText(n *node, key string) (string, bool) {
	return d.scalarText(n, "an item of %q", key)
}

// scalarText reads n as text. Subject is the format with which an error names n; it
// takes the key.
func (d *decoder) scalarText(n *node, subject, key string) (string, bool) {
	isText := n.kind == kindNumber || n.kind == kindText && n.text != ""
	at := -1
	if isText {
		at = strings.IndexFunc(n.text, unicode.IsControl)
	}
	if isText && at < 0 {
		return n.text, true // Nearly every text: subject need not be formatted.
	}
	subject = fmt.Sprintf(subject, key)
	switch {
	case isText:
		r, _ := utf8.DecodeRuneInString(n.text[at:])
		d.refuse(n.pos, "V1", "take it out, and write the text on one line", "%s holds the control character %U", subject, r)
		return "", false
	case n.kind == kindText:
		d.refuse(n.pos, "V1", "write a value", "%s is empty", subject)
		return "", false
	}
	remedy, kind := "write one value", n.kind.String()
	switch {
	case n.kind == kindOther:
		remedy, kind = "leave the tag out", "a value with the tag "+quoted(n.text)
	case n.kind == kindMap && len(n.children) > 0:
		remedy = "write one value; put text that holds a colon, as IPv6 addresses do, in quotes"
	case n.kind == kindBool, n.kind == kindNull && n.text != "":
		remedy = fmt.Sprintf("put it in quotes: %q", n.text)
	case n.kind == kindNull:
		remedy = "write a value"
	}
	d.refuse(n.pos, "V1", remedy, "%s must be text, not %s", subject, kind)
	return "", false
}

// optionalText reads the value of key as text that may be empty or absent, because no
// rule depends on it.
func (d *decoder) optionalText(n *node, key string) string {
	if n == nil || n.kind == kindText && n.text == "" {
		return ""
	}
	s, _ := d.text(n, key)
	return s
}

// flag reads n as true or false; a nil n is def.
func (d *decoder) flag(n *node, key string, def bool) bool {
	if n == nil {
		return def
	}
	if n.kind == kindBool {
		return strings.EqualFold(n.text, "true")
	}
	d.refuse(n.pos, "V1", "write true or false, without quotes", "%q must be true or false, not %s", key, shownValue(n))
	return def
}

// list returns the items of n, which may be nil.
func (d *decoder) list(n *node, key string) []node {
	if n == nil {
		return nil
	}
	if n.kind == kindList {
		return n.children
	}
	remedy := fmt.Sprintf("write %s: [%s]", key, shownValue(n))
	switch n.kind {
	case kindNull, kindBool:
		remedy = "write [] for none, or leave the key out"
	case kindOther:
		remedy = "leave the tag out"
	case kindMap:
		remedy = `write "- " before each item`
	}
	d.refuse(n.pos, "V1", remedy, "%q must be a list, not %s", key, n.kind)
	return nil
}

// required returns the value of key, and refuses o if the key is absent.
func (d *decoder) required(o *object, key string) *node {
	n := o.get(key)
	if n == nil {
		d.refuse(o.node.pos, "V1", fmt.Sprintf("add %q", key), "%s has no %q", o.keys.subject, key)
	}
	return n
}

// quoted is s in quotes, shortened for an error.
func quoted(s string) string {
	const longest, shown = 80, 60 // characters
	n, cut := 0, 0
	for i := range s {
		if n == shown {
			cut = i
		}
		if n++; n > longest {
			return fmt.Sprintf("%q…", s[:cut])
		}
	}
	return fmt.Sprintf("%q", s)
}

// shownValue is the value of n as an error names it.
func shownValue(n *node) string {
	switch n.kind {
	case kindText:
		return quoted(n.text)
	case kindNumber, kindBool:
		return strings.Trim(quoted(n.text), `"`)
	}
	return n.kind.String()
}
