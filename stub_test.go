package addressmap

import (
	"context"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/test/server"
)

// named is a plugin that is there, and does nothing.
type named string

func (n named) Name() string { return string(n) }
func (named) ServeDNS(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
	return dns.RcodeSuccess, nil
}

// stubMap is the map that handlers made by newHandler have.
const stubMap = `
anycast: [192.0.2.1, 192.0.2.2, "2001:db8::1"]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [www, flat, "*.wild"]}]}
`

// stubZone is a zone file with a name of each kind that stubMap has, and one that is not
// proxied.
const stubZone = `
$TTL 3600
@      IN SOA   ns hostmaster 1 7200 3600 1209600 300
www    IN A     10.66.0.1
plain  IN A     198.51.100.1
flat   IN CNAME www
*.wild IN A     10.66.0.3
`

// newHandler makes a handler for example.org with stubMap in force, in front of
// next, as setup does.
func newHandler(t testing.TB, next plugin.Handler, change func(*options)) *AddressMap {
	t.Helper()
	return newHandlerOf(t, stubMap, next, func(o *options) {
		o.zones = []string{"example.org."}
		if change != nil {
			change(o)
		}
	})
}

// newHandlerOf is newHandler with another map.
func newHandlerOf(t testing.TB, text string, next plugin.Handler, change func(*options)) *AddressMap {
	t.Helper()
	path := t.TempDir() + "/maps.yaml"
	server.WriteFile(t, path, text)
	o := plain(change)
	o.path, o.presence = path, 0
	a := &AddressMap{opt: *o, next: next, notifier: new(notifier)}
	a.scope.Options = o.answer
	zones, err := o.acting()
	if err != nil {
		t.Fatal(err)
	}
	a.scope.Acting = fqdn.NewZones(zones)
	cf := newCorefile()
	sh, m, err := inForce.join(cf, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cf.shutdown() })
	sh.use(m, a)
	a.scope.Backend = a.backend(telling{})
	return a
}

// telling is a backend that tells the owners of its records, and shows nothing.
type telling struct{ answer.Opaque }

func (telling) RevealsWildcard(fqdn.Name) bool { return true }

// backend is a plugin made of what it writes.
func backend(write func(w dns.ResponseWriter, r *dns.Msg) (int, error)) plugin.Handler {
	return test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) { return write(w, r) })
}

// answers is a backend that answers everything with these records.
func answers(t testing.TB, records ...string) plugin.Handler {
	rrs := make([]dns.RR, len(records))
	for i, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		rrs[i] = rr
	}
	return backend(func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		m.Authoritative = true
		m.Answer = rrs
		return dns.RcodeSuccess, w.WriteMsg(m)
	})
}

// recorder takes what a handler writes to the client.
type recorder struct {
	test.ResponseWriter
	msg  *dns.Msg
	wire []byte
}

func (r *recorder) WriteMsg(m *dns.Msg) error {
	r.msg = m
	return nil
}

func (r *recorder) Write(wire []byte) (int, error) {
	r.wire = wire
	return len(wire), nil
}

// ask asks a handler for a name and type, and returns what it wrote.
func ask(t testing.TB, h plugin.Handler, name string, qtype uint16) *dns.Msg {
	t.Helper()
	w := new(recorder)
	if _, err := h.ServeDNS(context.Background(), w, new(dns.Msg).SetQuestion(name, qtype)); err != nil {
		t.Fatal(err)
	}
	return w.msg
}

// value returns what a counter or gauge stands at.
func value(t testing.TB, m prometheus.Metric) float64 {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}
