package mapfile

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// Parse reads one map document. The file is called name in errors. It returns
// every error of the document that can be seen in it alone, in the order of
// their places, and the document: without what was refused, so that the check of
// whole sets can go on (see [Document]). The document is nil only if the text
// could not be read as YAML at all. It is fit for use if there are no errors.
//
// Parse keeps data, which must not change afterwards. It is safe for concurrent
// use.
func Parse(name string, data []byte) (*Document, Errors) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	doc := &Document{Name: name, text: &quoter{data: data}}
	if e := unreadable(doc); e != nil {
		return nil, Errors{e}
	}
	pieced, errs, ok := parsePieces(name, data, pieceSize)
	if ok {
		doc = pieced
	} else if doc, errs = parseWhole(doc); doc == nil {
		return nil, errs
	}
	doc.pack()
	return doc, errs
}

// parseWhole reads a document of which the text is known, in one go.
func parseWhole(doc *Document) (*Document, Errors) {
	root, ok, errs := read(doc)
	if !ok {
		return nil, errs
	}
	d := &decoder{doc: doc, errs: errs, lost: len(errs) > 0} // as in a second document
	d.document(&root)
	return doc, d.done()
}

// decoder turns the tree of a document into the Document, and gathers what is
// wrong with it.
type decoder struct {
	doc   *Document
	errs  Errors
	more  int                // errors that are not in errs
	read  bool               // to the end
	lost  bool               // a zone may be missing, or stand under a key that is unknown
	owner seen[fqdn.Name]    // in one list of marks
	addr  seen[netip.Prefix] // in one list of addresses or prefixes
}

// maxErrors is how many errors of one document are kept. A file of the wrong
// kind can have one for every line.
const maxErrors = 1000

// full reports whether errors are only counted from now on.
func (d *decoder) full() bool { return len(d.errs) >= maxErrors }

// count is the number of errors up to now.
func (d *decoder) count() int { return len(d.errs) + d.more }

// refuse notes that what stands at pos is wrong.
func (d *decoder) refuse(pos Pos, rule, remedy, format string, args ...any) {
	if d.full() {
		d.more++
		return
	}
	// The YAML library puts a value that is missing at the end behind the end.
	d.errs = append(d.errs, d.doc.Errorf(inside(d.doc, pos), rule, remedy, format, args...))
}

// done returns the errors in order.
func (d *decoder) done() Errors {
	d.errs.Sort()
	out := d.errs
	if d.more > 0 {
		out[len(out)-1].Text += fmt.Sprintf(" (and %d more errors that are not listed)", d.more)
	}
	d.doc.HasInvalid = len(out) > 0
	d.doc.TellsZones = d.read && !d.lost
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
		d.refuse(n.pos, "V1", "write 1, without quotes, or leave the key out", "unknown version %s", shown(n))
	}
	d.doc.Pos = o.keyPos("anycast")
	before := d.count()
	d.doc.Anycast = d.answered(o.get("anycast"), "anycast", false)
	d.doc.AnycastInvalid = d.count() > before
	d.accounts(o.get("accounts"))
	d.read = true
}

// str reads the value of key as text; what a scalar without quotes looks like
// does not matter as long as it is not null, true or false. Text with a control
// character is refused (V1), however it is written: logs and terminals print it.
func (d *decoder) str(n *node, key string) (string, bool) { return d.scalar(n, "%q", key) }

// item reads one item of the list at key as str does.
func (d *decoder) item(n *node, key string) (string, bool) {
	return d.scalar(n, "an item of %q", key)
}

// scalar reads n as text. An error calls it what, which takes the key.
func (d *decoder) scalar(n *node, what, key string) (string, bool) {
	isText := n.kind == kindNumber || n.kind == kindText && n.text != ""
	at := -1
	if isText {
		at = strings.IndexFunc(n.text, unicode.IsControl)
	}
	if isText && at < 0 {
		return n.text, true // Nearly every one: nothing is made of what and key.
	}
	what = fmt.Sprintf(what, key)
	switch {
	case isText:
		r, _ := utf8.DecodeRuneInString(n.text[at:])
		d.refuse(n.pos, "V1", "take it out, and write the text on one line", "%s holds the control character %U", what, r)
		return "", false
	case n.kind == kindText:
		d.refuse(n.pos, "V1", "write a value", "%s is empty", what)
		return "", false
	}
	remedy, kind := "write one value", n.kind.String()
	switch {
	case n.kind == kindOther:
		remedy, kind = "leave the tag out", "a value with the tag "+quoted(n.text)
	case n.kind == kindMap && len(n.kids) > 0:
		remedy = "write one value; put text that holds a colon, as IPv6 addresses do, in quotes"
	case n.kind == kindBool, n.kind == kindNull && n.text != "":
		remedy = fmt.Sprintf("put it in quotes: %q", n.text)
	case n.kind == kindNull:
		remedy = "write a value"
	}
	d.refuse(n.pos, "V1", remedy, "%s must be text, not %s", what, kind)
	return "", false
}

// free reads the value of key, if there is one, as text that may be empty,
// because nothing depends on it.
func (d *decoder) free(n *node, key string) string {
	if n == nil || n.kind == kindText && n.text == "" {
		return ""
	}
	s, _ := d.str(n, key)
	return s
}

// flag reads n as true or false; def if it is nil.
func (d *decoder) flag(n *node, key string, def bool) bool {
	if n == nil {
		return def
	}
	if n.kind == kindBool {
		return strings.EqualFold(n.text, "true")
	}
	d.refuse(n.pos, "V1", "write true or false, without quotes", "%q must be true or false, not %s", key, shown(n))
	return def
}

// list returns the items of n, which may be nil.
func (d *decoder) list(n *node, key string) []node {
	if n == nil {
		return nil
	}
	if n.kind == kindList {
		return n.kids
	}
	remedy := fmt.Sprintf("write %s: [%s]", key, shown(n))
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

// required returns the value of key and complains if it is absent.
func (d *decoder) required(o *object, key string) *node {
	n := o.get(key)
	if n == nil {
		d.refuse(o.n.pos, "V1", fmt.Sprintf("add %q", key), "%s has no %q", o.set.what, key)
	}
	return n
}

// quoted is s in quotes, cut to a length that an error can bear.
func quoted(s string) string {
	const longest, kept = 80, 60 // characters
	n, cut := 0, 0
	for i := range s {
		if n == kept {
			cut = i
		}
		if n++; n > longest {
			return fmt.Sprintf("%q…", s[:cut])
		}
	}
	return fmt.Sprintf("%q", s)
}

// shown is the value of n as an error names it.
func shown(n *node) string {
	switch n.kind {
	case kindText:
		return quoted(n.text)
	case kindNumber, kindBool:
		return strings.Trim(quoted(n.text), `"`)
	}
	return n.kind.String()
}
