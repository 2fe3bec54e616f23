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
)

// AddressMap is the handler of one directive. It is safe for concurrent use
// once the server has started.
type AddressMap struct {
	next plugin.Handler
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
	out := a.answer(ctx, w, r)
	if out.Msg == nil {
		return out.Rcode, out.Err // the next plugin wrote nothing
	}
	return dns.RcodeSuccess, w.WriteMsg(out.Msg)
}

// answer returns the response to a query, and counts it.
func (a *AddressMap) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) answer.Outcome {
	q := answer.NewQuery(r, a.names())
	out, ok := q.Recall()
	if !ok {
		out = q.Ask(&exchange{Context: ctx, ResponseWriter: w, a: a, req: r})
	}
	a.tell(ctx, out.Decision, out.Type)
	if out.Void {
		a.warnOfSignatures(out.Decision.Zone())
	}
	if out.Msg != nil {
		count(ctx, &out)
	}
	return out
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
