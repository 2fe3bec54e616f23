package addressmap

import (
	"context"
	"fmt"
	"maps"
	"net"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// around is what a plugin puts around a server's writer.
type around struct{ dns.Writer }

// Bytes are written past nobody: neither past a plugin before ours, nor past what was
// put around the server's own writer, nor to a writer that is not known.
func TestDirect(t *testing.T) {
	over := func(wraps ...func(dns.ResponseWriter) dns.ResponseWriter) func(*dns.Msg, dns.ResponseWriter) dns.ResponseWriter {
		return func(r *dns.Msg, w dns.ResponseWriter) dns.ResponseWriter {
			w = scrubbed(r, w)
			for _, wrap := range wraps {
				w = wrap(w)
			}
			return w
		}
	}
	for what, c := range map[string]struct {
		decorate dns.DecorateWriter
		wrap     func(*dns.Msg, dns.ResponseWriter) dns.ResponseWriter
		counted  bool
		want     bool
	}{
		"after errors":                     {wrap: over(chained), want: true},
		"after prometheus":                 {wrap: over(recorded, chained), counted: true, want: true},
		"after metadata, prometheus":       {wrap: over(chained, recorded, chained), counted: true, want: true},
		"after prometheus, errors":         {wrap: over(recorded, chained, chained), counted: true, want: true},
		"after a plugin that records":      {wrap: over(recorded, chained)},
		"after prometheus and one more":    {wrap: over(recorded, chained, recorded, chained), counted: true},
		"after log, which wants a message": {wrap: over(logs, chained)},
		"after log, prometheus":            {wrap: over(logs, chained, recorded, chained), counted: true},
		"the server's writer":              {wrap: scrubbed, want: true},
		"a plugin before ours": {wrap: func(r *dns.Msg, w dns.ResponseWriter) dns.ResponseWriter {
			return &struct{ dns.ResponseWriter }{scrubbed(r, w)}
		}},
		"a plugin behind it": {wrap: func(r *dns.Msg, w dns.ResponseWriter) dns.ResponseWriter {
			return scrubbed(r, &struct{ dns.ResponseWriter }{w})
		}},
		"something around it": {decorate: func(w dns.Writer) dns.Writer { return around{w} }, wrap: scrubbed},
	} {
		t.Run(what, func(t *testing.T) {
			pc, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			got := make(chan bool, 1)
			server := &dns.Server{PacketConn: pc, DecorateWriter: c.decorate, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
				got <- direct(c.wrap(r, w), c.counted)
				_ = w.WriteMsg(new(dns.Msg).SetReply(r)) // the client sees an error
			})}
			go func() { _ = server.ActivateAndServe() }() // ended by Shutdown
			defer func() { _ = server.Shutdown() }()
			if _, err := dns.Exchange(new(dns.Msg).SetQuestion("example.org.", dns.TypeA), pc.LocalAddr().String()); err != nil {
				t.Fatal(err)
			}
			if got := <-got; got != c.want {
				t.Errorf("direct is %t, want %t", got, c.want)
			}
		})
	}
	for what, w := range map[string]dns.ResponseWriter{
		"no server": new(test.ResponseWriter), "no server, scrubbed": scrubbed(new(dns.Msg), new(test.ResponseWriter)),
		"no server, chained": chained(new(test.ResponseWriter)), "nothing, chained": chained(nil),
	} {
		if direct(w, true) {
			t.Errorf("%s: bytes are written", what)
		}
	}
}

// chained is what the next plugin gets.
func chained(w dns.ResponseWriter) (out dns.ResponseWriter) {
	_, _ = plugin.NextOrFailure("", plugin.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
		out = w
		return dns.RcodeSuccess, nil
	}), context.Background(), w, nil)
	return out
}

func recorded(w dns.ResponseWriter) dns.ResponseWriter { return metrics.NewRecorder(w) }

func logs(w dns.ResponseWriter) dns.ResponseWriter { return dnstest.NewRecorder(w) }

func scrubbed(r *dns.Msg, w dns.ResponseWriter) dns.ResponseWriter {
	return request.NewScrubWriter(r, w)
}

// What a plugin before ours sees is a message, whatever is known of the name; what
// the client gets is the same with it and without.
func TestDirect_PluginsSeeEveryAnswer(t *testing.T) {
	files := map[string]string{"maps.yaml": stubMap, "db.example.org": "$ORIGIN example.org.\n@ 60 IN SOA ns h 1 3600 600 86400 5\nwww 60 IN A 10.66.0.1\n"}
	block := func(before string) string {
		return "example.org {\n bind 127.0.0.1\n" + before + " addressmap maps.yaml\n file db.example.org\n}\n"
	}
	plain := start(t, block(""), files)
	shed := start(t, block(" shed\n"), files)
	logged := start(t, block(` log . "saw {name} {type} {rcode} {>rflags} {rsize}"`+"\n"), files) // the last one started has the log
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		want := ""
		for range 3 { // the third time, it is remembered
			for what, c := range map[string]*chain{"plain": plain, "log": logged, "shed": shed} {
				m := c.lookup(t, "wWw.example.org.", qtype)
				if !m.Authoritative || len(m.Answer) == 0 {
					t.Fatalf("%s: got\n%v", what, m)
				}
				if got := printed(m, nil); want == "" {
					want = got
				} else if got != want {
					t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
				}
			}
		}
	}
	eventually(t, "six lines", func() bool { return len(logged.log.lines("saw www.example.org. ")) == 6 })
}

// Prometheus counts bytes as it counts messages. The size is that of the wire; of a
// message, it would not have the OPT in it, which is added later.
func TestDirect_PrometheusCountsEveryAnswer(t *testing.T) {
	port := freePort(t)
	c := start(t, "example.org {\n bind 127.0.0.1\n metadata\n prometheus 127.0.0.1:"+port+"\n addressmap maps.yaml\n file db.example.org\n}\n",
		map[string]string{"maps.yaml": stubMap, "db.example.org": "$ORIGIN example.org.\n@ 60 IN SOA ns h 1 3600 600 86400 5\nwww 60 IN A 10.66.0.1\n"})
	labels := fmt.Sprintf(`server="dns://127.0.0.1:%s",view="",zone="example.org."}`, c.port)
	for range 3 { // remembered or not
		before := scrapeOf(t, port, "coredns_dns_")
		m := c.ask(t, "udp", new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA).SetEdns0(1232, false))
		m.Compress = true
		want := map[string]float64{
			`responses_total{plugin="addressmap",rcode="NOERROR",` + labels: 1,
			`response_size_bytes_count{proto="udp",` + labels:               1,
			`response_size_bytes_sum{proto="udp",` + labels:                 float64(m.Len()),
		}
		// The client may have its answer before it is counted.
		eventually(t, fmt.Sprintf("counted %v", want), func() bool {
			grown := make(map[string]float64)
			for name, v := range scrapeOf(t, port, "coredns_dns_") {
				if v != before[name] && strings.HasPrefix(name, "response") && !strings.Contains(name, "_bucket{") {
					grown[name] = v - before[name]
				}
			}
			return maps.Equal(grown, want)
		})
	}
}
