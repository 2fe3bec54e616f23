package property

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// wire speaks to a server and hands out the octets that come back.
type wire struct {
	c        *server.Server
	udp, tcp net.Conn
	buf      []byte
}

// way is how a question is asked.
type way struct {
	network string
	edns    bool
	do      bool
}

var ways = []way{{"udp", false, false}, {"udp", true, false}, {"udp", true, true}, {"tcp", false, false}, {"tcp", true, false}, {"tcp", true, true}}

func (w way) String() string {
	s := w.network
	if w.edns {
		s += " edns"
	}
	if w.do {
		s += " do"
	}
	return s
}

// query is one question as it is asked.
type query struct {
	name  string
	qtype uint16
	way
}

func (q query) String() string {
	return fmt.Sprintf("%s %s (%s)", q.name, dns.Type(q.qtype), q.way)
}

func (q query) transfers() bool { return q.qtype == dns.TypeAXFR || q.qtype == dns.TypeIXFR }

// msg returns the message that asks.
func (q query) msg(serial uint32) *dns.Msg {
	m := new(dns.Msg).SetQuestion(q.name, q.qtype)
	if q.qtype == dns.TypeIXFR {
		m.SetIxfr(q.name, serial, ".", ".")
	}
	if q.edns {
		m.SetEdns0(4096, q.do)
	}
	return m
}

// ask asks and returns the messages that come back: more than one in a transfer.
func (w *wire) ask(q query, m *dns.Msg) ([][]byte, error) {
	packed, err := m.Pack()
	if err != nil {
		return nil, err
	}
	if q.network == "udp" {
		return w.askUDP(packed)
	}
	if !q.transfers() {
		out, err := w.askTCP(packed)
		return [][]byte{out}, err
	}
	w.hangUp() // a transfer has a connection of its own
	defer w.hangUp()
	var out [][]byte
	next, err := w.askTCP(packed)
	for soas := 0; err == nil; next, err = w.readTCP() {
		out = append(out, next)
		resp := new(dns.Msg)
		if err := resp.Unpack(next); err != nil {
			return out, err
		}
		for _, rr := range resp.Answer {
			if rr.Header().Rrtype == dns.TypeSOA {
				soas++
			}
		}
		if soas != 1 || len(resp.Answer) < 2 && len(out) == 1 {
			return out, nil
		}
	}
	return out, err
}

func (w *wire) askUDP(packed []byte) ([][]byte, error) {
	if w.udp == nil {
		conn, err := net.Dial("udp", w.c.Addr("udp"))
		if err != nil {
			return nil, err
		}
		w.udp, w.buf = conn, make([]byte, dns.MaxMsgSize)
	}
	for range 3 { // a datagram may be lost
		if _, err := w.udp.Write(packed); err != nil {
			return nil, err
		}
		w.udp.SetReadDeadline(time.Now().Add(server.Patience / 4))
		for {
			n, err := w.udp.Read(w.buf)
			if err != nil {
				break
			}
			if n > 2 && string(w.buf[:2]) == string(packed[:2]) {
				return [][]byte{append([]byte(nil), w.buf[:n]...)}, nil
			}
		}
	}
	return nil, fmt.Errorf("no answer within %v", server.Patience)
}

// askTCP asks on the connection that is open; the server closes one after some
// questions.
func (w *wire) askTCP(packed []byte) ([]byte, error) {
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)
	if w.tcp != nil {
		if _, err := w.tcp.Write(framed); err == nil {
			if out, err := w.readTCP(); err == nil {
				return out, nil
			}
		}
		w.hangUp()
	}
	conn, err := net.Dial("tcp", w.c.Addr("tcp"))
	if err != nil {
		return nil, err
	}
	w.tcp = conn
	if _, err := conn.Write(framed); err != nil {
		return nil, err
	}
	return w.readTCP()
}

func (w *wire) readTCP() ([]byte, error) {
	w.tcp.SetReadDeadline(time.Now().Add(server.Patience))
	var length [2]byte
	if _, err := io.ReadFull(w.tcp, length[:]); err != nil {
		return nil, err
	}
	out := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(w.tcp, out)
	return out, err
}

func (w *wire) hangUp() {
	if w.tcp != nil {
		w.tcp.Close()
		w.tcp = nil
	}
}

func (w *wire) close() {
	w.hangUp()
	if w.udp != nil {
		w.udp.Close()
	}
}
