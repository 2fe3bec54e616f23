package mapset

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Set is documents compiled together, such that one of them can be replaced
// without compiling the others again. It never changes and is safe for
// concurrent use.
type Set struct {
	opt  Options
	snap *Snapshot
	reg  *registry
	docs map[string]*part // :: name of the document → what it gave
}

// part is one document of a set.
type part struct {
	src      Source
	stats    Stats
	warnings []string
}

// NewSet returns the set of no documents.
func NewSet(opt Options) *Set {
	return &Set{
		opt: opt,
		snap: &Snapshot{
			zones:    make(map[fqdn.Name]*zone),
			spectrum: make(map[fqdn.Name]*spectrum),
			accounts: make(map[string]*account),
			anycast:  noPool,
		},
		reg:  newRegistry(),
		docs: make(map[string]*part),
	}
}

// Snapshot returns what the documents of the set say.
func (s *Set) Snapshot() *Snapshot { return s.snap }

// Update returns the set with documents added, or put in place of those of the
// same name, and others gone. Every error is returned, and no set if there is
// any. What is in the set keeps its claims; after that, the first of changed
// does. The cost is that of the changed documents and of those that depend on
// what they lend, unless anycast changes.
func (s *Set) Update(changed []Source, gone []string) (*Set, mapfile.Errors) {
	next := &Set{opt: s.opt, docs: maps.Clone(s.docs), reg: s.reg.clone()}
	next.snap = s.snap.clone()
	b := &builder{reg: next.reg, snap: next.snap, perFamily: s.opt.PerFamily}
	var before, after []*mapfile.Document
	names := slices.Clone(gone)
	for _, src := range changed {
		names = append(names, src.Doc.Name)
		after = append(after, src.Doc)
	}
	for _, name := range names {
		if p := next.docs[name]; p != nil {
			before = append(before, p.src.Doc)
			b.remove(p.src.Doc)
			delete(next.docs, name)
		}
	}
	for _, src := range changed {
		next.docs[src.Doc.Name] = &part{src: src}
		b.names(src.Doc)
	}
	b.space(after)
	affected := b.borrowers(next.docs, before, after)
	if b.anycast(next.docs, changed, s.opt.Anycast) {
		affected = next.others(after)
	}
	for _, p := range affected {
		next.docs[p.src.Doc.Name] = &part{src: p.src}
		after = append(after, p.src.Doc)
	}
	b.lenders(after)
	for _, doc := range after {
		b.document(next.docs[doc.Name])
	}
	if len(b.errs) > 0 {
		b.errs.Sort()
		return nil, b.errs
	}
	next.finish()
	next.snap.touched = nil
	if len(s.docs) > 0 {
		next.snap.touched = apexes(before, after)
	}
	return next, nil
}

// clone returns a snapshot that can be changed without changing s; what it
// holds is shared.
func (s *Snapshot) clone() *Snapshot {
	cp := *s
	cp.zones, cp.spectrum, cp.accounts = maps.Clone(s.zones), maps.Clone(s.spectrum), maps.Clone(s.accounts)
	return &cp
}

// remove takes a document out, and all that it claims.
func (b *builder) remove(doc *mapfile.Document) {
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		delete(b.snap.accounts, a.ID)
		delete(b.reg.accounts, a.ID)
		for j := range a.Zones {
			delete(b.snap.zones, a.Zones[j].Name)
			delete(b.reg.zones, a.Zones[j].Name)
		}
		for j := range a.Maps {
			delete(b.reg.maps, a.Maps[j].ID)
		}
		for j := range a.Spectrum {
			delete(b.snap.spectrum, a.Spectrum[j].Name)
			delete(b.reg.apps, a.Spectrum[j].Name)
		}
		for _, p := range a.Prefixes {
			b.reg.own.Delete(p.CIDR)
		}
		for _, p := range a.Delegated {
			b.reg.lent.Delete(p.CIDR)
		}
		for _, ip := range a.StaticIPs {
			delete(b.reg.statics, ip.IP)
		}
	}
}

// borrowers returns the documents, other than the changed ones, that use address
// space which the changed ones lend or did lend.
func (b *builder) borrowers(docs map[string]*part, before, after []*mapfile.Document) []*part {
	space := make(map[netip.Prefix]int) // :: prefix → how its state before differs from that after
	for i, list := range [][]*mapfile.Document{before, after} {
		for _, doc := range list {
			for j := range doc.Accounts {
				for _, p := range doc.Accounts[j].Prefixes {
					state := 1
					if p.Advertised {
						state = 2
					}
					space[p.CIDR] += state * (1 - 2*i)
				}
			}
		}
	}
	found := make(map[string]*part)
	for prefix, difference := range space {
		if difference == 0 {
			continue
		}
		for _, c := range b.reg.lent.Subnets(prefix) {
			if !slices.ContainsFunc(after, func(d *mapfile.Document) bool { return d.Name == c.file }) {
				found[c.file] = docs[c.file]
			}
		}
	}
	out := make([]*part, 0, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[name])
	}
	return out
}

// others returns the parts that are of none of these documents.
func (s *Set) others(docs []*mapfile.Document) []*part {
	var out []*part
	for _, name := range slices.Sorted(maps.Keys(s.docs)) {
		if !slices.ContainsFunc(docs, func(d *mapfile.Document) bool { return d.Name == name }) {
			out = append(out, s.docs[name])
		}
	}
	return out
}

// anycast takes the addresses of the Corefile, else those of the one document
// that has any. It reports whether they are others than before.
func (b *builder) anycast(docs map[string]*part, changed []Source, override []netip.Addr) bool {
	addrs := override
	holder := ""
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		isChanged := slices.ContainsFunc(changed, func(src Source) bool { return src.Doc.Name == name })
		if len(docs[name].src.Doc.Anycast) > 0 && !isChanged {
			holder = name
		}
	}
	for _, src := range changed {
		b.anycastUnknown = b.anycastUnknown || src.Doc.AnycastInvalid
		switch {
		case len(src.Doc.Anycast) == 0:
		case holder != "":
			b.refuse(src.Doc, src.Doc.Pos, "V4", "keep it in one document of the directory", "anycast stands in %s already", holder)
		default:
			holder = src.Doc.Name
		}
	}
	if holder != "" && len(override) == 0 {
		addrs = addrsOf(docs[holder].src.Doc.Anycast)
	}
	pool := newPool(StepAnycast, "", addrs)
	if pool.empty() {
		pool = noPool
	}
	if pool.equal(b.snap.anycast) {
		return false
	}
	b.snap.anycast = pool
	return true
}

// finish adds up what the parts of the set count.
func (s *Set) finish() {
	s.snap.stats = Stats{Addresses: len(s.snap.anycast.addrs[IPv4]) + len(s.snap.anycast.addrs[IPv6])}
	s.snap.warnings = nil
	for _, name := range slices.Sorted(maps.Keys(s.docs)) {
		p := s.docs[name]
		s.snap.stats.add(p.stats)
		s.snap.warnings = append(s.snap.warnings, p.warnings...)
	}
}

func (s *Stats) add(o Stats) {
	s.Accounts += o.Accounts
	s.Zones += o.Zones
	s.ProxiedNames += o.ProxiedNames
	s.AddressMaps += o.AddressMaps
	s.Addresses += o.Addresses
}

// statsOf counts what one document gave.
func (s *Snapshot) statsOf(doc *mapfile.Document) Stats {
	st := Stats{Accounts: len(doc.Accounts)}
	for i := range doc.Accounts {
		a := &doc.Accounts[i]
		st.Zones += len(a.Zones)
		st.AddressMaps += len(a.Maps)
		for j := range a.Zones {
			if z := s.zones[a.Zones[j].Name]; z != nil {
				st.ProxiedNames += z.proxiedNames()
			}
		}
		distinct := make(map[netip.Addr]struct{})
		for j := range a.Maps {
			for _, ip := range a.Maps[j].IPs {
				distinct[ip.IP] = struct{}{}
			}
		}
		for j := range a.Spectrum {
			app := &a.Spectrum[j]
			for _, ip := range app.IPs {
				distinct[ip.IP] = struct{}{}
			}
			if now := s.spectrum[app.Name]; now != nil && now.zone.marks[app.Name]&markProxied == 0 {
				st.ProxiedNames++
			}
		}
		st.Addresses += len(distinct)
	}
	return st
}

// apexes returns the zones of documents, each once.
func apexes(lists ...[]*mapfile.Document) map[fqdn.Name]struct{} {
	out := make(map[fqdn.Name]struct{})
	for _, docs := range lists {
		for _, doc := range docs {
			for i := range doc.Accounts {
				for j := range doc.Accounts[i].Zones {
					out[doc.Accounts[i].Zones[j].Name] = struct{}{}
				}
			}
		}
	}
	return out
}
