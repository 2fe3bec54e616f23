package main

import (
	"encoding/binary"
	"maps"
	"slices"
)

// cdb returns a constant database of D. J. Bernstein's format: 256 pointers to
// hash tables, the pairs, the tables.
func cdb(pairs map[string][]byte) []byte {
	type slot struct{ hash, pos uint32 }
	le := binary.LittleEndian
	out := make([]byte, 256*8)
	var tables [256][]slot
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		h := cdbHash(key)
		tables[h&255] = append(tables[h&255], slot{h, uint32(len(out))})
		out = le.AppendUint32(out, uint32(len(key)))
		out = le.AppendUint32(out, uint32(len(pairs[key])))
		out = append(out, key...)
		out = append(out, pairs[key]...)
	}
	for i, entries := range tables {
		n := 2 * uint32(len(entries)) // half of the slots stay empty
		table := make([]slot, n)
		for _, e := range entries {
			at := e.hash >> 8 % n
			for table[at].pos != 0 {
				at = (at + 1) % n
			}
			table[at] = e
		}
		le.PutUint32(out[8*i:], uint32(len(out)))
		le.PutUint32(out[8*i+4:], n)
		for _, s := range table {
			out = le.AppendUint32(out, s.hash)
			out = le.AppendUint32(out, s.pos)
		}
	}
	return out
}

func cdbHash(key string) uint32 {
	h := uint32(5381)
	for i := range len(key) {
		h = (h + h<<5) ^ uint32(key[i])
	}
	return h
}
