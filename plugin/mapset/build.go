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
// are errors. It keeps nothing of the sources. It is safe for concurrent use.
func Build(sources []Source, opt Options) (*Snapshot, mapfile.Errors) {
	b := &builder{
		reg:       newRegistry(),
		perFamily: opt.PerFamily,
		snap: &Snapshot{
			zones:    make(map[fqdn.Name]*zone),
			spectrum: make(map[fqdn.Name]*spectrum),
			accounts: make(map[string]*account),
		},
	}
	docs := make([]*mapfile.Document, len(sources))
	for i, s := range sources {
		docs[i] = s.Doc
		b.names(s.Doc)
	}
	b.space(docs)
	b.anycast(docs, opt.Anycast)
	for _, s := range sources {
		for i := range s.Doc.Accounts {
			b.account(s, &s.Doc.Accounts[i])
		}
	}
	if len(b.errs) > 0 {
		b.errs.Sort()
		return nil, b.errs
	}
	b.snap.warnings = b.warnings
	b.snap.count()
	return b.snap, nil
}

// builder gathers a snapshot, and what is wrong with the documents it is of.
type builder struct {
	reg       *registry
	perFamily bool
	snap      *Snapshot
	errs      mapfile.Errors
	warnings  []string

	anycastUnknown bool // part of it was refused: nothing can be said of it
}

func (b *builder) refuse(doc *mapfile.Document, pos mapfile.Pos, rule, remedy, format string, args ...any) {
	b.errs = append(b.errs, doc.Errorf(pos, rule, remedy, format, args...))
}

func (b *builder) warn(doc *mapfile.Document, pos mapfile.Pos, format string, args ...any) {
	b.warnings = append(b.warnings, doc.Errorf(pos, "", "", format, args...).Head())
}

// anycast takes the addresses of the Corefile, else those of the one document
// that has any.
func (b *builder) anycast(docs []*mapfile.Document, override []netip.Addr) {
	addrs := override
	var first *mapfile.Document
	for _, doc := range docs {
		b.anycastUnknown = b.anycastUnknown || doc.AnycastInvalid
		if len(doc.Anycast) == 0 {
			continue
		}
		if first != nil {
			b.refuse(doc, doc.Pos, "V4", "keep it in one document of the directory", "anycast stands in %s already", first.Name)
			continue
		}
		first = doc
		if len(override) == 0 {
			for _, a := range doc.Anycast {
				addrs = append(addrs, a.IP)
			}
		}
	}
	b.snap.anycast = newPool(StepAnycast, "", addrs)
	if b.snap.anycast.empty() {
		b.snap.anycast = noPool
	}
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
	z, _ := b.snap.enclosing(app.Name)
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
