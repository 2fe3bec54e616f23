package mapset

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// table is the marks of the owner names of one zone, packed: the only data of this
// package that a debugger does not show. It never changes once built.
//
// What a decision costs in a large map is how often it waits for memory. The apex and
// the marks of a zone therefore stand in one text, so that comparing the apex, which
// the map of all zones has to, brings the marks along. For example.org., with marks of
// www and of *.dev:
//
//	example.org.  ▯▯dev.  ▯▯www.
//	╰── apex ──╯  ╰entry╯ ╰entry╯   in the order of the owners
//
//	▯▯ is the head of an entry, two octets, little-endian:
//	    bits 0 to 3   the mark
//	    bit 4         the owner is a wildcard; the key lacks its asterisk label
//	    bits 5 to 15  the length of the key that follows, at most 1,012
//
// A few entries are read through. More of them have an index, which is a hash table
// with open addressing: at the hash of an entry, or in the next free slot after it,
// stands 1 + where the entry begins.
//
// In a sorted slice or a map, of 1,000,000 names in 100,000 zones, looking a mark up took
// 0.77 or 1.08 µs in place of 0.40 on a busy machine, and more than twice the memory was
// in use (BenchmarkMarks). The goal is 0.4 µs for a whole decision.
type table struct {
	entries   string
	index     []uint32 // nil if the entries are few
	proxied   int32    // how many of the marks make a name proxied
	wildcards bool     // there are marks of wildcards
}

const (
	headSize    = 2
	wildcardBit = 1 << 4
	lengthFrom  = 5
)

// fewBytes is up to which size of the entries reading through them beats an index.
const fewBytes = 160

// seed makes the hashes of this process, so that nobody can prepare names that
// all fall into one slot.
var seed = maphash.MakeSeed()

// named is an owner relative to the apex, as "www." or "" for the apex itself,
// and its mark.
type named struct {
	owner string
	mark  mark
}

// newTable returns the table of list, which holds no owner twice, and sorts it. The
// apex that it returns is in the same text as the entries.
func newTable(apex fqdn.Name, list []named) (fqdn.Name, table) {
	slices.SortFunc(list, func(a, b named) int { return cmp.Compare(a.owner, b.owner) })
	size := len(apex)
	for _, e := range list {
		size += headSize + len(e.owner)
	}
	text := append(make([]byte, 0, size), apex...)
	var t table
	for _, e := range list {
		key, wildcard := keyOf(e.owner)
		text = binary.LittleEndian.AppendUint16(text, headOf(key, wildcard)|uint16(e.mark))
		text = append(text, key...)
		t.proxied += int32(e.mark & markProxied)
		t.wildcards = t.wildcards || wildcard
	}
	packed := string(text)
	apex, t.entries = fqdn.Name(packed[:len(apex)]), packed[len(apex):]
	if len(t.entries) > fewBytes {
		t.makeIndex(len(list))
	}
	return apex, t
}

// makeIndex makes the index of n entries: two thirds full at most.
func (t *table) makeIndex(n int) {
	size := 4
	for size < n+n/2 {
		size *= 2
	}
	t.index = make([]uint32, size)
	for at := 0; at < len(t.entries); {
		e := entry(t.entries[at:])
		i := hashOf(e.key(), e.isWildcard())
		for t.index[i&uint64(size-1)] != 0 {
			i++
		}
		t.index[i&uint64(size-1)] = uint32(at) + 1
		at += e.size()
	}
}

// keyOf parts an owner into its key and whether it is a wildcard. The wildcards
// above a name can then be looked up without putting their names together.
func keyOf(owner string) (key string, wildcard bool) {
	return strings.CutPrefix(owner, "*.")
}

func hashOf(key string, wildcard bool) uint64 {
	h := maphash.String(seed, key)
	if wildcard {
		return ^h
	}
	return h
}

// mark returns the mark of an owner, and whether it has one.
func (t *table) mark(owner string) (mark, bool) { return t.lookup(keyOf(owner)) }

// wildcardBelow returns the mark of the wildcard right below an owner, and whether it
// has one.
func (t *table) wildcardBelow(owner string) (mark, bool) { return t.lookup(owner, true) }

func (t *table) lookup(key string, wildcard bool) (mark, bool) {
	head := headOf(key, wildcard)
	if t.index == nil {
		for rest := t.entries; len(rest) > 0; rest = rest[entry(rest).size():] {
			if e := entry(rest); e.is(head, key) {
				return e.mark(), true
			}
		}
		return 0, false
	}
	for i := hashOf(key, wildcard); ; i++ {
		at := t.index[i&uint64(len(t.index)-1)]
		if at == 0 {
			return 0, false
		}
		if e := entry(t.entries[at-1:]); e.is(head, key) {
			return e.mark(), true
		}
	}
}

// all yields each owner with its mark, in the order of the owners.
func (t *table) all() iter.Seq2[string, mark] {
	return func(yield func(string, mark) bool) {
		for rest := t.entries; len(rest) > 0; rest = rest[entry(rest).size():] {
			if e := entry(rest); !yield(e.owner(), e.mark()) {
				return
			}
		}
	}
}

// same reports whether the two mark the same names alike.
func (t *table) same(o *table) bool { return t.entries == o.entries }

// entry is a text that begins with one.
type entry string

// headOf is the head of an entry without its mark.
func headOf(key string, wildcard bool) uint16 {
	head := uint16(len(key)) << lengthFrom
	if wildcard {
		head |= wildcardBit
	}
	return head
}

func (e entry) head() uint16     { return uint16(e[0]) | uint16(e[1])<<8 }
func (e entry) mark() mark       { return mark(e[0] & (wildcardBit - 1)) }
func (e entry) size() int        { return headSize + int(e.head()>>lengthFrom) }
func (e entry) key() string      { return string(e[headSize:e.size()]) }
func (e entry) isWildcard() bool { return e[0]&wildcardBit != 0 }

// is compares the heads first: the lengths tell most names apart.
func (e entry) is(head uint16, key string) bool {
	return e.head()&^uint16(wildcardBit-1) == head && string(e[headSize:headSize+len(key)]) == key
}

func (e entry) owner() string {
	if e.isWildcard() {
		return "*." + e.key()
	}
	return e.key()
}
