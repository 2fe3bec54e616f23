package mapset

import (
	"encoding/binary"
	"hash/maphash"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// block is the zones of one document. What a query needs of a zone stands in its
// record, and the records in one text: where maps and pointers would have a decision
// wait for memory ten times, it then does so twice, and the collector of garbage
// has nothing to look through.
type block struct {
	records  string
	facts    []fact     // :: number of a zone
	outcomes []outcome  // :: number; zones without an address map of their own share one
	few      [2]outcome // where they are if they fit
	accounts []account  // in the order of the document
	indexes  [][]uint32
	apps     []applications
	names    int // that are known to be proxied
	file     string
	number   int // in its atlas

	draft   strings.Builder    // of the records, until it is finished
	numbers map[outcome]uint32 // of the outcomes, the same
}

// fact is what is seldom needed of a zone, by numbers: a hundred thousand pointers
// would have to be followed time and again.
type fact struct {
	at      int         // where its record begins
	pos     mapfile.Pos // as in zone
	account uint32      // number in the block
	proxied uint32      // as in table
	index   uint32      // 1 + number of the table's index; 0 if it has none
	apps    uint32      // 1 + number of its applications; 0 if it has none
}

// applications are those of one zone.
type applications struct {
	of   uint32               // its number
	list map[string]*spectrum // as in zone
}

// newBlock returns one with room for the zones and marks of doc.
func newBlock(doc *mapfile.Document) *block {
	zones, octets := 0, 0
	for i := range doc.Accounts {
		for j := range doc.Accounts[i].Zones {
			z := &doc.Accounts[i].Zones[j]
			zones++
			octets += recordHead + len(z.Name)
			for k := range z.Marks {
				octets += entryHead + len(z.Marks[k].Owner) - len(z.Name)
			}
		}
	}
	b := &block{file: doc.Name, facts: make([]fact, 0, zones)}
	b.outcomes = b.few[:0]
	b.draft.Grow(octets)
	return b
}

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

// flags are those of a record. The lowest three bits are the mark of every name that
// has none.
type flags uint8

const (
	withApps  = 1 << 3 // it has Spectrum applications
	withWilds = 1 << 4 // it has marks of wildcards
	withIndex = 1 << 5 // its marks are many: see its table
	manualV6  = 1 << 6 // AAAA is answered only where the backend has it
)

func (f flags) rest() mark { return mark(f) & restMarks }

// flags returns those that a decision goes by.
func (z *zone) flags() flags {
	f := flags(z.rest)
	if !z.autoV6 {
		f |= manualV6
	}
	return f
}

// record is a text that begins with one.
type record string

func (r record) number() uint32  { return number(r) }
func (r record) outcome() uint32 { return number(r[atOutcome:]) }
func (r record) flags() flags    { return flags(r[atFlags]) }
func (r record) rest() mark      { return r.flags().rest() }
func (r record) apexLen() int    { return int(r[atApex]) | int(r[atApex+1])<<8 }

func (r record) apex() fqdn.Name { return fqdn.Name(r[recordHead : recordHead+r.apexLen()]) }

func (r record) marks() string {
	from := recordHead + r.apexLen()
	return string(r[from : from+int(number(r[atMarks:]))])
}

func number(r record) uint32 {
	_ = r[3] // one check in place of four, and one load
	return uint32(r[0]) | uint32(r[1])<<8 | uint32(r[2])<<16 | uint32(r[3])<<24
}

// place is where a zone is: two are the same zone, in the same version, if they are
// equal.
type place struct {
	block  *block
	number uint32
}

func (p place) record() record { return record(p.block.records[p.block.facts[p.number].at:]) }

func (p place) account() *account { return &p.block.accounts[p.block.facts[p.number].account] }

// apps returns the applications of the zone.
func (p place) apps() map[string]*spectrum {
	if n := p.block.facts[p.number].apps; n > 0 {
		return p.block.apps[n-1].list
	}
	return nil
}

// index returns that of the zone's table.
func (p place) index() []uint32 {
	if n := p.block.facts[p.number].index; n > 0 {
		return p.block.indexes[n-1]
	}
	return nil
}

// hasProxied is [zone.hasProxied].
func (p place) hasProxied() bool {
	f := &p.block.facts[p.number]
	return f.proxied > 0 || f.apps > 0 || p.record().rest()&markProxied != 0
}

// zone puts all of it into room, and returns that.
func (p place) zone(room *zone) *zone {
	r, f := p.record(), &p.block.facts[p.number]
	*room = zone{
		place:   p,
		apex:    r.apex(),
		pos:     f.pos,
		account: p.account(),
		outcome: &p.block.outcomes[r.outcome()],
		marks:   table{r.marks(), p.index(), int(f.proxied), r.flags()&withWilds != 0},
		rest:    r.rest(),
		autoV6:  r.flags()&manualV6 == 0,
		apps:    p.apps(),
	}
	return room
}

// add appends z, of the account with that number.
func (b *block) add(z *zone, account int) {
	f := fact{at: b.draft.Len(), pos: z.pos, account: uint32(account), proxied: uint32(z.marks.proxied)}
	n := uint32(len(b.facts))
	flags := z.flags()
	if len(z.apps) > 0 {
		flags |= withApps
		b.apps = append(b.apps, applications{n, z.apps})
		f.apps = uint32(len(b.apps))
	}
	if z.marks.wilds {
		flags |= withWilds
	}
	if z.marks.index != nil {
		flags |= withIndex
		b.indexes = append(b.indexes, z.marks.index)
		f.index = uint32(len(b.indexes))
	}
	var head [recordHead]byte
	binary.LittleEndian.PutUint32(head[:], n)
	binary.LittleEndian.PutUint32(head[atOutcome:], b.numberOf(*z.outcome))
	binary.LittleEndian.PutUint32(head[atMarks:], uint32(len(z.marks.text)))
	binary.LittleEndian.PutUint16(head[atApex:], uint16(len(z.apex)))
	head[atFlags] = byte(flags)
	b.draft.Write(head[:])
	b.draft.WriteString(string(z.apex))
	b.draft.WriteString(z.marks.text)
	b.facts = append(b.facts, f)
	b.names += z.names()
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

// finish ends the adding.
func (b *block) finish() {
	b.records = b.draft.String()
	if b.draft.Cap()-b.draft.Len() > b.draft.Len()/16 {
		b.records = strings.Clone(b.records)
	}
	b.numbers, b.draft = nil, strings.Builder{}
}

func hashOfName(name fqdn.Name) uint64 { return maphash.String(seed, string(name)) }
