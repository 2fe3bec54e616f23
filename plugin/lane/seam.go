package lane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/miekg/dns"
)

var log = clog.NewWithPlugin("addressmap")

// This file is the seam to CoreDNS, which has no hook for a packet connection of a
// plugin's: contrib/packetconn.patch is one to propose. Until then, the servers of an
// instance are wrapped when CoreDNS has made them, by a context that stands in place of its
// own for as long as that takes. Two unexported fields are looked at: the context of
// [caddy.Instance], and the zones of [dnsserver.Server]. Both are checked first; a CoreDNS
// in which they are not as known here has no lane.

// Open returns the table of a server, or nil if none of its zones answers from a lane. It
// is called when the server begins to serve.
type Open func(*dnsserver.Server, map[string][]*dnsserver.Config) *Table

// errUnknown says that CoreDNS is not as this package knows it.
var errUnknown = errors.New("this CoreDNS is built otherwise than the lane knows it")

var hook sync.Once

// Hook has the servers of every instance that loads from now on opened by open: that of
// the first call.
func Hook(open Open) error {
	if _, err := contextOf(new(caddy.Instance)); err != nil {
		return err
	}
	if _, err := zonesOf(new(dnsserver.Server)); err != nil {
		return err
	}
	hook.Do(func() {
		last := dnsserver.Directives[len(dnsserver.Directives)-1]
		caddy.RegisterParsingCallback("dns", last, func(ctx caddy.Context) error {
			for _, inst := range caddy.Instances() {
				if at, err := contextOf(inst); err == nil && *at == ctx {
					*at = &wrapping{ctx, at, open}
				}
			}
			return nil
		})
	})
	return nil
}

// contextOf returns where an instance has its context.
func contextOf(inst *caddy.Instance) (*caddy.Context, error) {
	f := reflect.ValueOf(inst).Elem().FieldByName("context")
	if !f.IsValid() || f.Type() != reflect.TypeFor[caddy.Context]() {
		return nil, fmt.Errorf("%w: caddy.Instance has no context", errUnknown)
	}
	return (*caddy.Context)(unsafe.Pointer(f.UnsafeAddr())), nil
}

// zonesOf returns the zones of a server.
func zonesOf(s *dnsserver.Server) (map[string][]*dnsserver.Config, error) {
	f := reflect.ValueOf(s).Elem().FieldByName("zones")
	if !f.IsValid() || f.Type() != reflect.TypeFor[map[string][]*dnsserver.Config]() {
		return nil, fmt.Errorf("%w: dnsserver.Server has no zones", errUnknown)
	}
	return *(*map[string][]*dnsserver.Config)(unsafe.Pointer(f.UnsafeAddr())), nil
}

// wrapping is a context whose servers are wrapped.
type wrapping struct {
	caddy.Context
	at   *caddy.Context // where it stands
	open Open
}

// MakeServers puts CoreDNS's own context back, and wraps what it makes.
func (w *wrapping) MakeServers() ([]caddy.Server, error) {
	*w.at = w.Context
	servers, err := w.Context.MakeServers()
	for i, s := range servers {
		if plain, ok := s.(*dnsserver.Server); ok { // of DNS over TLS and the like it is no such
			servers[i] = &server{Server: plain, open: w.open}
		}
	}
	return servers, err
}

// server is a server of CoreDNS that reads from a [Conn].
type server struct {
	*dnsserver.Server
	open Open

	mu      sync.Mutex
	stopped bool
	conn    *Conn // nil if there is none, or not yet
}

// ServePacket implements the caddy.UDPServer interface.
func (s *server) ServePacket(p net.PacketConn) error {
	p, err := s.wrap(p)
	if err != nil {
		return err
	}
	return s.Server.ServePacket(p)
}

// wrap returns the packet connection to serve: p where the lane is off.
func (s *server) wrap(p net.PacketConn) (net.PacketConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, errors.Join(net.ErrClosed, p.Close())
	}
	zones, err := zonesOf(s.Server)
	if err != nil {
		return p, nil
	}
	table := s.open(s.Server, zones)
	if table == nil {
		return p, nil
	}
	u, ok := p.(*net.UDPConn)
	if !ok {
		log.Warningf("lane off at %s: its packets are not read from a socket but from %T", s.Addr, p)
		return p, nil
	}
	c, err := New(u, table, s.drain)
	if err != nil {
		log.Warningf("lane off at %s: %v", s.Addr, err)
		return p, nil
	}
	s.conn = c
	return c, nil
}

// Stop implements the caddy.Stopper interface. That of CoreDNS does nothing to a server
// that is about to serve.
func (s *server) Stop() error {
	err := s.Server.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.conn != nil {
		s.conn.End()
	}
	return err
}

// grace is how long a server waits for its last answers: that of CoreDNS.
const grace = 5 * time.Second

// drain serves the packets that are left when the server shuts down, as the server would.
func (s *server) drain(p net.PacketConn) {
	rest := &dns.Server{PacketConn: p, Net: "udp", TsigSecret: s.TsigSecret,
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
			ctx := context.WithValue(context.Background(), dnsserver.Key{}, s.Server)
			s.Server.ServeDNS(context.WithValue(ctx, dnsserver.LoopKey{}, 0), w, r)
		})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rest.ActivateAndServe() // until there is no packet left
	}()
	select {
	case <-done:
	case <-time.After(grace):
	}
}
