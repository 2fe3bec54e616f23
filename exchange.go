package addressmap

import (
	"context"
	"net"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	transports "github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// exchange is the questioning of the next plugin about one query. It is both
// the context and the response writer that the next plugin is called with: one
// piece of memory for each query. What is written to it goes no further.
type exchange struct {
	context.Context
	dns.ResponseWriter
	a        *AddressMap
	req      *dns.Msg
	datagram bool     // the client asks over plain UDP
	client   net.Addr // see RemoteAddr

	msg       *dns.Msg // as written by the next plugin
	malformed bool     // what was written is no DNS message
	sealed    bool     // aliases must not be chased
	chased    bool     // it was tried
	gated     fqdn.Set // owners of which another directive answered meanwhile
}

// newExchange begins the questioning about a query. What is to be known of the client
// is asked once: writers of queries that are made inside of queries ask each other.
func newExchange(ctx context.Context, w dns.ResponseWriter, a *AddressMap, r *dns.Msg) *exchange {
	e := &exchange{Context: ctx, ResponseWriter: w, a: a, req: r, client: w.RemoteAddr()}
	if udp, ok := e.client.(*net.UDPAddr); ok {
		if e.datagram = overUDP(ctx); !e.datagram {
			e.client = &net.TCPAddr{IP: udp.IP, Port: udp.Port, Zone: udp.Zone}
		}
	}
	return e
}

// exchangeKey finds the exchange in the context of a chased alias.
type exchangeKey struct{}

// Value gives a backend that resolves an alias by asking the server it runs in
// a server that knows nothing. All else comes from the query's own context.
func (e *exchange) Value(key any) any {
	switch key.(type) {
	case exchangeKey:
		return e
	case dnsserver.Key:
		server, ok := e.Context.Value(key).(*dnsserver.Server)
		if !e.sealed || !ok {
			break
		}
		if end := e.a.deadEndOf(server); end != nil {
			return end
		}
		return nil
	}
	return e.Context.Value(key)
}

// WriteMsg keeps the message for [exchange.Ask].
func (e *exchange) WriteMsg(m *dns.Msg) error {
	e.msg, e.malformed = m, !wellFormed(m)
	return nil
}

// Write keeps a message that was packed already.
func (e *exchange) Write(wire []byte) (int, error) {
	m := new(dns.Msg)
	err := m.Unpack(wire)
	e.msg, e.malformed = m, err != nil || !wellFormed(m)
	return len(wire), nil
}

// wellFormed reports whether the records of m can be judged.
func wellFormed(m *dns.Msg) bool {
	if m == nil {
		return false
	}
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if rr == nil || rr.Header() == nil {
				return false
			}
		}
	}
	return true
}

// Ask implements [answer.Exchange].
func (e *exchange) Ask(a answer.Ask) answer.Reply {
	req := e.req
	if q := req.Question[0]; q.Name != a.Name || q.Qtype != a.Type {
		cp := *req
		cp.Question = []dns.Question{{Name: a.Name, Qtype: a.Type, Qclass: q.Qclass}}
		req = &cp
	}
	ctx := context.Context(e)
	if a.Wildcard {
		ctx = withoutWildcard(ctx)
	}
	e.msg, e.malformed, e.chased, e.sealed, e.gated = nil, false, false, !a.Chase, nil
	var rep answer.Reply
	rep.Rcode, rep.Err = plugin.NextOrFailure(pluginName, e.a.next, ctx, e, req)
	rep.Msg, rep.Malformed, rep.Chased, rep.Gated = e.msg, e.malformed, e.chased, e.gated
	if e.malformed {
		rep.Msg = nil
	}
	rep.Nobody = rep.Msg == nil && !rep.Malformed && isNobody(rep.Err)
	if a.Wildcard {
		rep.Wildcard = wildcardIn(ctx)
	}
	return rep
}

// isNobody reports whether an error of [plugin.NextOrFailure] says that the chain ends:
// no backend was asked. The error has no type.
func isNobody(err error) bool {
	return err != nil && strings.HasSuffix(err.Error(), "no next plugin found")
}

// Datagram implements [answer.Exchange].
func (e *exchange) Datagram() bool { return e.datagram }

// overUDP reports whether the server of a query speaks plain DNS. The address of a
// client that asks over DoQ or HTTP/3 is of UDP as well.
func overUDP(ctx context.Context) bool {
	server, ok := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok {
		return true // a question that no server was asked
	}
	proto, _ := transports.Transport(server.Addr)
	return proto == transport.DNS
}

// RemoteAddr is the client's address; of TCP unless the client asked over plain UDP, so
// that backends answer as much as there is to be said (R23).
func (e *exchange) RemoteAddr() net.Addr { return e.client }

// noteGated takes note that another directive, which acts for these zones, answered of
// the owners in m.
func (e *exchange) noteGated(m *dns.Msg, acting *fqdn.Zones) {
	if e.gated == nil {
		e.gated = make(fqdn.Set)
	}
	for _, rr := range m.Answer {
		if owner := fqdn.Canonical(rr.Header().Name); acting.Encloses(owner) {
			e.gated[owner] = struct{}{}
		}
	}
}

// wildcardLabel is where file, auto and secondary tell the wildcard that a
// response was made from.
const wildcardLabel = "zone/wildcard"

// withoutWildcard returns a context in which no backend has named a wildcard yet.
func withoutWildcard(ctx context.Context) context.Context {
	none := func() string { return "" }
	if !metadata.SetValueFunc(ctx, wildcardLabel, none) {
		ctx = metadata.ContextWithMetadata(ctx)
	}
	return ctx
}

// wildcardIn returns the wildcard that the backend has named in ctx, or "".
func wildcardIn(ctx context.Context) fqdn.Name {
	f := metadata.ValueFunc(ctx, wildcardLabel)
	if f == nil {
		return ""
	}
	return fqdn.Canonical(f())
}

// deadEndOf returns a server of the same address as server that answers nothing.
// It is made when it is first needed: a server block does not know the addresses
// that it will be served at.
func (a *AddressMap) deadEndOf(server *dnsserver.Server) *dnsserver.Server {
	if end, ok := a.deadEnds.Load(server); ok {
		return end.(*dnsserver.Server)
	}
	end, err := dnsserver.NewServer(server.Addr, []*dnsserver.Config{{
		Zone:   ".",
		Debug:  clog.D.Value(), // NewServer sets the switch for all of CoreDNS
		Plugin: []plugin.Plugin{func(plugin.Handler) plugin.Handler { return deadEnd{} }},
	}})
	if err != nil {
		return nil // the alias is not chased
	}
	first, _ := a.deadEnds.LoadOrStore(server, end)
	return first.(*dnsserver.Server)
}

// deadEnd is the handler of a server that an alias is chased to when it must
// not be: it says that there is nothing, at once, and takes note.
type deadEnd struct{}

// Name implements the plugin.Handler interface.
func (deadEnd) Name() string { return pluginName }

// ServeDNS implements the plugin.Handler interface.
func (deadEnd) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		e.chased = true
	}
	m := new(dns.Msg)
	m.SetReply(r)
	return dns.RcodeSuccess, w.WriteMsg(m)
}
