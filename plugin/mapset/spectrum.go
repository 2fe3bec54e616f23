package mapset

import (
	"net/netip"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// appsByZone returns the account's Spectrum applications by the zone of the
// account that encloses their names most closely. A zone below it may be of
// another account: nested zones are independent, and that one then holds the
// name.
func appsByZone(a *mapfile.Account, att *attachments) map[fqdn.Name][]*mapfile.SpectrumApp {
	out := make(map[fqdn.Name][]*mapfile.SpectrumApp)
	for i := range a.Spectrum {
		app := &a.Spectrum[i]
		n, ok := app.Name, true
		for ok && att.names[n] == "" {
			n, ok = n.Parent()
		}
		out[n] = append(out[n], app)
	}
	return out
}

// spectrum compiles one Spectrum application of a name in out, where the other names
// have these steps.
func (b *builder) spectrum(doc *mapfile.Document, a *mapfile.Account, out *zone, app *mapfile.SpectrumApp, steps candidates, att *attachments) {
	compiled := &spectrum{mark: markProxied, ips: b.reg.set(a.ID, mapfile.IPs(app.IPs))}
	addrs := compiled.ips
	if !app.Static {
		// The families that it does not connect with are not answered from a
		// later step either, so that they are told apart by the mark as well.
		switch app.Connectivity {
		case mapfile.ConnectIPv4:
			compiled.mark |= markV4Only
		case mapfile.ConnectIPv6:
			compiled.mark |= markV6Only
		}
		var everyones []netip.Addr
		for _, f := range [...]Family{IPv4, IPv6} {
			if compiled.mark.answers(f) {
				everyones = append(everyones, b.everyone.addrs(f)...)
			}
		}
		addrs = addrSet{everyones, everyones}
	}
	steps.put(StepSpectrum, "", addrs)
	steps.usable[StepSpectrum].dynamic = !app.Static
	if addrs.withdrawn() {
		b.warn(doc, app.Pos, "all addresses of the Spectrum application of %q are withdrawn", app.Name)
	}
	forbidden := a.BYOIPOnly && !app.Static // V11 says so
	if !forbidden && b.judgesAddresses(a, att) && !steps.asWritten().answers(compiled.mark) {
		b.refuseUnreachable(doc, a, app.Pos, "write anycast addresses of the family that it connects with",
			"the Spectrum application of %q is dynamic, and there is no anycast address for it", app.Name)
	}
	compiled.outcome = steps.fallback()
	if out.apps == nil {
		out.apps = make(map[string]*spectrum)
	}
	out.apps[relative(app.Name, len(out.apex))] = compiled
}
