package addressmap

import (
	"context"
	"sync"

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
type transfers struct {
	backends []transfer.Transferer // those after us, in directive order
	mapped   sync.Map              // :: fqdn.Name of a zone that was handed to the transfer plugin → true
}

// reasonTransfer is why a transfer is withheld: records of a zone with proxied
// names that did not come through [AddressMap.Transfer].
const reasonTransfer = "transfer"

// serveTransfer passes AXFR and IXFR on to the transfer plugin, which asks
// [AddressMap.Transfer], and lets no records out that came by another way: a
// backend such as forward answers AXFR itself.
func (a *AddressMap) serveTransfer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	zone := fqdn.Canonical(r.Question[0].Name)
	names := a.names()
	if a.opt.transfer == transferBackend || !a.touches(&names, zone) {
		return plugin.NextOrFailure(a.Name(), a.next, ctx, w, r)
	}
	if a.opt.transfer == transferRefuse {
		return refuse(w, r)
	}
	return plugin.NextOrFailure(a.Name(), a.next, ctx, &transferGuard{ResponseWriter: w, a: a, ctx: ctx, req: r, zone: zone}, r)
}

// touches reports whether a transfer of the zone may hold proxied names.
func (a *AddressMap) touches(names *answer.Names, zone fqdn.Name) bool {
	return names.Snapshot.AnyProxied(zone)
}

func refuse(w dns.ResponseWriter, r *dns.Msg) (int, error) {
	m := new(dns.Msg)
	m.SetRcode(r, dns.RcodeRefused)
	return dns.RcodeSuccess, w.WriteMsg(m)
}

// transferGuard lets the messages of a transfer pass if the transfer plugin had
// the zone from us. Which way a zone takes does not depend on the query.
type transferGuard struct {
	dns.ResponseWriter
	a      *AddressMap
	ctx    context.Context
	req    *dns.Msg
	zone   fqdn.Name
	barred bool
}

// WriteMsg implements the dns.ResponseWriter interface.
func (g *transferGuard) WriteMsg(m *dns.Msg) error {
	if _, ours := g.a.transfers.mapped.Load(g.zone); ours || len(m.Answer)+len(m.Ns)+len(m.Extra) == 0 {
		return g.ResponseWriter.WriteMsg(m)
	}
	if g.barred {
		return nil // one refusal is enough
	}
	g.barred = true
	failuresTotal.WithLabelValues(metrics.WithServer(g.ctx), reasonTransfer).Inc()
	_, err := refuse(g.ResponseWriter, g.req)
	return err
}

// Write implements the dns.ResponseWriter interface.
func (g *transferGuard) Write(wire []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return 0, err
	}
	return len(wire), g.WriteMsg(m)
}

// Transfer implements the transfer.Transferer interface (R18, R19): it takes the
// zone from the backend that has it and hands on what may leave.
func (a *AddressMap) Transfer(zone string, serial uint32) (<-chan []dns.RR, error) {
	apex := fqdn.Canonical(zone)
	if a.opt.transfer != transferMapped || !a.zones.Encloses(apex) {
		return nil, transfer.ErrNotAuthoritative
	}
	names := a.names() // before the backend: its serial is then never too old for the map
	rrs, err := a.fromBackend(zone)
	if err != nil {
		a.transfers.mapped.Delete(apex)
		return nil, err
	}
	out, err := answer.Zone(rrs, &names, &a.opt.answer)
	if err != nil {
		return nil, err
	}
	a.transfers.mapped.Store(apex, true)
	if soa := out[0].(*dns.SOA); serial != 0 && !newer(soa.Serial, serial) {
		out = out[:1] // up to date (RFC 1995, section 2)
	}
	ch := make(chan []dns.RR, 1)
	ch <- out
	close(ch)
	return ch, nil
}

// fromBackend returns all records of the zone as the first backend that is
// authoritative for it has them.
func (a *AddressMap) fromBackend(zone string) ([]dns.RR, error) {
	for _, backend := range a.transfers.backends {
		ch, err := backend.Transfer(zone, 0)
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

// backendsOf returns the plugins after ours that can transfer zones.
func backendsOf(handlers []plugin.Handler) []transfer.Transferer {
	var out []transfer.Transferer
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
