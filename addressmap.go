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
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// AddressMap is the handler of one directive. It is safe for concurrent use
// once the server has started.
type AddressMap struct {
	next    plugin.Handler
	counted bool // by the prometheus plugin of the server block
	resolver
	opt      options
	deadEnds sync.Map // :: *dnsserver.Server → one of the same address that answers nothing
	warned   sync.Map // :: zone → struct{}; those that the backend has signed

	transfers transfers
	notifier  *notifier
	tail      *tail // nil without a transfer plugin
}

// Name implements the plugin.Handler interface.
func (*AddressMap) Name() string { return pluginName }

// ServeDNS implements the plugin.Handler interface.
func (a *AddressMap) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if r.Opcode != dns.OpcodeQuery || len(r.Question) != 1 {
		return plugin.NextOrFailure(a.Name(), a.next, ctx, w, r) // R21
	}
	if t := r.Question[0].Qtype; t == dns.TypeAXFR || t == dns.TypeIXFR {
		return a.serveTransfer(ctx, w, r)
	}
	m, wire, rcode, err := a.answer(ctx, w, r)
	switch {
	case wire != nil:
		_, err = w.Write(wire)
		buffers.Put((*buffer)(wire[:dns.MinMsgSize]))
		return dns.RcodeSuccess, err
	case m == nil:
		return rcode, err
	}
	return dns.RcodeSuccess, w.WriteMsg(m)
}

// answer returns the response to a query; nil if the next plugin wrote nothing.
//
//go:noinline // so that its part of the stack is free again when the answer is written
func (a *AddressMap) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (m *dns.Msg, wire []byte, rcode int, err error) {
	q := answer.QueryOf(r)
	names := a.names()
	q.Look(&names)
	if q.Recall(&names) {
		d, qtype := q.Decision()
		a.tell(ctx, d, qtype)
		countSubstituted(ctx, d, qtype)
		if direct(w, a.counted) {
			buf := buffers.Get().(*buffer)
			if wire := q.Packed(a.scope.TTL, buf); wire != nil {
				return nil, wire, dns.RcodeSuccess, nil
			}
			buffers.Put(buf)
		}
		return q.Recalled(a.scope.TTL), nil, dns.RcodeSuccess, nil
	}
	m, rcode, err = a.ask(ctx, w, &q, names)
	return m, nil, rcode, err
}

// ask answers with the help of the next plugin.
func (a *AddressMap) ask(ctx context.Context, w dns.ResponseWriter, q *answer.Query, names answer.Names) (m *dns.Msg, rcode int, err error) {
	e := &exchange{Context: ctx, ResponseWriter: w, a: a, req: q.Request(), names: names}
	out := answer.Respond(q, &e.names, e, e.askFirst(q))
	a.tell(ctx, out.Decision, out.Type)
	if out.Void {
		a.warnOfSignatures(out.Decision.Zone())
	}
	if out.Msg != nil {
		count(ctx, &out)
	}
	return out.Msg, out.Rcode, out.Err
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

// look takes stock of the server block once all its plugins are in place.
func (a *AddressMap) look(config *dnsserver.Config) error {
	handlers := config.Handlers()
	a.scope.Tells = tellsWildcards(handlers)
	a.scope.Zones = heldBy(a.next)
	_, a.counted = config.Handler("prometheus").(*metrics.Metrics)
	a.transfers.backends = backendsOf(handlers)
	if xfer, ok := config.Handler("transfer").(*transfer.Transfer); ok && a.opt.transfer == transferMapped {
		a.scope.Serials = true
		a.tail = &tail{xfer, a.next, a.transfers.backends}
		a.notifier.start(a.tail, a.scope.Acting.Set())
	}
	return nil
}

// tellsWildcards reports whether every plugin after ours that may answer tells
// which wildcard a record was made from (R8).
func tellsWildcards(handlers []plugin.Handler) bool {
	return only(handlers, "file", "auto", "secondary", "dynupdate")
}

// only reports whether, of all plugins after ours, none but these may answer.
func only(handlers []plugin.Handler, backends ...string) bool {
	after := false
	for _, h := range handlers {
		switch name := h.Name(); {
		case name == pluginName:
			after = true
		case after && name != "transfer" && name != "loop" && name != "view" && !slices.Contains(backends, name):
			return false
		}
	}
	return true
}
