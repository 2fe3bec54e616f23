package lane

import (
	"encoding/binary"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// query is a packet that asks for the addresses of a name, and asks for nothing else.
type query struct {
	packet   []byte
	name     []byte // canonical: lower case, each label with a dot after it
	question int    // where the question ends in the packet
	family   mapset.Family
	opt      []byte // the OPT record up to its options, or nil
	size     int    // of the largest response that the client takes, in octets
}

// Where things are in a message (RFC 1035, section 4.1), and in OPT (RFC 6891,
// section 6.1).
const (
	headerSize = 12
	optSize    = 11 // without options
	optionSize = 4  // of the head of an option

	bitsQR, bitsOpcode, bitsTC = 0x8000, 0x7800, 0x0200
	bitsAA, bitsRD, bitsRA     = 0x0400, 0x0100, 0x0080
	bitsCD                     = 0x0010
)

var be = binary.BigEndian

// lower has the lower case of each octet that a label may hold here, 0 for any other:
// those that are written with a backslash are left to CoreDNS.
var lower = func() (t [256]byte) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			t[c] = byte(c)
		case c >= 'A' && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	return t
}()

// parse reads a packet, and reports false unless it is a query of class IN for A or
// AAAA with one plain name, and nothing else but an OPT of version 0. Of options, it takes
// cookies (RFC 7873), which resolvers and dig send, if cookies says that CoreDNS answers a
// query without one alike. The name is written to buf.
func parse(packet []byte, buf *[256]byte, cookies bool) (q query, ok bool) {
	if len(packet) < headerSize+1+4 || len(packet) >= packetSize {
		return q, false // a longer one may have been cut
	}
	bits := be.Uint16(packet[2:])
	counts := be.Uint64(packet[4:]) // of questions, answers, authority and additional records
	if bits&(bitsQR|bitsOpcode|bitsTC) != 0 || counts&^1 != 1<<48 {
		return q, false
	}
	n, at := 0, headerSize
	for {
		label := int(packet[at])
		at++
		if label == 0 {
			break
		}
		if label > 63 || at+label+1+4 > len(packet) || n+label+1 > 254 {
			return q, false
		}
		for _, c := range packet[at : at+label] {
			if buf[n] = lower[c]; buf[n] == 0 {
				return q, false
			}
			n++
		}
		buf[n] = '.'
		n++
		at += label
	}
	if n == 0 || at+4 > len(packet) || be.Uint16(packet[at+2:]) != dns.ClassINET {
		return q, false
	}
	q = query{packet: packet, name: buf[:n], question: at + 4, size: dns.MinMsgSize}
	switch be.Uint16(packet[at:]) {
	case dns.TypeA:
	case dns.TypeAAAA:
		q.family = mapset.IPv6
	default:
		return q, false
	}
	rest := packet[q.question:]
	if counts&1 == 0 {
		return q, len(rest) == 0
	}
	// The root, the type, the size, extended RCODE and version, flags, length of the options.
	if len(rest) < optSize || rest[0] != 0 || be.Uint16(rest[1:]) != dns.TypeOPT ||
		be.Uint16(rest[5:]) != 0 || int(be.Uint16(rest[9:])) != len(rest)-optSize {
		return q, false
	}
	q.opt, q.size = rest[:optSize], max(q.size, int(be.Uint16(rest[3:])))
	for options := rest[optSize:]; len(options) > 0; {
		if len(options) < optionSize || be.Uint16(options) != dns.EDNS0COOKIE || !cookies {
			return q, false
		}
		end := optionSize + int(be.Uint16(options[2:]))
		if end > len(options) {
			return q, false
		}
		options = options[end:]
	}
	return q, true
}

// qtype is the type in question.
func (q *query) qtype() uint16 { return be.Uint16(q.packet[q.question-4:]) }

// do reports whether the client asks for DNSSEC records (RFC 3225).
func (q *query) do() bool { return q.opt != nil && q.opt[7]&0x80 != 0 }
