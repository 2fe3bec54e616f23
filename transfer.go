package addressmap

import (
	"context"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

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

// serveTransfer answers AXFR and IXFR.
func (a *AddressMap) serveTransfer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	names := a.names()
	if a.opt.transfer != transferBackend && names.Snapshot.HasProxied(fqdn.Canonical(r.Question[0].Name)) {
		m := new(dns.Msg)
		m.SetRcode(r, dns.RcodeRefused)
		return dns.RcodeSuccess, w.WriteMsg(m)
	}
	return plugin.NextOrFailure(a.Name(), a.next, ctx, w, r)
}
