package addressmap

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// listen opens a UDP and a TCP socket of the same number on this machine.
func listen(t testing.TB) (net.PacketConn, net.Listener) {
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

// silence is a server that takes what comes and never answers.
type silence struct {
	addr string
	seen chan *dns.Msg // nil: a connection
}

func listenSilently(t testing.TB) *silence {
	t.Helper()
	udp, tcp := listen(t)
	s := &silence{addr: tcp.Addr().String(), seen: make(chan *dns.Msg, 1000)}
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

// times returns how often the server was spoken to.
func (s *silence) times() int { return len(s.seen) }

// until waits for something to come that is wanted; m is nil for a connection.
func (s *silence) until(t testing.TB, what string, wanted func(m *dns.Msg) bool) {
	t.Helper()
	for over := time.After(patience); ; {
		select {
		case m := <-s.seen:
			if wanted(m) {
				return
			}
		case <-over:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// listenScripted runs a server that gives the answers of a dialogue, and refuses
// all other questions. It returns its address.
func listenScripted(t testing.TB, d dialogue) string {
	t.Helper()
	udp, tcp := listen(t)
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		for _, l := range d {
			if q, err := parseQuestion(l.question); err == nil && strings.EqualFold(q.msg.Question[0].Name, r.Question[0].Name) && q.msg.Question[0].Qtype == r.Question[0].Qtype {
				w.WriteMsg(scripted(t, r, l.want))
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

// scripted is the reverse of [printed].
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
