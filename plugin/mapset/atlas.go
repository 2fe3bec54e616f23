package mapset

import (
	"iter"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// atlas finds the zone that encloses a name most closely. A clone can be changed
// without changing the original, and shares its blocks and slots: to replace one
// document of ten thousand costs a copy of what differs, and of the blocks' numbers.
type atlas struct {
	blocks []*block // :: number; nil where one was taken out
	free   []int    // the numbers of those
	slots  pages    // hash of an apex → where its record is
	zones  int
}

// A slot is the number of the block and 1 + the place in it of a record, below a
// tag from the hash that tells most other zones apart. 0 is an empty slot.
const (
	placeBits = 34 // 16 GiB, of documents that are read up to 256 MiB
	blockBits = 22 // four million documents
	tagFrom   = placeBits + blockBits
	placeMask = 1<<placeBits - 1
	blockMask = 1<<blockBits - 1
)

func (a *atlas) clone() atlas {
	return atlas{slices.Clone(a.blocks), slices.Clone(a.free), a.slots.clone(), a.zones}
}

// ref is a record and the block it is in.
type ref struct {
	record
	block *block
}

func (r ref) place() place { return place{r.block, r.number()} }

func (a *atlas) at(slot uint64) ref {
	b := a.blocks[slot>>placeBits&blockMask]
	return ref{record(b.records[slot&placeMask-1:]), b}
}

// find returns the record of the zone with this apex, if there is one.
func (a *atlas) find(apex fqdn.Name) (ref, bool) {
	if a.zones == 0 {
		return ref{}, false
	}
	h := hashOfName(apex)
	for i := h; ; i++ {
		slot := a.slots.at(i)
		if slot == 0 {
			return ref{}, false
		}
		if slot>>tagFrom == h>>tagFrom {
			if r := a.at(slot); r.apex() == apex {
				return r, true
			}
		}
	}
}

// enclosing returns the record of the zone that encloses name most closely, if
// there is one. It walks the labels from the left over sub-slices, so that the
// closest zone is met first and nothing is allocated.
func (a *atlas) enclosing(name fqdn.Name) (ref, bool) {
	for n, ok := name, name != ""; ok; n, ok = n.Parent() {
		if r, found := a.find(n); found {
			return r, true
		}
	}
	return ref{}, false
}

// zone puts the zone with this apex into room, and returns that, or nil.
func (a *atlas) zone(apex fqdn.Name, room *zone) *zone {
	if r, ok := a.find(apex); ok {
		return r.place().zone(room)
	}
	return nil
}

// all yields every zone.
func (a *atlas) all() iter.Seq[place] {
	return func(yield func(place) bool) {
		for _, b := range a.blocks {
			if b == nil {
				continue
			}
			for i := range b.facts {
				if !yield(place{b, uint32(i)}) {
					return
				}
			}
		}
	}
}

// add puts a block in that is in no atlas yet, of zones that are not there yet.
func (a *atlas) add(b *block) {
	if n := len(a.free); n > 0 {
		b.number, a.free = a.free[n-1], a.free[:n-1]
		a.blocks[b.number] = b
	} else {
		b.number = len(a.blocks)
		a.blocks = append(a.blocks, b)
	}
	a.zones += len(b.facts)
	if slots(a.zones) > a.slots.size() {
		a.rebuild()
		return
	}
	a.enter(b)
}

// slots is the size of an index of n entries: a power of two, two thirds full at
// most.
func slots(n int) int {
	size := 4
	for size < n+n/2 {
		size *= 2
	}
	return size
}

func (a *atlas) rebuild() {
	a.slots = newPages(slots(a.zones))
	for _, b := range a.blocks {
		if b != nil {
			a.enter(b)
		}
	}
}

// enter fills in the slots of a block.
func (a *atlas) enter(b *block) {
	for j := range b.facts {
		at := b.facts[j].at
		h := hashOfName(record(b.records[at:]).apex())
		i := h
		for a.slots.at(i) != 0 {
			i++
		}
		a.slots.put(i, slotOf(h, b, at))
	}
}

func slotOf(hash uint64, b *block, at int) uint64 {
	return hash>>tagFrom<<tagFrom | uint64(b.number)<<placeBits | uint64(at+1)
}

// remove takes a block out.
func (a *atlas) remove(b *block) {
	for j := range b.facts {
		at := b.facts[j].at
		h := hashOfName(record(b.records[at:]).apex())
		i := h
		for a.slots.at(i) != slotOf(h, b, at) {
			i++
		}
		a.vacate(i)
	}
	a.blocks[b.number] = nil
	a.free = append(a.free, b.number)
	a.zones -= len(b.facts)
}

// vacate empties slot i and closes the gap: an entry further on may have been
// put there because this one was taken.
func (a *atlas) vacate(i uint64) {
	mask := a.slots.mask
	for j := i + 1; a.slots.at(j) != 0; j++ {
		home := hashOfName(a.at(a.slots.at(j)).apex())
		if (j-home)&mask >= (j-i)&mask {
			a.slots.put(i, a.slots.at(j))
			i = j
		}
	}
	a.slots.put(i, 0)
}
