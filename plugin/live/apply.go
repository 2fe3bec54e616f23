package live

import (
	"errors"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// base is what a batch is compiled on top of. A map of one document is compiled
// anew as a whole, so that nothing of the document need be kept.
func (l *loader) base() *mapset.Set {
	if l.dir && l.set != nil {
		return l.set
	}
	return mapset.NewSet(l.opt.Compile)
}

// errEmptied keeps what is in force of a directory that is empty all of a sudden.
// That is an accident: a mount that is not there, a copy that failed.
var errEmptied = errors.New("the directory holds no good document any more: put one back")

// apply brings a batch into force, or as much of it as is good.
func (l *loader) apply(b *batch) {
	candidates := b.candidates
	for len(candidates) > 0 || len(b.gone) > 0 {
		if len(candidates) == 0 && len(b.gone) == len(l.docs) {
			b.problem(l.opt.Path, Failed, errEmptied)
			return
		}
		set, errs := l.base().Update(sources(candidates), b.gone)
		for _, c := range candidates {
			errs = append(errs, c.errs...)
		}
		if len(errs) == 0 {
			l.protect(b, set, candidates)
			return
		}
		good, bad := split(candidates, errs)
		if len(bad) == 0 {
			// A document that has not changed is wrong now: one of those that
			// have took something away from it.
			l.oneByOne(b, candidates)
			return
		}
		for _, c := range bad {
			b.refuse(c.path, c.digest, of(c.path, errs).Err())
		}
		candidates = good
	}
}

// protect brings a set into force unless that would do what a reload may not. Of
// several documents, those come into force that may. What the guard refuses is
// refused as a whole: in parts, it would be the same loss.
func (l *loader) protect(b *batch, set *mapset.Set, candidates []candidate) {
	violations := l.violations(set)
	if len(violations) == 0 {
		l.swap(set, candidates, b.gone)
		return
	}
	changes := len(candidates) + len(b.gone)
	if changes > 1 && !slices.ContainsFunc(violations, func(v mapset.Violation) bool { return v.Rule == guardRule }) {
		l.oneByOne(b, candidates)
		return
	}
	for _, c := range candidates {
		b.refuse(c.path, c.digest, joined(violations))
	}
	for _, p := range b.gone {
		b.refuse(p, digest{}, joined(violations))
	}
}

// guardRule is the rule of the guard option.
const guardRule = "P4"

// violations returns what a reload may not do and this set would. Nothing is
// protected at the very first start.
func (l *loader) violations(set *mapset.Set) []mapset.Violation {
	old := l.current.Load()
	if old == nil {
		return nil
	}
	return mapset.Protect(old, set.Snapshot(), l.opt.Guard)
}

func joined(violations []mapset.Violation) error {
	errs := make([]error, len(violations))
	for i, v := range violations {
		errs[i] = v
	}
	return errors.Join(errs...)
}

// oneByOne brings each candidate into force that does no harm by itself, and
// takes each document out that nothing depends on.
func (l *loader) oneByOne(b *batch, candidates []candidate) {
	try := func(path string, version digest, cs []candidate, gone []string) {
		set, errs := l.base().Update(sources(cs), gone)
		err := errs.Err()
		if err == nil {
			err = joined(l.violations(set))
		}
		if err != nil {
			b.refuse(path, version, err)
			return
		}
		l.swap(set, cs, gone)
	}
	for _, c := range candidates {
		try(c.path, c.digest, []candidate{c}, nil)
	}
	for _, p := range b.gone {
		if len(l.docs) == 1 {
			b.problem(l.opt.Path, Failed, errEmptied)
			return
		}
		try(p, digest{}, nil, []string{p})
	}
}

func sources(candidates []candidate) []mapset.Source {
	out := make([]mapset.Source, len(candidates))
	for i, c := range candidates {
		out[i] = c.src
	}
	return out
}

// swap puts a set in force.
func (l *loader) swap(set *mapset.Set, candidates []candidate, gone []string) {
	for _, p := range gone {
		delete(l.docs, p)
		delete(l.names, p)
		delete(l.troubles, p)
		l.durable.drop(p)
	}
	l.changed = append(l.changed, set.Snapshot().Follow(l.current.Load(), l.opt.Related)...)
	l.take(set, candidates)
}

// take notes what a set was made of and makes it the one in force.
func (l *loader) take(set *mapset.Set, candidates []candidate) {
	for _, c := range candidates {
		c.src.Doc.Forget()
		l.docs[c.path] = document{digest: c.digest, sum: c.sum}
		l.durable.accept(l.name(c.path), c)
		delete(l.troubles, c.path)
	}
	l.current.Store(set.Snapshot())
	if l.dir {
		l.set = set
	}
}

// split parts the candidates into those without errors of their own and others.
func split(candidates []candidate, errs mapfile.Errors) (good, bad []candidate) {
	wrong := make(map[string]bool)
	for _, e := range errs {
		wrong[e.File] = true
	}
	for _, c := range candidates {
		if wrong[c.path] {
			bad = append(bad, c)
		} else {
			good = append(good, c)
		}
	}
	return good, bad
}

// of returns the errors of one document.
func of(path string, errs mapfile.Errors) mapfile.Errors {
	return slices.DeleteFunc(slices.Clone(errs), func(e *mapfile.Error) bool { return e.File != path })
}
