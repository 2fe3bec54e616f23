package mapset

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
)

// seed makes the hashes of this process, so that nobody can prepare names that
// all fall into one slot.
var seed = maphash.MakeSeed()

// table is the marks of the owner names of one zone. The names are relative to
// the apex, with all marks in one run of bytes: a zone of ten names is two cache
// lines, and what a query costs in a large map is the lines that it touches.
// It never changes once built.
type table struct {
	text    string   // the entries in the order of their names
	index   []uint32 // hash → 1 + where the entry begins; nil if the names are few
	proxied int      // how many of the marks make a name proxied
	wilds   bool     // there are marks of wildcards
}

// An entry is two octets, little-endian, and the name as far as its key:
//
//	bits 0 to 3   the mark
//	bit 4         the name is a wildcard; the key lacks its asterisk label
//	bits 5 to 15  the length of the key, which is at most 1,012
const (
	entryHead  = 2
	wildBit    = 1 << 4
	lengthFrom = 5
)

// fewBytes is up to which size of the text looking through it beats an index.
const fewBytes = 160

// named is an owner relative to the apex, as "www." or "" for the apex itself,
// and its mark.
type named struct {
	owner string
	mark  mark
}

// newTable returns the table of list, which holds no owner twice, and sorts it.
func newTable(list []named) table {
	slices.SortFunc(list, func(a, b named) int { return cmp.Compare(a.owner, b.owner) })
	var t table
	size := 0
	for _, e := range list {
		size += entryHead + len(e.owner)
	}
	text := make([]byte, 0, size)
	for _, e := range list {
		key, wild := keyOf(e.owner)
		text = binary.LittleEndian.AppendUint16(text, headOf(key, wild)|uint16(e.mark))
		text = append(text, key...)
		t.proxied += int(e.mark & markProxied)
		t.wilds = t.wilds || wild
	}
	t.text = string(text)
	if len(t.text) > fewBytes {
		t.index = make([]uint32, slots(len(list)))
		for at, e := range t.entries() {
			t.enter(at, e)
		}
	}
	return t
}

func (t *table) enter(at int, e entry) {
	mask := uint64(len(t.index) - 1)
	i := hashOf(e.key(), e.wild())
	for t.index[i&mask] != 0 {
		i++
	}
	t.index[i&mask] = uint32(at) + 1
}

// keyOf parts an owner into its key and whether it is a wildcard. The wildcards
// above a name can then be sought without putting their names together.
func keyOf(owner string) (key string, wild bool) {
	return strings.CutPrefix(owner, "*.")
}

func hashOf(key string, wild bool) uint64 {
	h := maphash.String(seed, key)
	if wild {
		return ^h
	}
	return h
}

// mark returns the mark of an owner, and whether it has one.
func (t *table) mark(owner string) (mark, bool) { return t.find(keyOf(owner)) }

func (t *table) find(key string, wild bool) (mark, bool) {
	if t.index == nil {
		return findIn(t.text, key, wild)
	}
	return findBy(t.index, t.text, key, wild)
}

// findBy finds an entry in text by the index.
func findBy(index []uint32, text, key string, wild bool) (mark, bool) {
	head := headOf(key, wild)
	for i := hashOf(key, wild); ; i++ {
		at := index[i&uint64(len(index)-1)]
		if at == 0 {
			return 0, false
		}
		if e := entry(text[at-1:]); e.is(head, key) {
			return e.mark(), true
		}
	}
}

// findIn looks through the entries in text.
func findIn(text, key string, wild bool) (mark, bool) {
	for head := headOf(key, wild); len(text) > 0; text = text[entry(text).size():] {
		if e := entry(text); e.is(head, key) {
			return e.mark(), true
		}
	}
	return 0, false
}

// entries yields each entry with where it begins.
func (t *table) entries() iter.Seq2[int, entry] {
	return func(yield func(int, entry) bool) {
		for at := 0; at < len(t.text); {
			e := entry(t.text[at:])
			if !yield(at, e) {
				return
			}
			at += e.size()
		}
	}
}

// marks yields each owner with its mark.
func (t *table) marks() iter.Seq2[string, mark] {
	return func(yield func(string, mark) bool) {
		for _, e := range t.entries() {
			if !yield(e.owner(), e.mark()) {
				return
			}
		}
	}
}

// same reports whether the two mark the same names alike.
func (t *table) same(o *table) bool {
	return t.text == o.text
}

// entry is a text that begins with one.
type entry string

// headOf is the head of an entry without its mark.
func headOf(key string, wild bool) uint16 {
	head := uint16(len(key)) << lengthFrom
	if wild {
		head |= wildBit
	}
	return head
}

func (e entry) head() uint16 { return uint16(e[0]) | uint16(e[1])<<8 }
func (e entry) mark() mark   { return mark(e[0] & (wildBit - 1)) }
func (e entry) size() int    { return entryHead + int(e.head()>>lengthFrom) }
func (e entry) key() string  { return string(e[entryHead:e.size()]) }
func (e entry) wild() bool   { return e[0]&wildBit != 0 }

// is compares the heads first: the lengths tell most names apart.
func (e entry) is(head uint16, key string) bool {
	return e.head()&^uint16(wildBit-1) == head && string(e[entryHead:entryHead+len(key)]) == key
}

func (e entry) owner() string {
	if e.wild() {
		return "*." + e.key()
	}
	return e.key()
}
