package mapset

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/pace"
)

// block is the zones of one document. What a query needs of a zone stands in its
// record, and the records in one run of bytes: where maps and pointers would
// have a decision wait for memory ten times, it then does so twice.
type block struct {
	zones    []zone     // :: number; never more than there was room for: they are pointed to
	withApps []*zone    // those that have applications
	outcomes []outcome  // :: number; zones without an address map of their own share one
	few      [2]outcome // where they are if they fit
	records  []byte
	file     string // the document
	number   int    // in its atlas

	numbers map[outcome]uint32 // of the outcomes, until it is finished
}

// newBlock returns one with room for the zones and marks of doc.
func newBlock(doc *mapfile.Document) *block {
	zones, octets := 0, 0
	for i := range doc.Accounts {
		pace.Breathe()
		for j := range doc.Accounts[i].Zones {
			z := &doc.Accounts[i].Zones[j]
			zones++
			octets += recordHead + len(z.Name)
			for k := range z.Marks {
				octets += entryHead + len(z.Marks[k].Owner) - len(z.Name)
			}
		}
	}
	b := &block{file: doc.Name, zones: make([]zone, 0, zones), records: make([]byte, 0, octets)}
	b.outcomes = b.few[:0]
	return b
}

// outcome is the pools that the fallback comes to, for each family.
type outcome [2]*Pool

// A record, its numbers little-endian:
//
//	0   the number of the zone
//	4   the number of its outcome
//	8   the length of its marks
//	12  the length of its apex
//	14  flags
//	15  the apex, then the marks as in a table
const (
	atOutcome  = 4
	atMarks    = 8
	atApex     = 12
	atFlags    = 14
	recordHead = 15
)

// The flags of a record. The lowest three bits are the mark of every name that
// has none.
const (
	withApps  = 1 << 3 // it has Spectrum applications
	withWilds = 1 << 4 // it has marks of wildcards
	withIndex = 1 << 5 // its marks are many: see its table
	manualV6  = 1 << 6 // AAAA is answered only where the backend has it
)

// record is a text that begins with one.
type record []byte

func (r record) number() uint32  { return binary.LittleEndian.Uint32(r) }
func (r record) outcome() uint32 { return binary.LittleEndian.Uint32(r[atOutcome:]) }
func (r record) flags() uint8    { return r[atFlags] }
func (r record) rest() mark      { return mark(r[atFlags]) & restMarks }
func (r record) apexLen() int    { return int(binary.LittleEndian.Uint16(r[atApex:])) }

func (r record) apex() []byte { return r[recordHead : recordHead+r.apexLen()] }

func (r record) marks() []byte {
	from := recordHead + r.apexLen()
	return r[from : from+int(binary.LittleEndian.Uint32(r[atMarks:]))]
}

// next appends a zone, of which the marks are to be made known to [block.enter].
func (b *block) next(z zone) *zone {
	b.zones = append(b.zones, z)
	return &b.zones[len(b.zones)-1]
}

// enter gives z, the last one, its record.
func (b *block) enter(z *zone) {
	flags := uint8(z.rest)
	if len(z.apps) > 0 {
		flags |= withApps
		b.withApps = append(b.withApps, z)
	}
	if z.marks.wilds {
		flags |= withWilds
	}
	if z.marks.index != nil {
		flags |= withIndex
	}
	if !z.autoV6 {
		flags |= manualV6
	}
	z.at = len(b.records)
	r := binary.LittleEndian.AppendUint32(b.records, uint32(len(b.zones)-1))
	r = binary.LittleEndian.AppendUint32(r, b.numberOf(z.pools))
	r = binary.LittleEndian.AppendUint32(r, uint32(len(z.marks.text)))
	r = binary.LittleEndian.AppendUint16(r, uint16(len(z.apex)))
	r = append(r, flags)
	r = append(r, z.apex...)
	b.records = append(r, z.marks.text...)
}

func (b *block) numberOf(o outcome) uint32 {
	n, known := b.numbers[o]
	if !known {
		if b.numbers == nil {
			b.numbers = make(map[outcome]uint32)
		}
		n = uint32(len(b.outcomes))
		b.numbers[o] = n
		b.outcomes = append(b.outcomes, o)
	}
	return n
}

// finish ends the adding. The texts of the zones are in the records from then on.
func (b *block) finish() {
	b.numbers = nil
	if spare := cap(b.records) - len(b.records); spare > len(b.records)/16 {
		b.records = append(make([]byte, 0, len(b.records)), b.records...)
	}
	for i := range b.zones {
		pace.Breathe()
		z := &b.zones[i]
		z.marks.text = record(b.records[z.at:]).marks()
	}
}

func hashOfApex(apex []byte) uint64 { return maphash.Bytes(seed, apex) }

func hashOfName(name fqdn.Name) uint64 { return maphash.String(seed, string(name)) }
