package mapset

import (
	"cmp"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// document is one document compiled. It never changes once it is in a snapshot:
// snapshots share the documents that have not changed between them.
type document struct {
	source   *mapfile.Document // as [withoutMarks] returns it
	accounts []account         // in the order of the document
	zones    []zone            // of all accounts
	stats    Stats
	warnings []warning
	ofMarks  []warning // of its marks and zone files, which outlast a compilation without them
}

// warning is one line about a place of a document.
type warning struct {
	pos  mapfile.Pos
	text string
}

// warned returns the warnings in the order of their places.
func (d *document) warned() []string {
	all := slices.Concat(d.warnings, d.ofMarks)
	slices.SortStableFunc(all, func(a, b warning) int {
		return cmp.Or(cmp.Compare(a.pos.Line, b.pos.Line), cmp.Compare(a.pos.Col, b.pos.Col))
	})
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = w.text
	}
	return out
}

// withoutMarks returns what is needed of doc to compile it again: all but its text
// and, of its marks, those that no address of a certain family is wanted for. A
// million marks are most of a large map, and the compiled zones have them already.
func withoutMarks(doc *mapfile.Document) *mapfile.Document {
	out := *doc
	out.Forget()
	out.Accounts = slices.Clone(doc.Accounts)
	for i := range out.Accounts {
		a := &out.Accounts[i]
		a.Zones = slices.Clone(a.Zones)
		for j := range a.Zones {
			a.Zones[j].Marks = limited(a.Zones[j].Marks)
		}
	}
	return &out
}

// limited returns those marks that want addresses of one family.
func limited(marks []mapfile.Mark) (some []mapfile.Mark) {
	for _, m := range marks {
		if m.V4Only || m.V6Only {
			some = append(some, m)
		}
	}
	return some
}

// takeOut takes the document out, if there is one of the name, and appends it to
// list.
func (b *builder) takeOut(list []*mapfile.Document, name string) []*mapfile.Document {
	d := b.snap.documents[name]
	if d == nil {
		return list
	}
	b.reg.remove(d.source)
	for i := range d.accounts {
		delete(b.snap.accounts, d.accounts[i].id)
	}
	b.removeZones(d)
	delete(b.snap.documents, name)
	if b.anycastIn == name {
		b.anycastIn = ""
	}
	return append(list, d.source)
}

func (b *builder) removeZones(d *document) {
	for i := range d.zones {
		delete(b.snap.zones, d.zones[i].apex)
	}
}

// compile compiles a document and enters it. If last is not nil, it is the last
// compilation of the same text, which src lacks the marks and zone files of.
func (b *builder) compile(src Source, last *document) {
	d := &document{source: src.Doc}
	if last == nil {
		d.source = withoutMarks(src.Doc)
	} else {
		b.removeZones(last)
		d.ofMarks = last.ofMarks
	}
	b.doc, b.last = d, last
	b.snap.documents[src.Doc.Name] = d
	d.accounts = make([]account, len(src.Doc.Accounts))
	count := 0
	for i := range src.Doc.Accounts {
		count += len(src.Doc.Accounts[i].Zones)
	}
	d.zones = make([]zone, 0, count) // such that it does not move: the snapshot points into it
	for i := range src.Doc.Accounts {
		b.account(src, i)
	}
	if len(b.errs) > 0 {
		return // Its zones may be those of other documents.
	}
	for i := range d.zones {
		b.snap.zones[d.zones[i].apex] = &d.zones[i]
	}
	d.stats = d.counted()
}

// sum adds up what the documents of the set count and warn of.
func (s *Set) sum() {
	s.snap.stats = Stats{Addresses: len(s.snap.anycast)}
	var warning []string
	for name, d := range s.snap.documents {
		s.snap.stats.add(d.stats)
		if len(d.warnings)+len(d.ofMarks) > 0 {
			warning = append(warning, name)
		}
	}
	slices.Sort(warning)
	for _, name := range warning {
		s.snap.warnings = append(s.snap.warnings, s.snap.documents[name].warned()...)
	}
}
