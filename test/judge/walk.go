package judge

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// record is one resource record of a message by its octets.
type record struct {
	section    string // answer, authority or additional
	owner      string // lower case, "" if it cannot be read
	rrtype     uint16
	start, end int
	rdata      int // where its RDATA begins
}

// layout is how a message's octets are divided.
type layout struct {
	questionEnd int
	records     []record
	err         error // what stopped the walk
}

// walk divides a message into records by its own means, so that a message that
// the library cannot unpack is looked at too.
func walk(msg []byte) layout {
	var l layout
	if len(msg) < 12 {
		l.err = fmt.Errorf("%d octets are no message", len(msg))
		return l
	}
	at := 12
	for range binary.BigEndian.Uint16(msg[4:]) {
		_, next, err := readName(msg, at)
		if err != nil || next+4 > len(msg) {
			l.err = fmt.Errorf("question: octet %d: %v", at, err)
			return l
		}
		at = next + 4
	}
	l.questionEnd = at
	for i, section := range []string{"answer", "authority", "additional"} {
		for range binary.BigEndian.Uint16(msg[6+2*i:]) {
			owner, next, err := readName(msg, at)
			if err != nil || next+10 > len(msg) {
				l.err = fmt.Errorf("%s: octet %d: %v", section, at, err)
				return l
			}
			r := record{section: section, owner: strings.ToLower(owner), rrtype: binary.BigEndian.Uint16(msg[next:]), start: at, rdata: next + 10}
			r.end = r.rdata + int(binary.BigEndian.Uint16(msg[next+8:]))
			if r.end > len(msg) {
				l.err = fmt.Errorf("%s: octet %d: the record is longer than the message", section, at)
				return l
			}
			l.records = append(l.records, r)
			at = r.end
		}
	}
	return l
}

// readName reads a name, compressed or not, and where the next field begins.
func readName(msg []byte, at int) (name string, next int, err error) {
	var b strings.Builder
	next = -1
	for jumps := 0; ; {
		if at >= len(msg) {
			return "", 0, fmt.Errorf("the name leaves the message")
		}
		n := int(msg[at])
		switch {
		case n == 0:
			if next < 0 {
				next = at + 1
			}
			if b.Len() == 0 {
				return ".", next, nil
			}
			return b.String(), next, nil
		case n >= 0xc0:
			if at+1 >= len(msg) || jumps > 64 {
				return "", 0, fmt.Errorf("a bad pointer")
			}
			if next < 0 {
				next = at + 2
			}
			at = (n&0x3f)<<8 | int(msg[at+1])
			jumps++
		case n >= 0x40 || at+1+n > len(msg):
			return "", 0, fmt.Errorf("a bad label")
		default:
			b.Write(msg[at+1 : at+1+n])
			b.WriteByte('.')
			at += 1 + n
		}
	}
}

// end returns where the last record ends.
func (l *layout) end() int {
	if n := len(l.records); n > 0 {
		return l.records[n-1].end
	}
	return 0
}

// at returns the record that holds the octet, or nil.
func (l *layout) at(octet int) *record {
	for i := range l.records {
		if r := &l.records[i]; r.start <= octet && octet < r.end {
			return r
		}
	}
	return nil
}
