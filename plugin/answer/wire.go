package answer

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// Sizes of what a response is made of on the wire, in octets (RFC 1035, section 4.1,
// and RFC 6891, section 6.1).
const (
	headerSize   = 12
	questionSize = 4  // without the name
	recordSize   = 12 // without the data, and with the name as a pointer
	optSize      = 11
)

// toQuestion is a name that is the one in question: a pointer to where that is.
const toQuestion = 0xc000 | headerSize

// Packed returns what [Query.Recalled] answers as it goes over the wire, made at
// once, in buf; nil if that would not be the same as if the server packed it: then
// there may not be room for it, or the request has options that the server looks at.
//
//go:noinline // so that its part of the stack is free again when it is written
func (q *Query) Packed(ttl uint32, buf *[dns.MinMsgSize]byte) []byte {
	var edns *dns.OPT
	switch len(q.req.Extra) {
	case 0:
	case 1:
		o, ok := q.req.Extra[0].(*dns.OPT)
		if !ok || len(o.Option) > 0 {
			return nil
		}
		edns = o
	default:
		return nil
	}
	f := q.family()
	octets, length := q.d.Octets(f), f.Size()
	count := len(octets) / length
	if headerSize+len(q.name)+1+questionSize+count*(recordSize+length)+optSize > len(buf) {
		return nil
	}
	at, err := dns.PackDomainName(q.name, buf[:], headerSize, nil, false)
	if err != nil {
		return nil
	}
	be := binary.BigEndian
	be.PutUint16(buf[0:], q.req.Id)
	be.PutUint16(buf[2:], q.flags())
	be.PutUint16(buf[4:], 1)
	be.PutUint16(buf[6:], uint16(count))
	be.PutUint32(buf[8:], 0)
	out := be.AppendUint16(buf[:at], q.qtype)
	out = be.AppendUint16(out, dns.ClassINET)
	for ; len(octets) > 0; octets = octets[length:] {
		out = be.AppendUint16(out, toQuestion)
		out = be.AppendUint16(out, q.qtype)
		out = be.AppendUint16(out, dns.ClassINET)
		out = be.AppendUint32(out, ttl)
		out = be.AppendUint16(out, uint16(length))
		out = append(out, octets[:length]...)
	}
	if edns != nil {
		be.PutUint16(out[10:], 1)
		out = append(out, 0)
		out = be.AppendUint16(out, dns.TypeOPT)
		out = be.AppendUint16(out, edns.Hdr.Class)
		out = be.AppendUint32(out, edns.Hdr.Ttl&0xff00)
		out = be.AppendUint16(out, 0)
	}
	return out
}

// flags returns the second field of the header.
func (q *Query) flags() uint16 {
	facts := factsOf(&Reply{Facts: q.facts})
	var f uint16 = 1 << 15 // QR
	for bit, set := range [...]bool{4: q.req.CheckingDisabled, 7: facts.RecursionAvailable, 8: q.req.RecursionDesired, 10: facts.Authoritative} {
		if set {
			f |= 1 << bit
		}
	}
	return f
}
