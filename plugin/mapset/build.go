package mapset

import (
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// Source is one document and the zone files that it names.
type Source struct {
	Doc       *mapfile.Document
	ZoneFiles map[fqdn.Name]*zonefile.Zone // :: apex → the file that the zone names as its zone_file
}

// Options is what the Corefile says about deciding.
type Options struct {
	Anycast   []netip.Addr // in place of what the documents say, if any
	PerFamily bool         // missing_family next: each family falls back by itself
}

// Build compiles the documents of sources, in the order in which they keep their
// claims, or returns every error in them: the snapshot is nil exactly if there
// are errors. It is safe for concurrent use.
func Build(sources []Source, opt Options) (*Snapshot, mapfile.Errors) {
	set, errs := NewSet(opt).Update(sources, nil)
	if len(errs) > 0 {
		return nil, errs
	}
	return set.Snapshot(), nil
}

// builder makes the next set, and gathers what is wrong with it.
type builder struct {
	reg       *registry
	perFamily bool
	snap      *Snapshot
	part      *part // of the document that is compiled
	errs      mapfile.Errors

	anycastUnknown bool // part of it was refused: nothing can be said of it
}

func (b *builder) refuse(doc *mapfile.Document, pos mapfile.Pos, rule, remedy, format string, args ...any) {
	b.errs = append(b.errs, doc.Errorf(pos, rule, remedy, format, args...))
}

func (b *builder) warn(doc *mapfile.Document, pos mapfile.Pos, format string, args ...any) {
	b.part.warnings = append(b.part.warnings, doc.Errorf(pos, "", "", format, args...).Head())
}

// document compiles one document.
func (b *builder) document(p *part) {
	b.part = p
	p.warnings = nil
	for i := range p.src.Doc.Accounts {
		b.account(p.src, &p.src.Doc.Accounts[i])
	}
	p.stats = b.snap.statsOf(p.src.Doc)
}

// account compiles one account.
func (b *builder) account(s Source, a *mapfile.Account) {
	acct := &account{id: a.ID, byoipOnly: a.BYOIPOnly}
	b.addresses(s.Doc, a)
	att := b.attach(s.Doc, a)
	b.protectedFallback(s.Doc, a, att)
	pools := make(map[*mapfile.AddressMap][Steps]*Pool)
	for i := range a.Maps {
		pools[&a.Maps[i]] = b.pools(s.Doc, &a.Maps[i])
	}
	for i := range a.Zones {
		z := &a.Zones[i]
		b.zone(s, a, acct, z, pools[att.zones[z.Name]][StepZone], pools[att.account][StepAccount])
	}
	for i := range a.Maps {
		acct.maps = append(acct.maps, compileMap(&a.Maps[i]))
	}
	for i := range a.Spectrum {
		b.spectrum(s.Doc, acct, &a.Spectrum[i])
	}
	b.snap.accounts[a.ID] = acct
}

// pools compiles the usable addresses of an address map for the two steps in
// which it may answer.
func (b *builder) pools(doc *mapfile.Document, m *mapfile.AddressMap) (out [Steps]*Pool) {
	usable := b.reg.usable(m.IPs)
	if len(usable) == 0 && len(m.IPs) > 0 {
		b.warn(doc, m.Pos, "all addresses of address map %q are withdrawn: it counts as disabled", m.ID)
	}
	out[StepZone] = newPool(StepZone, m.ID, usable)
	out[StepAccount] = newPool(StepAccount, m.ID, usable)
	return out
}

// zone compiles one zone.
func (b *builder) zone(s Source, a *mapfile.Account, acct *account, z *mapfile.Zone, zoneMap, accountMap *Pool) {
	out := &zone{apex: z.Name, account: acct, autoV6: z.IPv6}
	out.pools = fallback(zoneMap, accountMap, b.snap.anycast, a.BYOIPOnly, b.perFamily)
	b.marks(s, out, z)
	b.snap.zones[z.Name] = out
	if !out.hasProxied() {
		b.warn(s.Doc, z.Pos, "zone %q has no proxied names", z.Name)
		return
	}
	answered := zoneMap != nil || accountMap != nil || !a.BYOIPOnly && b.snap.anycast != noPool
	if !answered && !b.anycastUnknown && !a.MapsInvalid {
		b.refuse(s.Doc, z.Pos, "V15", "write anycast addresses, or an enabled address map for the zone or its account",
			"zone %q has proxied names, and there is no address for them", z.Name)
	}
}

// spectrum compiles one Spectrum application.
func (b *builder) spectrum(doc *mapfile.Document, acct *account, app *mapfile.SpectrumApp) {
	var addrs []netip.Addr
	if app.Static {
		addrs = b.reg.usable(app.IPs)
	} else {
		for f, wanted := range [2]bool{app.Connectivity != mapfile.ConnectIPv6, app.Connectivity != mapfile.ConnectIPv4} {
			if wanted {
				addrs = append(addrs, b.snap.anycast.addrs[f]...)
			}
		}
		if len(addrs) == 0 && !b.anycastUnknown {
			b.refuse(doc, app.Pos, "V15", "write anycast addresses of the family that it connects with", "the Spectrum application of %q is dynamic, and there is no anycast address for it", app.Name)
		}
	}
	z := b.snap.zoneOf(app.Name, acct)
	if z == nil {
		return // the zone was refused
	}
	b.snap.spectrum[app.Name] = &spectrum{zone: z, pool: newPool(StepSpectrum, "", addrs), listed: addrsOf(app.IPs)}
}

func compileMap(m *mapfile.AddressMap) *addressMap {
	out := &addressMap{id: m.ID, enabled: m.Enabled, canDelete: m.CanDelete, canModifyIPs: m.CanModifyIPs, ips: addrsOf(m.IPs)}
	for _, mem := range m.Members {
		out.members = append(out.members, mem.Identifier)
	}
	slices.SortFunc(out.ips, netip.Addr.Compare)
	return out
}

func addrsOf(list []mapfile.Addr) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, a := range list {
		out[i] = a.IP
	}
	return out
}
