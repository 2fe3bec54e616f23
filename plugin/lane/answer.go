package lane

import (
	"github.com/coredns/coredns/plugin/metrics/vars"
	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// answer appends the answer to a packet to out, which is empty and of the capacity that an
// answer may have, and says in a what there is to know of it. It returns nil if CoreDNS is
// to be asked, as it is after a panic, which counts as one of CoreDNS.
func (t *Table) answer(m *ipv4.Message, out []byte, a *Answer) (response []byte) {
	defer func() {
		if recover() != nil {
			vars.Panic.Inc()
			response = nil
		}
	}()
	var buf [256]byte
	packet := m.Buffers[0][:m.N]
	q, ok := parse(packet, &buf, t.Cookies)
	if !ok {
		return nil
	}
	z := t.zone(q.name, packet[headerSize:])
	if z == nil {
		return nil
	}
	names := z.Names()
	d, p, ok := names.Mapped(fqdn.Name(q.name), q.qtype())
	if !ok {
		return nil
	}
	response = appendAnswer(out, &q, d, p, names.TTL)
	*a = Answer{zone: z, Step: d.Step(q.family), Family: q.family, Client: m.Addr,
		DO: q.do(), Request: len(packet), Response: len(response) - len(q.opt)}
	return response
}

// appendAnswer appends the response with the mapped addresses to out. It returns nil if
// it is longer than the client takes or out has room for: then CoreDNS makes it shorter.
// As those of CoreDNS, it is not compressed.
func appendAnswer(out []byte, q *query, d mapset.Decision, p answer.Presence, ttl uint32) []byte {
	octets, length := d.Octets(q.family), q.family.Size()
	count := len(octets) / length
	name := q.packet[headerSize : q.question-4]
	if size := q.question + count*(len(name)+10+length) + len(q.opt); size > min(q.size, cap(out)) {
		return nil
	}
	bits := bitsQR | be.Uint16(q.packet[2:])&(bitsRD|bitsCD)
	if p.Authoritative {
		bits |= bitsAA
	}
	if p.RecursionAvailable {
		bits |= bitsRA
	}
	out = append(out, q.packet[:q.question]...)
	be.PutUint16(out[2:], bits)
	be.PutUint16(out[6:], uint16(count))
	for ; len(octets) > 0; octets = octets[length:] {
		out = append(out, name...)
		out = be.AppendUint16(out, q.qtype())
		out = be.AppendUint16(out, dns.ClassINET)
		out = be.AppendUint32(out, ttl)
		out = be.AppendUint16(out, uint16(length))
		out = append(out, octets[:length]...)
	}
	if out = append(out, q.opt...); q.opt != nil {
		// CoreDNS repeats the upper half of the flags, and no options.
		out[len(out)-3], out[len(out)-2], out[len(out)-1] = 0, 0, 0
	}
	return out
}
