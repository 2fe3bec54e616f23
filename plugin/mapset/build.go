package mapset

import (
	"maps"
	"net/netip"
	"sync"

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
	Site      string       // the site whose anycast addresses are answered; "" for the general ones
	PerFamily bool         // missing_family next: each family falls back by itself
	DrainNext bool         // drain_last next: what a drain leaves without an address falls back
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

// builder makes a set, the next one, and gathers what is wrong with it.
type builder struct {
	*Set
	errs mapfile.Errors

	zones map[fqdn.Name]claim // of the changed documents

	everyone       *Pool // the anycast addresses
	anycastUnknown bool  // part of them was refused: nothing can be said of what is missing

	doc  *document // that is compiled
	last *document // its last compilation, which has the marks if the document has not changed; else nil
}

func newBuilder(s *Set, opt Options) *builder {
	snap := &Snapshot{
		documents: maps.Clone(s.snap.documents),
		zones:     maps.Clone(s.snap.zones),
		accounts:  maps.Clone(s.snap.accounts),
		anycast:   s.snap.anycast,
		site:      opt.Site,
	}
	snap.above, snap.byID = sync.OnceValue(snap.aboveProxied), sync.OnceValue(snap.writtenIDs)
	return &builder{
		Set:   &Set{opt: opt, snap: snap, reg: s.reg.clone(), anycastIn: s.anycastIn},
		zones: make(map[fqdn.Name]claim),
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
