package lane

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

var (
	packets = flag.Int("lane.packets", 20_000, "how many packets TestEquality sends to each server")
	seed    = flag.Uint64("lane.seed", 1, "of the packets; 0 is a random one, which is printed")
)

// world is what both servers serve: every way in which a name may be decided, with a
// nested zone of the map, one of the backend, a block without the directive below one with
// it, and one that no plugin but addressmap keeps from the lane.
var world = map[string]string{
	"maps.yaml": `
anycast: [192.0.2.1, 192.0.2.2, "2001:db8::1"]
accounts:
  - id: a
    static_ips: [203.0.113.7, 203.0.113.10, 203.0.113.11, 203.0.113.20, "2001:db8:100::10"]
    address_maps:
      - {id: m, enabled: true, ips: [203.0.113.10, 203.0.113.11, "2001:db8:100::10"], memberships: [{kind: account, identifier: a}]}
      - {id: v4, enabled: true, ips: [203.0.113.20], memberships: [{kind: zone, identifier: four.example.org}]}
    zones:
      - {name: example.org, proxied: [www, alias, six, "*.wild", apex.sub, {name: no.wild, proxied: false}, "@"]}
      - {name: four.example.org, ipv6: false, proxied: all}
      - {name: many.example, proxied: all}
    spectrum_apps:
      - {dns: {name: app.example.org, type: ADDRESS}, edge_ips: {type: static, ips: [203.0.113.7]}}
`,
	"db.example.org": `$ORIGIN example.org.
@ 300 IN SOA ns h 1 7200 3600 1209600 300
@ NS ns
@ A 10.66.0.1
ns A 192.0.2.53
www A 10.66.0.2
www AAAA 2001:db8:66::2
alias CNAME www
six AAAA 2001:db8:66::3
plain A 192.0.2.80
*.wild A 10.66.0.4
no.wild A 192.0.2.81
a.four A 10.66.0.5
sub NS ns.sub
ns.sub A 192.0.2.54
`,
	"db.block.example.org": `$ORIGIN block.example.org.
@ 300 IN SOA ns h 1 7200 3600 1209600 300
@ NS ns.example.org.
www A 192.0.2.90
`,
	"db.many.example": `$ORIGIN many.example.
@ 300 IN SOA ns h 1 7200 3600 1209600 300
@ NS ns.example.org.
* A 10.66.0.9
`,
}

// corefile is that of one server, with an option of each directive.
func corefile(option, port, metrics string) string {
	return strings.NewReplacer("OPTION", option, "PORT", port, "METRICS", metrics).Replace(`
example.org:PORT {
    addressmap maps.yaml {
        OPTION
    }
    file db.example.org
}
block.example.org:PORT {
    file db.block.example.org
}
many.example:PORT {
    errors
    prometheus 127.0.0.1:METRICS
    addressmap maps.yaml {
        OPTION
    }
    file db.many.example
}
`)
}

// start starts a process with two servers, and returns their ports, and that of the
// metrics: the second one has the lane off.
func start(t testing.TB) (on, off, metrics string) {
	on, off, metrics = server.FreePort(t), server.FreePort(t), server.FreePort(t)
	server.Start(t, corefile("lane on", on, metrics)+corefile("lane off", off, metrics), world)
	return on, off, metrics
}

// TestEquality: no answer of the lane differs by a bit from what the slow way gives.
func TestEquality(t *testing.T) {
	n, from := *packets, *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", from)
	on, off, metrics := start(t)
	before := counted(t, metrics)
	const clients = 16
	var wg sync.WaitGroup
	var mu sync.Mutex
	silent, odd := 0, make(map[string]int)
	for i := range clients {
		wg.Go(func() {
			c := client{t: t, odd: make(map[string]int), rnd: rand.New(rand.NewPCG(from, uint64(i))), on: dial(t, on), off: dial(t, off)}
			for range n / clients {
				if !c.compare(c.packet()) {
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			silent += c.silent
			for why, n := range c.odd {
				odd[why] += n
			}
		})
	}
	wg.Wait()
	answered := counted(t, metrics) - before
	t.Logf("%d packets, %d answered by the lane, %d that no server answers; odd ones: %v", n, answered, silent, odd)
	for _, why := range []string{"class", "type", "EDNS option", "EDNS version or RCODE", "damaged"} {
		if odd[why] < n/100 {
			t.Errorf("%d of %d packets are odd by their %s", odd[why], n, why)
		}
	}
	if answered < n/20 {
		t.Errorf("the lane answered %d of %d packets: the test is of something else", answered, n)
	}
}

// client sends the same packets to both servers.
type client struct {
	t       testing.TB
	rnd     *rand.Rand
	on, off net.Conn
	silent  int
	odd     map[string]int // why packets are none for the lane, or may be none
}

func dial(t testing.TB, port string) net.Conn {
	c, err := net.Dial("udp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// compare reports whether both servers answer a packet with the same octets.
func (c *client) compare(packet []byte) bool {
	if len(packet) < 12 || packet[2]&0x80 != 0 {
		c.silent++ // miekg/dns answers no response, and no header that is cut
		c.on.Write(packet)
		c.off.Write(packet)
		return true
	}
	const short = 3 * time.Second // most that are not answered by then are by nobody
	a := c.exchange(c.on, packet, short)
	var b []byte
	if a != nil {
		b = c.exchange(c.off, packet, server.Patience)
	} else if b = c.exchange(c.off, packet, short); b != nil {
		a = c.exchange(c.on, packet, server.Patience)
	}
	if a == nil && b == nil {
		c.silent++ // such as NOTIFY, which file drops
	}
	if bytes.Equal(a, b) {
		return true
	}
	c.t.Errorf("to % x\nwith the lane    %s\nwithout the lane %s", packet, dump(a), dump(b))
	return false
}

// exchange returns the response to a packet, or nil if none comes in time. A datagram that
// is lost is sent again; what comes late for an earlier packet has another ID.
func (c *client) exchange(conn net.Conn, packet []byte, patience time.Duration) []byte {
	buf := make([]byte, dns.MaxMsgSize)
	for range 3 {
		conn.Write(packet)
		conn.SetReadDeadline(time.Now().Add(patience / 3))
		for {
			n, err := conn.Read(buf)
			if err != nil {
				break
			}
			if n >= 2 && bytes.Equal(buf[:2], packet[:2]) {
				return buf[:n]
			}
		}
	}
	return nil
}

func dump(wire []byte) string {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return fmt.Sprintf("%s (%v)", hex.EncodeToString(wire), err)
	}
	return hex.EncodeToString(wire) + "\n" + m.String()
}

var (
	names = []string{"www.example.org.", "alias.example.org.", "six.example.org.", "plain.example.org.", "a.wild.example.org.",
		"no.wild.example.org.", "example.org.", "app.example.org.", "a.four.example.org.", "b.four.example.org.", "gone.example.org.",
		"ns.sub.example.org.", "apex.sub.example.org.", "www.block.example.org.", "block.example.org.", "x.many.example.", "many.example.",
		"elsewhere.test.", ".", "org.", "*.wild.example.org.", `a\.b.example.org.`, `a\000.example.org.`,
		strings.Repeat("a", 63) + ".many.example.", strings.Repeat("abc.", 50) + "many.example."}
	types = []uint16{dns.TypeA, dns.TypeA, dns.TypeA, dns.TypeA, dns.TypeA, dns.TypeA, dns.TypeAAAA, dns.TypeAAAA, dns.TypeAAAA, dns.TypeAAAA, dns.TypeAAAA, dns.TypeAAAA, dns.TypeHTTPS, dns.TypeMX, dns.TypeSOA, dns.TypeANY, dns.TypeAXFR, 0, 65535}
	sizes = []uint16{0, 100, 512, 513, 600, 1220, 1232, 1480, 4096, 65535}
)

func pick[E any](r *rand.Rand, of []E) E { return of[r.IntN(len(of))] }

// packet makes a query, and damages every third.
func (c *client) packet() []byte {
	r := c.rnd
	m := new(dns.Msg).SetQuestion(mixed(r, pick(r, names)), pick(r, types))
	m.Id = uint16(r.Uint32())
	for _, bit := range []*bool{&m.RecursionDesired, &m.CheckingDisabled, &m.AuthenticatedData, &m.Zero, &m.Authoritative, &m.RecursionAvailable} {
		*bit = r.IntN(4) == 0
	}
	if qtype := m.Question[0].Qtype; qtype != dns.TypeA && qtype != dns.TypeAAAA {
		c.odd["type"]++
	}
	if r.IntN(20) == 0 {
		c.odd["class"]++
		m.Question[0].Qclass = pick(r, []uint16{dns.ClassCHAOS, dns.ClassANY, dns.ClassNONE, 0, 7})
	}
	if r.IntN(3) > 0 {
		opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
		opt.SetUDPSize(pick(r, sizes))
		opt.SetDo(r.IntN(2) == 0)
		opt.Hdr.Ttl |= uint32(pick(r, []int{0, 0, 0, 1, 0x4000, 0x7fff, 0x10000, 0x1000000}))
		if opt.Hdr.Ttl&0xffff0000 != 0 {
			c.odd["EDNS version or RCODE"]++
		}
		switch r.IntN(8) {
		case 0:
			opt.Option = append(opt.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"})
		case 1:
			if r.IntN(2) == 0 {
				opt.Option = append(opt.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: strings.Repeat("ab", r.IntN(45))})
			}
			c.odd["EDNS option"]++
			opt.Option = append(opt.Option, &dns.EDNS0_PADDING{Padding: make([]byte, r.IntN(500))})
		}
		m.Extra = append(m.Extra, opt)
	}
	wire, err := m.Pack()
	if err != nil {
		c.t.Fatal(err)
	}
	if r.IntN(3) == 0 {
		c.odd["damaged"]++
		wire = damaged(r, wire)
	}
	return wire
}

// mixed spells a name in letters of both cases.
func mixed(r *rand.Rand, name string) string {
	if r.IntN(2) == 0 {
		return name
	}
	out := []byte(name)
	for i, b := range out {
		if b >= 'a' && b <= 'z' && r.IntN(2) == 0 {
			out[i] = b - 'a' + 'A'
		}
	}
	return string(out)
}

// damaged returns a packet with bits flipped, octets cut, added or changed.
func damaged(r *rand.Rand, wire []byte) []byte {
	for range 1 + r.IntN(3) {
		if len(wire) == 0 {
			return wire
		}
		i := r.IntN(len(wire))
		switch r.IntN(6) {
		case 0:
			wire[i] ^= 1 << r.IntN(8)
		case 1:
			wire[i] = byte(r.Uint32())
		case 2:
			wire = wire[:i]
		case 3:
			wire = append(wire, make([]byte, r.IntN(1+4096-min(len(wire), 4096)))...)
		case 4:
			wire = append(wire[:i:i], append([]byte{byte(r.Uint32())}, wire[i:]...)...)
		case 5:
			wire[r.IntN(min(12, len(wire)))] = byte(r.IntN(4)) // in the header
		}
	}
	return wire
}

// counted is how many answers all lanes of the process gave.
func counted(t testing.TB, metrics string) int {
	t.Helper()
	n := 0.0
	for _, v := range server.Scrape(t, metrics, "lane_responses_total") {
		n += v
	}
	return int(n)
}
