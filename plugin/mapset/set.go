package mapset

import (
	"cmp"
	"maps"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Set is documents compiled together, such that one of them can be replaced
// without compiling the others again. It never changes and is safe for
// concurrent use.
type Set struct {
	opt   Options
	snap  *Snapshot
	reg   *registry
	parts map[string]*part // :: name of the document → what it gave

	anycastIn string // the document of parts that has the anycast addresses; "" if none has
}

// part is one document of a set.
type part struct {
	kept     kept // the document
	block    *block
	stats    Stats
	warnings []warning
	ofMarks  []warning // of its marks and zone files, which outlast a compilation without them
}

// warning is one line about a place of a document.
type warning struct {
	pos  mapfile.Pos
	text string
}

// NewSet returns the set of no documents.
func NewSet(opt Options) *Set {
	return &Set{
		opt:   opt,
		snap:  &Snapshot{accounts: make(map[string]*account), lineage: newLineage(), above: new(above)},
		reg:   newRegistry(),
		parts: make(map[string]*part),
	}
}

// Snapshot returns what the documents of the set say.
func (s *Set) Snapshot() *Snapshot { return s.snap }

// Document returns the document of that name without its text and most of its marks,
// or nil if the set has none.
func (s *Set) Document(name string) *mapfile.Document {
	if p := s.parts[name]; p != nil {
		return p.kept.document()
	}
	return nil
}

// StatsOf returns how much the document of that name gave; nothing if the set has
// none.
func (s *Set) StatsOf(name string) Stats {
	if p := s.parts[name]; p != nil {
		return p.stats
	}
	return Stats{}
}

// Update returns the set with documents added, or put in place of those of the
// same name, and others gone. Every error is returned, and no set if there is
// any. What is in the set keeps its claims; after that, the first of changed
// does. The cost is that of the changed documents and of those that depend on
// what they lend, unless anycast changes. Nothing of changed is kept.
func (s *Set) Update(changed []Source, gone []string) (*Set, mapfile.Errors) {
	b := newBuilder(s)
	var before, after []*mapfile.Document
	for _, name := range gone {
		before = b.takeOut(before, name)
	}
	for _, src := range changed {
		before = b.takeOut(before, src.Doc.Name)
		after = append(after, src.Doc)
	}
	for _, doc := range after {
		b.names(doc)
	}
	b.space(after)
	affected := b.borrowers(before, after)
	if b.anycast(after) {
		affected = slices.Sorted(maps.Keys(b.next.parts))
	}
	docs := slices.Clone(after)
	for _, name := range affected {
		docs = append(docs, b.next.parts[name].kept.document())
	}
	b.lenders(docs)
	for _, doc := range docs[len(after):] {
		b.recompile(doc)
	}
	for _, src := range changed {
		b.compile(src)
	}
	return b.finish(s, before, docs)
}

// With returns the set compiled with other options, or every error that its documents
// have under these. It holds the same documents.
func (s *Set) With(opt Options) (*Set, mapfile.Errors) {
	base := *s
	base.opt = opt
	b := newBuilder(&base)
	b.anycast(nil)
	var docs []*mapfile.Document
	for _, name := range slices.Sorted(maps.Keys(b.next.parts)) {
		docs = append(docs, b.next.parts[name].kept.document())
	}
	b.lenders(docs)
	for _, doc := range docs {
		b.recompile(doc)
	}
	return b.finish(s, docs, docs)
}

// finish returns the next set after s, of which the documents before are now docs, or
// all that is wrong with it.
func (b *builder) finish(s *Set, before, docs []*mapfile.Document) (*Set, mapfile.Errors) {
	if len(b.errs) > 0 {
		b.errs.Sort()
		return nil, b.errs
	}
	b.reg.settle()
	b.next.sum()
	if len(s.parts) > 0 { // Else it is all of it that may differ.
		b.next.snap.lineage.follow(s.snap.lineage, before, docs)
	}
	b.next.snap.shares = b.reg.lent.Size() > 0 || b.reg.own.Size() > 0 && b.reg.statics.held > 0
	return b.next, nil
}

// takeOut takes the document out, if there is one of the name, and appends it to
// list.
func (b *builder) takeOut(list []*mapfile.Document, name string) []*mapfile.Document {
	p := b.next.parts[name]
	if p == nil {
		return list
	}
	doc := p.kept.document()
	b.reg.remove(doc)
	for i := range doc.Accounts {
		delete(b.snap.accounts, doc.Accounts[i].ID)
	}
	b.snap.zones.remove(p.block)
	delete(b.next.parts, name)
	if b.next.anycastIn == name {
		b.next.anycastIn = ""
	}
	return append(list, doc)
}

// compile compiles a document that was not in the set.
func (b *builder) compile(src Source) {
	p := &part{kept: keep(src.Doc)}
	b.next.parts[src.Doc.Name] = p
	b.document(p, src)
}

// recompile compiles a document of the set once more, which itself has not
// changed.
func (b *builder) recompile(doc *mapfile.Document) {
	last := b.next.parts[doc.Name]
	p := &part{kept: last.kept, ofMarks: last.ofMarks}
	b.next.parts[doc.Name] = p
	b.snap.zones.remove(last.block)
	b.unchanged = true
	b.document(p, Source{Doc: doc})
	b.unchanged = false
}

// document compiles the accounts of one document.
func (b *builder) document(p *part, src Source) {
	b.part, b.block, b.room = p, newBlock(src.Doc), roomFor(src.Doc)
	b.block.accounts = make([]account, len(src.Doc.Accounts))
	for i := range src.Doc.Accounts {
		b.account(src, i)
	}
	if len(b.errs) > 0 {
		return // Its zones may be those of other blocks.
	}
	b.block.finish()
	b.snap.zones.add(b.block)
	p.block = b.block
	p.stats = statsOf(src.Doc, p.block)
}

// sum adds up what the parts of the set count and warn of.
func (s *Set) sum() {
	s.snap.stats = Stats{Addresses: len(s.snap.anycast)}
	var warning []string
	for name, p := range s.parts {
		s.snap.stats.add(p.stats)
		if len(p.warnings)+len(p.ofMarks) > 0 {
			warning = append(warning, name)
		}
	}
	slices.Sort(warning)
	for _, name := range warning {
		s.snap.warnings = append(s.snap.warnings, s.parts[name].warned()...)
	}
}

// warned returns the warnings in the order of their places.
func (p *part) warned() []string {
	all := slices.Concat(p.warnings, p.ofMarks)
	slices.SortStableFunc(all, func(a, b warning) int {
		return cmp.Or(cmp.Compare(a.pos.Line, b.pos.Line), cmp.Compare(a.pos.Col, b.pos.Col))
	})
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = w.text
	}
	return out
}
