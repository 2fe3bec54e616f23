package mapset

import (
	"maps"
	"net/netip"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// Source is one document and the zone files that it names. A zone file that
// could not be read is missing, and whoever read it complains of it.
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
// are errors. It is safe for concurrent use. The documents must not be changed
// afterwards: the snapshot shares parts of them.
//
// A document may have errors of its own, which are not repeated: nothing is said
// of what they leave open.
func Build(sources []Source, opt Options) (*Snapshot, mapfile.Errors) {
	set, errs := NewSet(opt).Update(sources, nil)
	if len(errs) > 0 {
		return nil, errs
	}
	return set.Snapshot(), nil
}

// builder makes the next set, and gathers what is wrong with it.
type builder struct {
	last *Snapshot // what the next one is made from
	next *Set
	snap *Snapshot // of next
	reg  *registry // of next
	errs mapfile.Errors

	claimants map[*mapfile.Account]*claimant // of the changed documents
	zones     map[fqdn.Name]claim            // of the same

	perFamily      bool
	everyone       *candidate // the anycast addresses
	anycastUnknown bool       // part of them was refused: nothing can be said of what is missing

	doc       *document // that is compiled
	named     []named   // room for the marks of one zone after the other
	unchanged bool      // it is as it was in last, and its marks are gone from its source
}

func newBuilder(s *Set) *builder {
	snap := &Snapshot{
		documents: maps.Clone(s.snap.documents),
		zones:     maps.Clone(s.snap.zones),
		accounts:  maps.Clone(s.snap.accounts),
		anycast:   s.snap.anycast,
		above:     new(above),
	}
	next := &Set{opt: s.opt, snap: snap, reg: s.reg.clone(), anycastIn: s.anycastIn}
	return &builder{
		last: s.snap, next: next, snap: snap, reg: next.reg,
		claimants: make(map[*mapfile.Account]*claimant),
		zones:     make(map[fqdn.Name]claim),
		perFamily: s.opt.PerFamily,
	}
}

func (b *builder) refuse(doc *mapfile.Document, pos mapfile.Pos, rule, remedy, format string, args ...any) {
	b.errs = append(b.errs, doc.Errorf(pos, rule, remedy, format, args...))
}

func (b *builder) warn(doc *mapfile.Document, pos mapfile.Pos, format string, args ...any) {
	b.doc.warnings = append(b.doc.warnings, warning{pos, doc.Errorf(pos, "", "", format, args...).Head()})
}

// warnOfMarks is warn for what only the marks and zone files tell.
func (b *builder) warnOfMarks(doc *mapfile.Document, pos mapfile.Pos, format string, args ...any) {
	b.doc.ofMarks = append(b.doc.ofMarks, warning{pos, doc.Errorf(pos, "", "", format, args...).Head()})
}

func addrsOf(list []mapfile.Addr) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, a := range list {
		out[i] = a.IP
	}
	return out
}
