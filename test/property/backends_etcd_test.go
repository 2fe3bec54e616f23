package property

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/etcd/msg"
	"github.com/coredns/coredns/plugin/pkg/upstream"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// The backend makes its records from services, with CoreDNS's own code for that, as
// etcd does.
func TestProperty_Etcd(t *testing.T) {
	// A mail exchanger would be an alias as well.
	worlds(t, *propertyZones/4, backing{kinds: []kind{kindHost, kindHost6, kindAlias, kindText}, lax: true, hides: true}, func(t *testing.T, w *world) func([]string) string {
		servicesOf = make(map[string][]msg.Service)
		for _, z := range w.zones {
			for name := range z.exists {
				servicesOf[name] = nil
			}
			for _, rr := range z.rrs {
				if s, ok := serviceOf(rr); ok {
					name := dns.CanonicalName(rr.Header().Name)
					s.Key = msg.Path(fmt.Sprintf("x%d.%s", len(servicesOf[name]), name), "skydns")
					servicesOf[name] = append(servicesOf[name], s)
				}
			}
		}
		return func(zones []string) string { return "    etcd " + strings.Join(zones, " ") + "\n" }
	})
}

// servicesOf is what the servers of a test have: by name, none at one that only has
// names below it.
var servicesOf map[string][]msg.Service

// serviceOf returns the service that a record is made from. Where a name has several,
// each has a key below it, of which an SRV record tells unless it is to be stripped.
func serviceOf(rr dns.RR) (msg.Service, bool) {
	s := msg.Service{TTL: rr.Header().Ttl}
	switch rr := rr.(type) {
	case *dns.A:
		s.Host, s.TargetStrip = rr.A.String(), 1
	case *dns.AAAA:
		s.Host, s.TargetStrip = rr.AAAA.String(), 1
	case *dns.CNAME:
		s.Host = rr.Target
	case *dns.TXT:
		s.Text = strings.Join(rr.Txt, "")
	default:
		return s, false
	}
	return s, true
}

func init() {
	plugin.Register("etcd", func(c *caddy.Controller) error {
		c.Next()
		s := &services{zones: plugin.OriginsFromArgsOrServerBlock(c.RemainingArgs(), c.ServerBlockKeys), at: servicesOf}
		dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler {
			s.next = next
			return s
		})
		return nil
	})
}

// services is a backend that has what etcd has, in memory.
type services struct {
	next  plugin.Handler
	zones []string
	at    map[string][]msg.Service
}

func (*services) Name() string { return "etcd" }

func (s *services) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	state := request.Request{W: w, Req: r}
	zone := plugin.Zones(s.zones).Matches(state.Name())
	if zone == "" {
		return plugin.NextOrFailure(s.Name(), s.next, ctx, w, r)
	}
	var opt plugin.Options
	var answer, extra []dns.RR
	var err error
	switch state.QType() {
	case dns.TypeA:
		answer, _, err = plugin.A(ctx, s, zone, state, nil, opt)
	case dns.TypeAAAA:
		answer, _, err = plugin.AAAA(ctx, s, zone, state, nil, opt)
	case dns.TypeTXT:
		answer, _, err = plugin.TXT(ctx, s, zone, state, nil, opt)
	case dns.TypeCNAME:
		answer, err = plugin.CNAME(ctx, s, zone, state, opt)
	case dns.TypeMX:
		answer, extra, err = plugin.MX(ctx, s, zone, state, opt)
	case dns.TypeSRV:
		answer, extra, err = plugin.SRV(ctx, s, zone, state, opt)
	case dns.TypeSOA:
		answer, err = plugin.SOA(ctx, s, zone, state, opt)
	default:
		_, _, err = plugin.A(ctx, s, zone, state, nil, opt)
	}
	switch {
	case err != nil && s.IsNameError(err):
		return plugin.BackendError(ctx, s, zone, dns.RcodeNameError, state, nil, opt)
	case err != nil:
		return plugin.BackendError(ctx, s, zone, dns.RcodeServerFailure, state, err, opt)
	case len(answer) == 0:
		return plugin.BackendError(ctx, s, zone, dns.RcodeSuccess, state, nil, opt)
	}
	m := new(dns.Msg).SetReply(r)
	m.Authoritative, m.Answer, m.Extra = true, answer, extra
	return dns.RcodeSuccess, w.WriteMsg(m)
}

var errNoService = errors.New("no service")

// Services implements plugin.ServiceBackend, like the methods below.
func (s *services) Services(_ context.Context, state request.Request, _ bool, _ plugin.Options) ([]msg.Service, error) {
	found, ok := s.at[state.Name()]
	if !ok {
		return nil, errNoService
	}
	return found, nil
}

func (s *services) Reverse(ctx context.Context, state request.Request, exact bool, opt plugin.Options) ([]msg.Service, error) {
	return s.Services(ctx, state, exact, opt)
}

func (s *services) Records(ctx context.Context, state request.Request, exact bool) ([]msg.Service, error) {
	return s.Services(ctx, state, exact, plugin.Options{})
}

func (*services) Lookup(ctx context.Context, state request.Request, name string, typ uint16) (*dns.Msg, error) {
	return upstream.New().Lookup(ctx, state, name, typ)
}

func (*services) IsNameError(err error) bool { return errors.Is(err, errNoService) }

func (*services) Serial(request.Request) uint32 { return 1 }

func (*services) MinTTL(request.Request) uint32 { return 30 }
