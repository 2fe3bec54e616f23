package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/coredns/coredns/pb"
	"github.com/miekg/dns"
	"google.golang.org/grpc"
)

// Server is one running server: UDP and TCP on one port, gRPC on another. Close
// stops it and waits for its goroutines.
type Server struct {
	pb.UnimplementedDnsServiceServer

	Addr string // host:port of UDP and TCP
	GRPC string // host:port of gRPC

	zones *Zones
	plan  *Plan

	mu    sync.Mutex
	nth   map[dns.Question]int
	done  chan struct{}
	wg    sync.WaitGroup
	stops []func()
}

// Start starts a server on the two ports of host. A nil plan makes no mistakes.
func Start(zones *Zones, plan *Plan, host string, port, grpcPort int) (*Server, error) {
	s := &Server{zones: zones, plan: plan, nth: map[dns.Question]int{}, done: make(chan struct{})}
	s.Addr, s.GRPC = fmt.Sprintf("%s:%d", host, port), fmt.Sprintf("%s:%d", host, grpcPort)
	pc, err := net.ListenPacket("udp", s.Addr)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	gl, err := net.Listen("tcp", s.GRPC)
	if err != nil {
		return nil, errors.Join(err, pc.Close(), l.Close())
	}
	handler := dns.HandlerFunc(s.serve)
	for _, srv := range []*dns.Server{{PacketConn: pc, Handler: handler}, {Listener: l, Handler: handler, MaxTCPQueries: -1}} {
		started := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		s.wg.Go(func() { srv.ActivateAndServe() })
		<-started
		s.stops = append(s.stops, func() { srv.Shutdown() })
	}
	g := grpc.NewServer()
	pb.RegisterDnsServiceServer(g, s)
	s.wg.Go(func() { g.Serve(gl) })
	s.stops = append(s.stops, g.Stop)
	return s, nil
}

// Close stops the server.
func (s *Server) Close() {
	close(s.done)
	for _, stop := range s.stops {
		stop()
	}
	s.wg.Wait()
}

func (s *Server) serve(w dns.ResponseWriter, r *dns.Msg) {
	if len(r.Question) != 1 {
		return
	}
	if t := r.Question[0].Qtype; t == dns.TypeAXFR || t == dns.TypeIXFR {
		s.transfer(w, r)
		return
	}
	_, udp := w.RemoteAddr().(*net.UDPAddr)
	m, octets := s.answer(r, udp)
	switch {
	case octets != nil:
		w.Write(octets)
	case m != nil:
		if udp {
			size := 512
			if opt := r.IsEdns0(); opt != nil {
				size = int(opt.UDPSize())
			}
			m.Truncate(size)
		}
		w.WriteMsg(m)
	}
}

func (s *Server) transfer(w dns.ResponseWriter, r *dns.Msg) {
	rrs := s.zones.Transfer(r.Question[0].Name)
	if rrs == nil {
		m := new(dns.Msg)
		w.WriteMsg(m.SetRcode(r, dns.RcodeNotAuth))
		return
	}
	ch := make(chan *dns.Envelope, 1)
	ch <- &dns.Envelope{RR: rrs}
	close(ch)
	new(dns.Transfer).Out(w, r, ch)
}

// answer answers one question, rightly or as the plan has it.
func (s *Server) answer(r *dns.Msg, udp bool) (*dns.Msg, []byte) {
	m := s.zones.Answer(r)
	q := r.Question[0]
	q.Name = dns.CanonicalName(q.Name)
	if s.plan == nil || !s.plan.Hits(q.Name, q.Qtype) {
		if r.IsEdns0() != nil {
			m.SetEdns0(1232, false)
		}
		return m, nil
	}
	s.mu.Lock()
	nth := s.nth[q]
	s.nth[q]++
	s.mu.Unlock()
	if s.plan.Kind == "slow" {
		select {
		case <-time.After(150 * time.Millisecond):
		case <-s.done:
		}
	}
	return s.plan.spoil(m, r, nth, udp)
}

// Query serves gRPC.
func (s *Server) Query(ctx context.Context, in *pb.DnsPacket) (*pb.DnsPacket, error) {
	r := new(dns.Msg)
	if err := r.Unpack(in.Msg); err != nil || len(r.Question) != 1 {
		return nil, errors.New("no question")
	}
	m, octets := s.answer(r, false)
	if octets != nil {
		return &pb.DnsPacket{Msg: octets}, nil
	}
	if m == nil {
		select {
		case <-ctx.Done():
		case <-s.done:
		}
		return nil, errors.New("silence")
	}
	b, err := m.Pack()
	return &pb.DnsPacket{Msg: b}, err
}
