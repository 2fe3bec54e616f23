package server

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Listen opens a UDP and a TCP socket of the same number on this machine.
func Listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 10 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err != nil {
			tcp.Close() // somebody else has that number
			continue
		}
		t.Cleanup(func() {
			udp.Close()
			tcp.Close()
		})
		return udp, tcp
	}
	t.Fatal("no port that is free for both UDP and TCP")
	return nil, nil
}

// Silence is a server that takes what comes and never answers.
type Silence struct {
	Addr string
	seen chan *dns.Msg // nil: a connection
}

// ListenSilently starts a server that never answers. It ends with the test.
func ListenSilently(t testing.TB) *Silence {
	t.Helper()
	udp, tcp := Listen(t)
	s := &Silence{Addr: tcp.Addr().String(), seen: make(chan *dns.Msg, 1000)}
	go func() {
		buf := make([]byte, dns.MaxMsgSize)
		for {
			n, _, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			m := new(dns.Msg)
			_ = m.Unpack(buf[:n]) // nothing is all that is seen of it then
			s.seen <- m
		}
	}()
	go func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			s.seen <- nil
		}
	}()
	return s
}

// Times returns how often the server was spoken to.
func (s *Silence) Times() int { return len(s.seen) }

// Until waits for something to come that is wanted; m is nil for a connection.
func (s *Silence) Until(t testing.TB, what string, wanted func(m *dns.Msg) bool) {
	t.Helper()
	for over := time.After(Patience); ; {
		select {
		case m := <-s.seen:
			if wanted(m) {
				return
			}
		case <-over:
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}

// ListenScripted runs a server that gives the answers of a dialogue, and refuses
// all other questions. It returns its address.
func ListenScripted(t testing.TB, d Dialogue) string {
	t.Helper()
	udp, tcp := Listen(t)
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		for _, l := range d {
			if q, err := ParseQuestion(l.Question); err == nil && strings.EqualFold(q.Msg.Question[0].Name, r.Question[0].Name) && q.Msg.Question[0].Qtype == r.Question[0].Qtype {
				w.WriteMsg(scripted(t, r, l.Want))
				return
			}
		}
		w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeRefused))
	})
	for _, server := range []*dns.Server{{PacketConn: udp, Handler: handler}, {Listener: tcp, Handler: handler}} {
		go server.ActivateAndServe()
		t.Cleanup(func() { server.Shutdown() })
	}
	return tcp.Addr().String()
}

// scripted is the reverse of [Printed].
func scripted(t testing.TB, r *dns.Msg, text string) *dns.Msg {
	head, records, _ := strings.Cut(text, "\n")
	flags := strings.Fields(head)
	m := new(dns.Msg).SetRcode(r, dns.StringToRcode[flags[0]])
	for _, flag := range flags[1:] {
		switch flag {
		case "aa":
			m.Authoritative = true
		case "ra":
			m.RecursionAvailable = true
		}
	}
	if r.IsEdns0() != nil {
		m.SetEdns0(1232, r.IsEdns0().Do())
	}
	for l := range strings.Lines(records) {
		section, data, _ := strings.Cut(strings.TrimSpace(l), ": ")
		if section == "error" {
			if opt := m.IsEdns0(); opt != nil {
				opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeOther, ExtraText: data})
			}
			continue
		}
		rr, err := dns.NewRR(data)
		if err != nil {
			t.Errorf("%q: %v", data, err)
			continue
		}
		switch section {
		case "answer":
			m.Answer = append(m.Answer, rr)
		case "authority":
			m.Ns = append(m.Ns, rr)
		case "additional":
			m.Extra = append(m.Extra, rr)
		}
	}
	return m
}
