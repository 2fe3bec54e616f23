package live

import (
	"slices"
	"time"

	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// compileFor returns what is in force as compiled with the options of one more view, or
// what is wrong with that. While the map is being loaded for the first time, a document of
// a directory that the options refuse is refused for all views, as it would be later, and
// the others stay in force: which of the directives comes first makes no difference.
func (l *loader) compileFor(opt mapset.Options, later bool) (*mapset.Set, mapfile.Errors) {
	set, errs := l.views.lead().set.With(opt)
	for len(errs) > 0 && l.dir && !later && l.expel(errs) {
		set, errs = l.views.lead().set.With(opt)
	}
	return set, errs
}

// expel takes the documents out of force that errs are about, and closes their zones (R26).
// It reports false, and does nothing, if the others would not be good without them.
func (l *loader) expel(errs mapfile.Errors) bool {
	b, begin, before := &batch{}, time.Now(), l.snapshot()
	var changes []change
	var gone []string
	for path, known := range l.docs {
		of := slices.DeleteFunc(slices.Clone(errs), func(e *mapfile.Error) bool { return e.File != path })
		if len(of) == 0 {
			continue
		}
		doc := *l.views.lead().set.Document(path)
		doc.HasAllZones = true // it was accepted
		b.refuse(path, known.digest, &doc, of.Err())
		changes, gone = append(changes, change{path: path}), append(gone, path)
	}
	if len(gone) == 0 || len(gone) == len(l.docs) {
		return false
	}
	next := make(sets, len(l.views))
	for i, v := range l.views {
		var wrong mapfile.Errors
		if next[i], wrong = v.set.Update(nil, gone); len(wrong) > 0 {
			return false
		}
	}
	l.swap(next, changes)
	l.shutOut(b)
	l.report(b, before, begin, Refused)
	return true
}
