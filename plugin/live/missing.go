package live

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// isGone reports whether a document that cannot be read is one no more: it was
// taken out of the directory, or the map was no directory when it was kept and
// is one now, or the other way round.
func (l *loader) isGone(path string, err error) bool {
	if path == l.opt.Path {
		return l.dir
	}
	return errors.Is(err, fs.ErrNotExist)
}

// missing judges the documents that are gone or cannot be read. If none is left
// in the directory, that is all there is to say, and what is in force stays: a
// mount that is not there looks like that, and a copy that failed.
func (l *loader) missing(b *batch, gone []string, failed []problem) {
	if l.dir && (len(gone) > 0 || len(failed) > 0 || l.wasMissing()) {
		listed, err := l.whole()
		if err != nil {
			b.problems = append(b.problems, problem{path: l.opt.Path, err: err, result: Failed})
			return
		}
		b.settled = append(b.settled, l.opt.Path)
		gone = slices.DeleteFunc(gone, func(p string) bool {
			_, back := slices.BinarySearch(listed, p) // it will be named as new
			b.unsettled = b.unsettled || back
			return back
		})
	}
	b.problems = append(b.problems, failed...)
	for _, p := range gone {
		_, known := l.docs[p]
		if _, closes := l.shut[p]; known || closes {
			b.gone = append(b.gone, p)
		} else {
			b.settled = append(b.settled, p)
			delete(l.names, p)
		}
	}
}

// isNew reports whether a candidate is of a document of which no version is in force.
func (l *loader) isNew(c candidate) bool {
	_, known := l.docs[c.path]
	return !known
}

// andMoved returns gone with those documents in force that the directory has no more,
// though nobody said so yet.
func (l *loader) andMoved(gone []string) []string {
	listed, err := l.listDocuments()
	if err != nil {
		return gone // which is said where it matters
	}
	for p := range l.docs {
		if _, is := slices.BinarySearch(listed, p); !is && p != l.opt.Path && !slices.Contains(gone, p) {
			gone = append(gone, p)
		}
	}
	slices.Sort(gone)
	return gone
}

// wasMissing reports whether the directory was missing or empty when it was last
// looked at.
func (l *loader) wasMissing() bool {
	_, was := l.troubles[l.opt.Path]
	return l.dir && was
}

// whole returns the documents of the directory, or an error if it is missing or
// empty.
func (l *loader) whole() ([]string, error) {
	paths, err := l.listDocuments()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the map is missing: %w", err)
	case err != nil:
		return nil, fmt.Errorf("cannot read the map: %w", err)
	case len(paths) == 0 && len(l.docs) > 0:
		return nil, errEmptied
	}
	return paths, nil
}
