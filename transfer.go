package addressmap

import (
	"context"
	"errors"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/fqdn"
)

// transferMode is what leaves in AXFR and IXFR.
type transferMode string

// The modes.
const (
	transferMapped  transferMode = "mapped"
	transferBackend transferMode = "origin"
	transferRefuse  transferMode = "refuse"
)

// transfers is what is known of the transfers of a server block.
type transfers struct{ backends backends }

// errClosed is why a zone is not transferred that holds closed names (R26).
var errClosed = errors.New("part of the map is refused that may hold names of the zone: correct the document that the log names")

// reasonTransfer is why a transfer is withheld: records of a zone with proxied
// names that did not come through [AddressMap.Transfer].
const reasonTransfer = "transfer"

// serveTransfer passes AXFR and IXFR on to the transfer plugin, which asks
// [AddressMap.Transfer], and lets no records out that came by another way: a
// backend such as forward answers AXFR itself.
func (a *AddressMap) serveTransfer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	zone := fqdn.Canonical(r.Question[0].Name)
	names := a.names()
	if r.Question[0].Qclass != dns.ClassINET && names.ActsFor(zone) {
		return dns.RcodeSuccess, send(w, answer.Refusal(r)) // R25
	}
	if names.Refuses(zone) {
		failuresTotal.WithLabelValues(metrics.WithServer(ctx), answer.ReasonUnlisted).Inc()
		return dns.RcodeSuccess, send(w, answer.Failure(r, answer.ReasonUnlisted))
	}
	if names.ClosesTransfer(zone) {
		failuresTotal.WithLabelValues(metrics.WithServer(ctx), answer.ReasonClosed).Inc()
		return dns.RcodeSuccess, send(w, answer.Failure(r, answer.ReasonClosed))
	}
	switch a.opt.transfer {
	case transferBackend:
		return plugin.NextOrFailure(a.Name(), a.next, ctx, w, r) // R19: as the backend has it
	case transferRefuse:
		if names.Touches(zone) {
			return dns.RcodeSuccess, send(w, answer.Refusal(r))
		}
	}
	return plugin.NextOrFailure(a.Name(), a.next, ctx, &transferGuard{ResponseWriter: w, ctx: ctx, req: r, names: names}, r)
}

// transferGuard lets the messages of a transfer out that hold nothing but what
// [AddressMap.Transfer] made, or what is harmless by itself.
type transferGuard struct {
	dns.ResponseWriter
	ctx    context.Context
	req    *dns.Msg
	names  answer.Names
	barred bool
}

// WriteMsg implements the dns.ResponseWriter interface.
func (g *transferGuard) WriteMsg(m *dns.Msg) error {
	if !g.barred && wellFormed(m) {
		if out, ok := answer.ReleaseTransfer(m, fqdn.Canonical(g.req.Question[0].Name), &g.names); ok {
			return send(g.ResponseWriter, out)
		}
	}
	if g.barred {
		return nil // one refusal is enough
	}
	g.barred = true
	failuresTotal.WithLabelValues(metrics.WithServer(g.ctx), reasonTransfer).Inc()
	return send(g.ResponseWriter, answer.Refusal(g.req))
}

// Write implements the dns.ResponseWriter interface.
func (g *transferGuard) Write(wire []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		m = nil
	}
	return len(wire), g.WriteMsg(m)
}

// Transfer implements the transfer.Transferer interface (R18, R19): it takes the
// zone from the backend that has it and hands on what may leave. That a zone has
// no proxied names does not matter: its hints may be for those of another.
func (a *AddressMap) Transfer(zone string, serial uint32) (<-chan []dns.RR, error) {
	if a.opt.transfer == transferBackend {
		return nil, transfer.ErrNotAuthoritative
	}
	apex := fqdn.Canonical(zone)
	names := a.names() // before the backend: its serial is then never too old for the map
	if names.ClosesTransfer(apex) {
		return nil, errClosed
	}
	rrs, err := a.transfers.backends.zone(zone)
	if err != nil {
		return nil, err
	}
	a.notifier.learn(apex, rrs)
	out, void, err := answer.Zone(rrs, &names, a.inner(apex))
	if err != nil {
		return nil, err
	}
	if void {
		a.warnOfSignatures(apex)
	}
	if soa := out[0].(*dns.SOA); serial != 0 && !newer(soa.Serial, serial) {
		out = out[:1] // up to date (RFC 1995, section 2)
	}
	ch := make(chan []dns.RR, 1)
	ch <- out
	close(ch)
	return ch, nil
}

// inner asks the next plugin what no client has asked.
func (a *AddressMap) inner(name fqdn.Name) *exchange {
	req := new(dns.Msg).SetQuestion(string(name), dns.TypeSOA)
	return newExchange(context.Background(), internalWriter{}, a, req)
}

// backends is the plugins after ours that can transfer zones, in directive order.
type backends []transfer.Transferer

// zone returns all records of the zone as the first backend that is
// authoritative for it has them.
func (b backends) zone(apex string) ([]dns.RR, error) {
	for _, backend := range b {
		ch, err := backend.Transfer(apex, 0)
		if err == transfer.ErrNotAuthoritative {
			continue
		}
		if err != nil {
			return nil, err
		}
		var rrs []dns.RR
		for batch := range ch {
			rrs = append(rrs, batch...)
		}
		return rrs, nil
	}
	return nil, transfer.ErrNotAuthoritative
}

// newer reports whether serial a is newer than b (RFC 1982, section 3.2). Two
// that are half the space apart cannot be compared: then a counts as newer, so
// that the client gets the zone.
func newer(a, b uint32) bool { return a != b && a-b <= 1<<31 }

// backendsOf finds them.
func backendsOf(handlers []plugin.Handler) backends {
	var out backends
	after := false
	for _, h := range handlers {
		if h.Name() == pluginName {
			after = true
		} else if t, ok := h.(transfer.Transferer); ok && after {
			out = append(out, t)
		}
	}
	return out
}
