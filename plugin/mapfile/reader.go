package mapfile

import (
	"bytes"
	"net/netip"
)

// Reader reads texts of another kind than a map document, such as a file of drains, as
// strictly as [Parse] reads a map, and gathers the errors. It is for one goroutine.
type Reader struct{ d *decoder }

// Value is one value of the text of a [Reader]. The zero Value is "no value".
type Value struct{ node *node }

// ReadStrict returns the whole text as a value; errors call its file name. The value is
// none if the text cannot be read as YAML at all: [Reader.Errors] says why then.
func ReadStrict(name string, data []byte) (*Reader, Value) {
	doc := &Document{Name: name, text: &quoter{data: bytes.TrimPrefix(data, []byte("\ufeff"))}}
	r := &Reader{d: &decoder{doc: doc}}
	if e := checkText(doc); e != nil {
		r.d.errs = Errors{e}
		return r, Value{}
	}
	root, ok, errs := readTree(doc)
	r.d.errs = errs
	if !ok {
		return r, Value{}
	}
	return r, Value{&root}
}

// Errors returns all errors, in the order of their places. It is called once, at the end.
func (r *Reader) Errors() Errors { return r.d.finish() }

// Refuse adds an error about a value.
func (r *Reader) Refuse(v Value, rule, remedy, format string, args ...any) {
	r.d.refuse(v.node.pos, rule, remedy, format, args...)
}

// IsNone reports whether v is no value.
func (v Value) IsNone() bool { return v.node == nil }

// IsNull reports whether v is null, or the value of a text without any.
func (v Value) IsNull() bool { return v.node.kind == kindNull }

// Line returns the line in which the value begins, from 1.
func (v Value) Line() int { return int(v.node.pos.Line) }

// Mapping reads v as a mapping with these keys, at most twelve, and refuses all others.
// Subject names the mapping in errors, with its article. It returns the values, in the
// order of the keys: none where a key is absent. It reports false if v is no mapping.
func (r *Reader) Mapping(v Value, subject string, keys ...string) ([]Value, bool) {
	o, ok := r.d.object(v.node, &keySet{subject, keys})
	values := make([]Value, len(keys))
	for i, key := range keys {
		values[i] = Value{o.get(key)}
	}
	return values, ok
}

// List returns the items of v, the value of key. It refuses a v that is no list with the
// remedy, and reports false.
func (r *Reader) List(v Value, key, remedy string) ([]Value, bool) {
	if v.node.kind != kindList {
		r.Refuse(v, "V1", remedy, "%q must be a list, not %s", key, v.node.kind)
		return nil, false
	}
	out := make([]Value, len(v.node.children))
	for i := range out {
		out[i] = Value{&v.node.children[i]}
	}
	return out, true
}

// Text reads the value of key as text that is not empty and holds no control character.
func (r *Reader) Text(v Value, key string) (string, bool) { return r.d.text(v.node, key) }

// Space reads an item of the list at key as address space: a prefix, or one address.
func (r *Reader) Space(v Value, key string) (netip.Prefix, bool) {
	s, ok := r.d.itemText(v.node, key)
	if !ok {
		return netip.Prefix{}, false
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		if p.Addr().IsUnspecified() && !p.IsSingleIP() {
			return p, true // V2 refuses the address: a prefix may begin there.
		}
		return r.d.prefix(v.node, s)
	}
	ip, ok := r.d.ip(v.node, s)
	if !ok {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(ip, ip.BitLen()), true
}

// Quoted returns a text in quotes, shortened for an error.
func Quoted(s string) string { return quoted(s) }
