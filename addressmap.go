// Package addressmap is a CoreDNS plugin that answers for proxied names: it
// intercepts the responses of the plugins after it and puts the edge addresses
// of a map in place of the backend's. Two promises hold whatever happens: the
// address of an origin never leaves, and a bad edit of the map never takes DNS
// down.
//
// This package speaks CoreDNS; what a client is told is decided in
// plugin/answer, on the snapshot that plugin/live keeps in force.
package addressmap

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/presence"
)

// AddressMap is the handler of one directive. It is safe for concurrent use
// once the server has started.
type AddressMap struct {
	next plugin.Handler
	resolver
	opt      options
	memory   *presence.Memory // nil if presence is off
	deadEnds sync.Map         // :: *dnsserver.Server → one of the same address that answers nothing
	warned   sync.Map         // :: zone → struct{}; those that the backend has signed

	transfers transfers
	notifier  *notifier
	tail      *tail // nil without a transfer plugin
}

// Name implements the plugin.Handler interface.
func (*AddressMap) Name() string { return pluginName }

// ServeDNS implements the plugin.Handler interface.
func (a *AddressMap) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return a.serveOther(ctx, w, r)
	}
	if t := r.Question[0].Qtype; t == dns.TypeAXFR || t == dns.TypeIXFR {
		return a.serveTransfer(ctx, w, r)
	}
	out := a.answer(ctx, w, r)
	if out.Msg() == nil {
		return out.Rcode, out.Err // the next plugin wrote nothing
	}
	return dns.RcodeSuccess, send(w, out.Released)
}

// send writes what the gate let out. Nothing else is ever written to a client, but by
// transfer origin (R19).
func send(w dns.ResponseWriter, m answer.Released) error { return w.WriteMsg(m.Msg()) }

// answer returns the response to a query, and counts it.
func (a *AddressMap) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) answer.Outcome {
	q := answer.NewQuery(r, a.names())
	out, ok := q.WithoutBackend()
	if !ok {
		out = q.Ask(newExchange(ctx, w, a, r))
	}
	a.setLabels(ctx, out.Decision, out.Type)
	if out.Void {
		a.warnOfSignatures(out.Decision.Zone())
	}
	if m := out.Msg(); m != nil {
		count(ctx, &out)
		if outer, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
			outer.noteGated(m, &a.scope.Acting)
		}
	}
	return out
}

// serveOther passes on what is no query, so that secondary and dynupdate work, and lets
// no record out (R21).
func (a *AddressMap) serveOther(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if len(r.Question) > 0 && a.opt.transfer == transferRefuse {
		asked := r.Question[0]
		names := a.names()
		if (asked.Qtype == dns.TypeAXFR || asked.Qtype == dns.TypeIXFR) && names.Touches(fqdn.Canonical(asked.Name)) {
			return dns.RcodeSuccess, send(w, answer.Refusal(r))
		}
	}
	return plugin.NextOrFailure(a.Name(), a.next, ctx, &bareWriter{w, r}, r)
}

// bareWriter lets out of a response what [answer.Bare] does.
type bareWriter struct {
	dns.ResponseWriter
	req *dns.Msg
}

// WriteMsg implements the dns.ResponseWriter interface.
func (b *bareWriter) WriteMsg(m *dns.Msg) error {
	if !wellFormed(m) {
		return send(b.ResponseWriter, answer.Failure(b.req, answer.ReasonMalformed))
	}
	return send(b.ResponseWriter, answer.Bare(b.req, m))
}

// Write implements the dns.ResponseWriter interface.
func (b *bareWriter) Write(wire []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		m = nil
	}
	return len(wire), b.WriteMsg(m)
}

// warnOfSignatures warns, once for each zone, of one that the backend has signed
// (R17).
func (a *AddressMap) warnOfSignatures(zone fqdn.Name) {
	if _, known := a.warned.Load(zone); known {
		return
	}
	own := fqdn.Name(strings.Clone(string(zone))) // not the snapshot's, which would stay with it
	if _, known := a.warned.LoadOrStore(own, struct{}{}); !known {
		log.Warningf("zone %q is signed in its file: the signatures do not fit edge addresses, so that no answer for a proxied name validates; take them out of the file, and sign with the dnssec plugin", zone)
	}
}

// backend returns one that remembers, unless presence is off: then it is asked each time.
func (a *AddressMap) backend(z answer.Zones) answer.Backend {
	if a.memory == nil {
		return answer.Forgetful{Zones: z}
	}
	return a.memory.Around(z)
}

// look takes stock of the server block once all its plugins are in place.
func (a *AddressMap) look(config *dnsserver.Config) error {
	handlers := config.Handlers()
	a.scope.Backend = a.backend(zonesOf(handlers))
	a.scope.MakesUp = slices.ContainsFunc(handlers, func(h plugin.Handler) bool {
		return slices.Contains([]string{"etcd", "k8s_external", "kubernetes", "nomad"}, h.Name())
	})
	a.transfers.backends = backendsOf(handlers)
	if xfer, ok := config.Handler("transfer").(*transfer.Transfer); ok && a.opt.transfer == transferMapped {
		a.scope.Serials = true
		a.tail = &tail{xfer, a.next, a.transfers.backends}
		a.notifier.start(a.tail, a.scope.Acting.Set())
	}
	return nil
}
