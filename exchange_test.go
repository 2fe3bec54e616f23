package addressmap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/test/server"
)

// The backend's response about a name that is not proxied is handed on as it is:
// the very message, nothing of it copied.
func TestR1_Uncopied(t *testing.T) {
	for _, qtype := range []uint16{dns.TypeA, dns.TypeTXT, dns.TypeANY, dns.TypeRRSIG} {
		var written *dns.Msg
		a := newHandler(t, backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
			written = new(dns.Msg).SetReply(r)
			written.Answer = []dns.RR{test.A("plain.example.org. 60 IN A 198.51.100.1")}
			written.Extra = []dns.RR{test.A("other.example.org. 60 IN A 198.51.100.2")}
			return dns.RcodeSuccess, w.WriteMsg(written)
		}), nil)
		if got := ask(t, a, "plain.example.org.", qtype); got != written {
			t.Errorf("%s: want the message itself, got\n%v", dns.TypeToString[qtype], got)
		}
	}
}

// The request reaches the backend as the client sent it.
func TestR2_RequestIsHandedOn(t *testing.T) {
	req := new(dns.Msg).SetQuestion("wWw.example.org.", dns.TypeA)
	req.SetEdns0(1232, true)
	var got []*dns.Msg
	a := newHandler(t, backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
		got = append(got, r)
		return dns.RcodeSuccess, w.WriteMsg(new(dns.Msg).SetReply(r))
	}), nil)
	if _, err := a.ServeDNS(context.Background(), new(recorder), req); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0] != req {
		t.Fatalf("want the request itself, then AAAA: got %v", got)
	}
	// The name has no A, so that AAAA is asked for, with the client's options.
	if q := got[1].Question[0]; q.Name != "wWw.example.org." || q.Qtype != dns.TypeAAAA || got[1].IsEdns0() == nil || !got[1].IsEdns0().Do() {
		t.Errorf("got %v", got[1])
	}
	if req.Question[0].Qtype != dns.TypeA {
		t.Error("the client's request was written to")
	}
}

// A backend hands out the records of its in-memory zone: they are replaced, never
// written to, whoever else reads them meanwhile (run with -race).
func TestBackendRecordsAreNeverWrittenTo(t *testing.T) {
	shared := &dns.Msg{
		Answer: []dns.RR{
			test.CNAME("flat.example.org. 60 IN CNAME hidden.example.net."),
			test.A("www.example.org. 60 IN A 10.66.0.1"),
			test.HTTPS(`www.example.org. 60 IN HTTPS 1 . mandatory="ipv6hint" alpn="h2" ipv4hint="10.66.0.1" ipv6hint="2001:db8:66::1"`),
			test.MX("example.org. 60 IN MX 10 www.example.org."),
			test.RRSIG("www.example.org. 60 IN RRSIG A 13 3 60 20800101000000 20200101000000 1 example.org. aGlkZGVu"),
		},
		Ns: []dns.RR{test.SOA("example.org. 3600 IN SOA ns.example.org. h.example.org. 1 2 3 4 5")},
		Extra: []dns.RR{
			test.A("www.example.org. 60 IN A 10.66.0.1"),
			test.AAAA("plain.example.org. 60 IN AAAA 2001:db8:5::1"),
		},
	}
	before := shared.Copy()
	next := backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		m.Answer, m.Ns, m.Extra = shared.Answer, shared.Ns, shared.Extra
		if owner := r.Question[0].Name; owner != "example.org." {
			m.Answer = slices.DeleteFunc(slices.Clone(m.Answer), func(rr dns.RR) bool { return rr.Header().Name != owner })
		}
		return dns.RcodeSuccess, w.WriteMsg(m)
	})
	a := newHandler(t, next, func(o *options) { o.answer.ALPN = []string{"h2"} })
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for _, name := range []string{"www.example.org.", "flat.example.org.", "example.org.", "any.wild.example.org."} {
				for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeHTTPS, dns.TypeANY, dns.TypeRRSIG, dns.TypeCNAME, dns.TypeTXT, dns.TypeSOA} {
					if m := ask(t, a, name, qtype); m != nil {
						server.NoOriginData(t, m)
					}
				}
			}
		})
	}
	clients.Wait()
	if shared.String() != before.String() {
		t.Errorf("got:\n%v\nwant:\n%v", shared, before)
	}
}

// R21: what is no query reaches the next plugin, and of its response no record leaves.
func TestR21_OpcodesAndQuestions(t *testing.T) {
	question := func(change func(*dns.Msg)) *dns.Msg {
		m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
		change(m)
		return m
	}
	reqs := map[string]*dns.Msg{
		"no question":   question(func(m *dns.Msg) { m.Question = nil }),
		"two questions": question(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }),
	}
	for opcode := range 16 {
		if opcode != dns.OpcodeQuery {
			reqs[fmt.Sprintf("opcode %d", opcode)] = question(func(m *dns.Msg) { m.Opcode = opcode })
		}
	}
	address := test.A("www.example.org. 60 IN A 10.66.0.1")
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}, Option: []dns.EDNS0{
		&dns.EDNS0_NSID{Nsid: "aa"}, &dns.EDNS0_EDE{InfoCode: 22, ExtraText: "no answer from 10.66.0.1"}, &dns.EDNS0_PADDING{Padding: []byte("10.66.0.1")},
	}}
	signature := &dns.TSIG{Hdr: dns.RR_Header{Name: "key.", Rrtype: dns.TypeTSIG}}
	for name, req := range reqs {
		for what, c := range map[string]struct {
			resp *dns.Msg
			want int // records of the additional section
		}{
			"records":   {&dns.Msg{Answer: []dns.RR{address}, Ns: []dns.RR{address}, Extra: []dns.RR{address, opt, signature}}, 1},
			"signed":    {&dns.Msg{Extra: []dns.RR{opt, signature}}, 2},
			"malformed": {&dns.Msg{Answer: []dns.RR{address, nil}}, 0},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				c.resp.Id, c.resp.Response, c.resp.Opcode, c.resp.Authoritative = req.Id, true, req.Opcode, true
				client := new(recorder)
				a := newHandler(t, backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
					if r != req {
						t.Errorf("got another request: %v", r)
					}
					return dns.RcodeNotImplemented, w.WriteMsg(c.resp)
				}), nil)
				rcode, err := a.ServeDNS(context.Background(), client, req)
				m := client.msg
				if rcode != dns.RcodeNotImplemented || err != nil || m == nil {
					t.Fatalf("got %d, %v, wrote %v", rcode, err, m)
				}
				if len(m.Answer)+len(m.Ns) > 0 || len(m.Extra) != c.want || m.Opcode != req.Opcode || strings.Contains(m.String(), "10.66.0.1") {
					t.Errorf("wrote\n%v", m)
				}
			})
		}
	}
}

// R21, R19: NOTIFY may not ask for a zone that no transfer is to hold.
func TestR21_NotifyForATransfer(t *testing.T) {
	for _, mode := range []transferMode{transferMapped, transferRefuse} {
		a := newHandler(t, answers(t, "www.example.org. 60 IN A 10.66.0.1"), func(o *options) { o.transfer = mode })
		req := new(dns.Msg).SetAxfr("example.org.")
		req.Opcode = dns.OpcodeNotify
		client := new(recorder)
		if _, err := a.ServeDNS(context.Background(), client, req); err != nil || client.msg == nil || len(client.msg.Answer) > 0 {
			t.Errorf("%s: %v, wrote\n%v", mode, err, client.msg)
		}
		if refused := client.msg.Rcode == dns.RcodeRefused; refused != (mode == transferRefuse) {
			t.Errorf("%s: wrote\n%v", mode, client.msg)
		}
	}
}

// A name that stands on no map, and a type that nobody has heard of, are questions
// like any other.
func TestR21_OddNames(t *testing.T) {
	a := newHandler(t, answers(t, "www.example.org. 60 IN A 10.66.0.1"), nil)
	for _, name := range []string{".", "org.", `\000.example.org.`, `www\.example.org.`, "WWW.EXAMPLE.ORG.", `w\119w.example.org.`, "nodot"} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeNone, dns.TypeReserved, 65535} {
			if m := ask(t, a, name, qtype); m == nil || m.Question[0].Name != name {
				t.Errorf("%s %d: got %v", name, qtype, m)
			} else {
				server.NoOriginData(t, m)
			}
		}
	}
}

// Some plugins write packed messages. They are judged like any other.
func TestPackedResponses(t *testing.T) {
	pack := func(records ...string) plugin.Handler {
		inner := answers(t, records...)
		return test.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
			rec := new(recorder)
			inner.ServeDNS(ctx, rec, r)
			wire, err := rec.msg.Pack()
			if err != nil {
				t.Error(err)
			}
			_, err = w.Write(wire)
			return dns.RcodeSuccess, err
		})
	}
	a := newHandler(t, pack("www.example.org. 60 IN A 10.66.0.1"), nil)
	if got := server.Printed(ask(t, a, "www.example.org.", dns.TypeA), nil); got != "NOERROR aa\nanswer: www.example.org. 300 IN A 192.0.2.1\nanswer: www.example.org. 300 IN A 192.0.2.2\n" {
		t.Error(got)
	}
	a = newHandler(t, pack("plain.example.org. 60 IN A 198.51.100.1"), nil)
	if got := server.Printed(ask(t, a, "plain.example.org.", dns.TypeA), nil); got != "NOERROR aa\nanswer: plain.example.org. 60 IN A 198.51.100.1\n" {
		t.Error(got)
	}
}

// What is no DNS message cannot be judged, and does not leave.
func TestMalformedResponses(t *testing.T) {
	reply := func(r *dns.Msg) *dns.Msg { return new(dns.Msg).SetReply(r) }
	for name, write := range map[string]func(w dns.ResponseWriter, r *dns.Msg){
		"no message": func(w dns.ResponseWriter, r *dns.Msg) { w.WriteMsg(nil) },
		"no octets":  func(w dns.ResponseWriter, r *dns.Msg) { w.Write(nil) },
		"garbage":    func(w dns.ResponseWriter, r *dns.Msg) { w.Write([]byte{10, 66, 0, 1}) },
		"cut off": func(w dns.ResponseWriter, r *dns.Msg) {
			w.Write([]byte{0, 0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 'w', 'w', 'w'})
		},
		"nil answer":  func(w dns.ResponseWriter, r *dns.Msg) { m := reply(r); m.Answer = []dns.RR{nil}; w.WriteMsg(m) },
		"nil in Ns":   func(w dns.ResponseWriter, r *dns.Msg) { m := reply(r); m.Ns = []dns.RR{nil}; w.WriteMsg(m) },
		"nil in more": func(w dns.ResponseWriter, r *dns.Msg) { m := reply(r); m.Extra = []dns.RR{nil}; w.WriteMsg(m) },
	} {
		t.Run(name, func(t *testing.T) {
			a := newHandler(t, backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
				write(w, r)
				return dns.RcodeSuccess, nil
			}), nil)
			for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeANY, dns.TypeRRSIG, dns.TypeHTTPS} {
				for _, owner := range []string{"www.example.org.", "plain.example.org.", "any.wild.example.org."} {
					counted := failures(t)
					m := ask(t, a, owner, qtype)
					if m == nil || m.Rcode != dns.RcodeServerFailure || len(m.Answer)+len(m.Ns)+len(m.Extra) > 0 {
						t.Errorf("%s %s: got\n%v", owner, dns.TypeToString[qtype], m)
					}
					if failures(t) != counted+1 {
						t.Errorf("%s %s: it is not counted", owner, dns.TypeToString[qtype])
					}
				}
			}
		})
	}
}

// A record that is not what its type says cannot be judged either.
func TestR9_FalseType(t *testing.T) {
	a := newHandler(t, backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: "www.example.org.", Rrtype: dns.TypeHTTPS, Class: dns.ClassINET}, Txt: []string{"10.66.0.1"}}}
		return dns.RcodeSuccess, w.WriteMsg(m)
	}), nil)
	if m := ask(t, a, "www.example.org.", dns.TypeHTTPS); m.Rcode != dns.RcodeServerFailure || len(m.Answer) > 0 {
		t.Errorf("got\n%v", m)
	}
}

// failures returns how many responses were withheld.
func failures(t testing.TB) float64 {
	t.Helper()
	sum := 0.0
	for _, reason := range answer.Reasons {
		sum += value(t, failuresTotal.WithLabelValues("", reason))
	}
	return sum
}

// R23: a backend that writes nothing has the server write for it. Its rcode and
// error reach the plugins before, errors among them.
func TestR23_NothingWritten(t *testing.T) {
	failure := errors.New("no upstream left")
	for _, c := range []struct {
		name  string
		next  plugin.Handler
		rcode int
		err   error
	}{
		{"SERVFAIL", backend(func(dns.ResponseWriter, *dns.Msg) (int, error) { return dns.RcodeServerFailure, failure }), dns.RcodeServerFailure, failure},
		{"REFUSED", backend(func(dns.ResponseWriter, *dns.Msg) (int, error) { return dns.RcodeRefused, nil }), dns.RcodeRefused, nil},
		{"dropped", backend(func(dns.ResponseWriter, *dns.Msg) (int, error) { return dns.RcodeSuccess, nil }), dns.RcodeSuccess, nil},
		{"no backend", nil, dns.RcodeServerFailure, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newHandler(t, c.next, nil)
			for _, name := range []string{"www.example.org.", "plain.example.org.", "any.wild.example.org."} {
				for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeHTTPS, dns.TypeRRSIG, dns.TypeANY} {
					client := new(recorder)
					rcode, err := a.ServeDNS(context.Background(), client, new(dns.Msg).SetQuestion(name, qtype))
					if rcode != c.rcode || c.err != nil && !errors.Is(err, c.err) || client.msg != nil || client.wire != nil {
						t.Errorf("%s %s: got %d, %v, wrote %v", name, dns.TypeToString[qtype], rcode, err, client.msg)
					}
					if (err != nil) != (c.err != nil || c.next == nil) {
						t.Errorf("%s %s: got error %v", name, dns.TypeToString[qtype], err)
					}
				}
			}
		})
	}
}

type contextKey struct{}

// The backend sees the client and the context of the query: its address, its
// deadline, its values. Only the server, by which aliases are chased, is another.
func TestBackendSeesTheQuery(t *testing.T) {
	server, err := dnsserver.NewServer("dns://:53", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ctx = context.WithValue(ctx, contextKey{}, "kept")
	ctx = context.WithValue(ctx, dnsserver.Key{}, server)
	ctx = context.WithValue(ctx, dnsserver.LoopKey{}, 3)
	asked := 0
	a := newHandler(t, test.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		asked++
		if ctx.Value(contextKey{}) != "kept" || ctx.Value(dnsserver.LoopKey{}) != 3 {
			t.Error("values of the context are lost")
		}
		if ip := w.RemoteAddr().(*net.UDPAddr).IP.String(); ip != "203.0.113.9" {
			t.Errorf("the client is %s", ip)
		}
		if s := ctx.Value(dnsserver.Key{}).(*dnsserver.Server); s == server || s.Addr != server.Addr {
			t.Errorf("aliases are chased to %v", s)
		}
		cancel()
		if ctx.Err() == nil {
			t.Error("the context goes on when the query's has ended")
		}
		return dns.RcodeRefused, nil
	}), nil)
	client := &recorder{ResponseWriter: test.ResponseWriter{RemoteIP: "203.0.113.9"}}
	if _, err := a.ServeDNS(ctx, client, new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)); err != nil || asked != 2 { // for A, and for an alias that hides it (R5)
		t.Errorf("asked %d times, got %v", asked, err)
	}
}
