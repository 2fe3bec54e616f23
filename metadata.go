package addressmap

import (
	"context"
	"strconv"

	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/request"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/miekg/dns"
)

// Metadata implements the metadata.Provider interface: it sets what the map says
// of the name, before any backend is asked. Once the query is answered, the
// labels are those of the decision that answered it.
func (a *AddressMap) Metadata(ctx context.Context, state request.Request) context.Context {
	names := a.names()
	label(ctx, state.QType(), func() mapset.Decision { return names.Lookup(fqdn.Canonical(state.QName())) })
	return ctx
}

// setLabels sets the labels to what was decided.
func (a *AddressMap) setLabels(ctx context.Context, d mapset.Decision, qtype uint16) {
	if metadata.ValueFunc(ctx, pluginName+"/proxied") == nil {
		return // no metadata plugin
	}
	label(ctx, qtype, func() mapset.Decision { return d })
}

// label sets the labels of a decision, which is made when one of them is read.
func label(ctx context.Context, qtype uint16, decide func() mapset.Decision) {
	f := mapset.IPv4
	if qtype == dns.TypeAAAA {
		f = mapset.IPv6
	}
	for name, value := range map[string]func(mapset.Decision) string{
		"proxied": func(d mapset.Decision) string { return strconv.FormatBool(d.Proxied()) },
		"step":    func(d mapset.Decision) string { return d.Step(f).String() },
		"map":     func(d mapset.Decision) string { return d.Map(f) },
		"account": mapset.Decision.Account,
		"zone":    func(d mapset.Decision) string { return string(d.Zone()) },
	} {
		metadata.SetValueFunc(ctx, pluginName+"/"+name, func() string { return value(decide()) })
	}
}
