package mapset

import "slices"

// pages is an array of slots, a power of two of them, that are indexed by hashes. A
// clone shares the pages of the original until it writes to them: to replace one
// document of ten thousand changes a few slots of a quarter of a million.
type pages struct {
	pages [][]uint64
	own   []bool // :: page → it is shared with nobody
	mask  uint64
}

// pageBits makes a page 8 KiB: a few of them cost less to copy than all, and less to
// find than single slots.
const pageBits = 10

// newPages returns n empty slots.
func newPages(n int) pages {
	p := pages{mask: uint64(n - 1)}
	for size := 1 << pageBits; n > 0; n -= size {
		p.pages = append(p.pages, make([]uint64, min(n, size)))
		p.own = append(p.own, true)
	}
	return p
}

// clone returns slots that can be changed without changing p, which must not be any
// more.
func (p *pages) clone() pages {
	return pages{slices.Clone(p.pages), make([]bool, len(p.pages)), p.mask}
}

// size is how many slots there are.
func (p *pages) size() int {
	if len(p.pages) == 0 {
		return 0
	}
	return int(p.mask) + 1
}

// at returns the slot of a hash, or one further on.
func (p *pages) at(i uint64) uint64 {
	i &= p.mask
	return p.pages[i>>pageBits][i&(1<<pageBits-1)]
}

func (p *pages) put(i, slot uint64) {
	i &= p.mask
	n := i >> pageBits
	if !p.own[n] {
		p.pages[n], p.own[n] = slices.Clone(p.pages[n]), true
	}
	p.pages[n][i&(1<<pageBits-1)] = slot
}
