package mapset

import (
	"maps"
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

	anycastIn string // the document that has the anycast addresses or sites; "" if none has
}

// NewSet returns the set of no documents.
func NewSet(opt Options) *Set {
	snap := &Snapshot{
		documents: make(map[string]*document),
		zones:     make(zones),
		accounts:  make(map[string]*account),
		above:     func() fqdn.Set { return nil },
	}
	return &Set{opt: opt, snap: snap, reg: newRegistry()}
}

// Snapshot returns what the documents of the set say.
func (s *Set) Snapshot() *Snapshot { return s.snap }

// Document returns the document of that name without its text and most of its marks,
// or nil if the set has none. It is shared: read only.
func (s *Set) Document(name string) *mapfile.Document {
	if d := s.snap.documents[name]; d != nil {
		return d.source
	}
	return nil
}

// StatsOf returns how much the document of that name gave; nothing if the set has
// none.
func (s *Set) StatsOf(name string) Stats {
	if d := s.snap.documents[name]; d != nil {
		return d.stats
	}
	return Stats{}
}

// Update returns the set with documents added, or put in place of those of the
// same name, and others gone. Every error is returned, and no set if there is
// any. What is in the set keeps its claims; after that, the first of changed
// does. The cost is that of the changed documents and of those that depend on
// what they lend, unless anycast changes. The documents must not be changed
// afterwards: the set shares parts of them.
func (s *Set) Update(changed []Source, gone []string) (*Set, mapfile.Errors) {
	return s.update(s.opt, changed, gone)
}

// With returns the set compiled with other options, or every error that its documents
// have under these. It holds the same documents.
func (s *Set) With(opt Options) (*Set, mapfile.Errors) { return s.update(opt, nil, nil) }

func (s *Set) update(opt Options, changed []Source, gone []string) (*Set, mapfile.Errors) {
	b := newBuilder(s, opt)
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
	affected := append(b.borrowers(before, after), b.overtaken(after)...)
	slices.Sort(affected)
	affected = slices.Compact(affected)
	if b.anycast(after) || opt.PerFamily != s.opt.PerFamily {
		affected = slices.Sorted(maps.Keys(b.snap.documents))
	}
	docs := slices.Clone(after)
	for _, name := range affected {
		docs = append(docs, b.snap.documents[name].source)
	}
	b.lenders(docs)
	for _, name := range affected {
		last := b.snap.documents[name]
		b.compile(Source{Doc: last.source}, last)
	}
	for _, src := range changed {
		b.compile(src, nil)
	}
	if len(b.errs) > 0 {
		b.errs.Sort()
		return nil, b.errs
	}
	b.sum()
	b.snap.shares = b.reg.lent.Size() > 0 || b.reg.own.Size() > 0 && len(b.reg.statics) > 0
	return b.Set, nil
}
