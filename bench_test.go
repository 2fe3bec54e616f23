package addressmap

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/presence"
)

// fileBackend is the plugin file with one zone.
func fileBackend(t testing.TB) plugin.Handler {
	t.Helper()
	zone, err := file.Parse(strings.NewReader(stubZone), "example.org.", "db.example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	return file.File{Zones: file.Zones{Z: map[string]*file.Zone{"example.org.": zone}, Names: []string{"example.org."}}}
}

// sharedReply is a backend that allocates nothing: it always writes one message.
func sharedReply(t testing.TB, record string) plugin.Handler {
	t.Helper()
	rr, err := dns.NewRR(record)
	if err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg).SetQuestion(rr.Header().Name, rr.Header().Rrtype)
	m.Response, m.Authoritative, m.Answer = true, true, []dns.RR{rr}
	return backend(func(w dns.ResponseWriter, _ *dns.Msg) (int, error) { return dns.RcodeSuccess, w.WriteMsg(m) })
}

// discard is a client that allocates nothing either.
type discard struct{ test.ResponseWriter }

func (*discard) WriteMsg(*dns.Msg) error { return nil }

var discardAddr = &net.UDPAddr{IP: net.IPv4(203, 0, 113, 9), Port: 53053}

func (*discard) RemoteAddr() net.Addr { return discardAddr }

// served returns the context that a server calls its plugins with.
func served(t testing.TB) context.Context {
	t.Helper()
	server, err := dnsserver.NewServer("dns://:53", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithValue(context.Background(), dnsserver.Key{}, server)
	return context.WithValue(ctx, dnsserver.LoopKey{}, 0)
}

// respond returns a function that has the handler answer one query.
func respond(t testing.TB, h plugin.Handler, name string, qtype uint16) func() {
	t.Helper()
	ctx, w, req := served(t), new(discard), new(dns.Msg).SetQuestion(name, qtype)
	return func() {
		if _, err := h.ServeDNS(ctx, w, req); err != nil {
			t.Error(err)
		}
	}
}

// remembering lets a handler remember what the backend has.
func remembering(t testing.TB, a *AddressMap) *AddressMap {
	m := presence.New(defaultPresence)
	t.Cleanup(m.Close)
	a.memory = m
	a.scope.Backend = a.backend(telling{})
	return a
}

// BenchmarkRespond is the whole way through the handler and its backend, without
// the server around it.
func BenchmarkRespond(b *testing.B) {
	origin := sharedReply(b, "www.example.org. 60 IN A 10.66.0.1")
	for _, c := range []struct {
		name  string
		h     plugin.Handler
		owner string
		qtype uint16
	}{
		{"proxied/stub", newHandler(b, origin, nil), "www.example.org.", dns.TypeA},
		{"proxied/file", newHandler(b, fileBackend(b), nil), "www.example.org.", dns.TypeA},
		{"proxied/remembered", remembering(b, newHandler(b, fileBackend(b), nil)), "www.example.org.", dns.TypeA},
		{"proxied/AAAA", newHandler(b, fileBackend(b), nil), "www.example.org.", dns.TypeAAAA},
		{"flattened/file", newHandler(b, fileBackend(b), nil), "flat.example.org.", dns.TypeA},
		{"wildcard/file", newHandler(b, fileBackend(b), nil), "any.wild.example.org.", dns.TypeA},
		{"unproxied/file", newHandler(b, fileBackend(b), nil), "plain.example.org.", dns.TypeA},
		{"unproxied/remembered", remembering(b, newHandler(b, fileBackend(b), nil)), "plain.example.org.", dns.TypeA},
		{"file alone", fileBackend(b), "plain.example.org.", dns.TypeA},
	} {
		b.Run(c.name, func(b *testing.B) {
			once := respond(b, c.h, c.owner, c.qtype)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}

// BenchmarkRespond_OnNewStack is the same for queries that have to be asked on, each
// in a goroutine of its own, as a server has them. How small their stacks are at first
// is the runtime's choice.
func BenchmarkRespond_OnNewStack(b *testing.B) {
	for _, c := range []struct {
		name  string
		h     plugin.Handler
		owner string
	}{
		{"proxied/file", newHandler(b, fileBackend(b), nil), "www.example.org."},
		{"unproxied/file", newHandler(b, fileBackend(b), nil), "plain.example.org."},
		{"file alone", fileBackend(b), "plain.example.org."},
		{"nothing", plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) { return 0, nil }), "plain.example.org."},
	} {
		b.Run(c.name, func(b *testing.B) {
			once := respond(b, c.h, c.owner, dns.TypeA)
			done := make(chan struct{})
			for b.Loop() {
				go func() {
					once()
					done <- struct{}{}
				}()
				<-done
			}
		})
	}
}

// Each allocation on the way of a query has a reason. The backend and the client
// of this test allocate nothing, so that all of them are the handler's:
//
//   - if the next plugin is asked, the exchange: it is the context and the writer
//     of that, which may keep both, and holds what the query sees of the map
//   - a writer that CoreDNS puts around ours for it
//   - the conversation with it, unless its first reply may leave as it is
//   - of an answer from the map: the message with its question, the list of its
//     records, and the records, all of them in one piece
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	for _, c := range []struct {
		name string
		h    *AddressMap
		want float64
	}{
		{"unproxied", newHandler(t, sharedReply(t, "plain.example.org. 60 IN A 198.51.100.1"), nil), 2},
		{"proxied", newHandler(t, sharedReply(t, "www.example.org. 60 IN A 10.66.0.1"), nil), 6},
		{"remembered", remembering(t, newHandler(t, sharedReply(t, "www.example.org. 60 IN A 10.66.0.1"), nil)), 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			owner := "www.example.org."
			if c.name == "unproxied" {
				owner = "plain.example.org."
			}
			once := respond(t, c.h, owner, dns.TypeA)
			once() // counters are made when they are first counted
			once()
			if got := testing.AllocsPerRun(1000, once); got != c.want {
				t.Errorf("got %v allocations, want %v", got, c.want)
			}
		})
	}
}

// BenchmarkTransferOverUDP is what a question for a zone transfer costs that comes as a
// datagram, for anybody can send one and it is never answered with a zone: beside a
// question for an address, and with maps and lists of ZONES of different lengths.
func BenchmarkTransferOverUDP(b *testing.B) {
	for _, zones := range []int{10, 100_000} {
		for _, c := range []struct {
			name  string
			mode  transferMode
			asked string
			qtype uint16
		}{
			{"A", transferMapped, "z1.example.", dns.TypeA},
			{"mapped", transferMapped, "z1.example.", dns.TypeAXFR},
			{"refuse", transferRefuse, "z1.example.", dns.TypeAXFR},
			{"refuse, a zone above", transferRefuse, "example.", dns.TypeAXFR},
			{"refuse, another zone", transferRefuse, "elsewhere.", dns.TypeAXFR},
			{"refuse, a zone without proxied names", transferRefuse, "plain.", dns.TypeAXFR},
		} {
			b.Run(fmt.Sprintf("%d zones/%s", zones, c.name), func(b *testing.B) {
				once := respond(b, manyZones(b, zones, c.mode), c.asked, c.qtype)
				once() // what is made once for a version of the map
				for b.Loop() {
					once()
				}
			})
		}
	}
}

// manyZones makes a handler before the transfer plugin that acts for this many zones.
func manyZones(t testing.TB, zones int, mode transferMode) *AddressMap {
	t.Helper()
	var text strings.Builder
	text.WriteString("anycast: [192.0.2.1]\naccounts:\n  - id: acme\n    zones:\n      - {name: plain}\n")
	names := []string{"plain."}
	for i := range zones {
		fmt.Fprintf(&text, "      - {name: z%d.example, proxied: ['@']}\n", i)
		names = append(names, fmt.Sprintf("z%d.example.", i))
	}
	return newHandlerOf(t, text.String(), &transfer.Transfer{Next: sharedReply(t, "z1.example. 60 IN A 10.66.0.1")}, func(o *options) { o.transfer, o.zones = mode, names })
}
