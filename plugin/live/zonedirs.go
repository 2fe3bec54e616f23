package live

import (
	"fmt"
	"path/filepath"

	"github.com/addressmap/addressmap/plugin/source"
)

// ZoneDirs tells which zone files may be read (V17): those in or below the directory
// of the document that names them, or in or below one of some others, all with links
// followed. It is for one load: it looks once where each directory is, so that a
// swap of links during the load is noticed.
type ZoneDirs struct {
	others []string             // as written
	seen   map[string]directory // :: as written → where it was when the load began
}

// directory is a path with its links followed, or why they could not be.
type directory struct {
	path string
	err  error
}

// NewZoneDirs returns the directories for one load: others, and those of the
// documents.
func NewZoneDirs(others []string) *ZoneDirs {
	z := &ZoneDirs{others: others, seen: make(map[string]directory)}
	for _, dir := range others {
		z.look(dir)
	}
	return z
}

// look returns where dir was when it was looked at first.
func (z *ZoneDirs) look(dir string) directory {
	d, seen := z.seen[dir]
	if !seen {
		d = resolve(dir)
		z.seen[dir] = d
	}
	return d
}

// resolve follows the links of a path.
func resolve(path string) directory {
	abs, err := filepath.Abs(path)
	if err != nil {
		return directory{err: err}
	}
	abs, err = filepath.EvalSymlinks(abs)
	return directory{abs, err}
}

// outsideError is why a zone file is not read.
type outsideError struct{ path, leads, dir string }

func (e *outsideError) Error() string {
	return fmt.Sprintf("%q %s", e.path, e.text())
}

// text is the error without the path, for a message that quotes the path beneath.
func (e *outsideError) text() string {
	return fmt.Sprintf("leads to %s, neither in nor below %q, the directory of the document, nor in one of zone_files", e.leads, e.dir)
}

// errMoved is of a zone file that is on its way to another place: it is to be read
// again.
var errMoved = fmt.Errorf("links on the way to the zone file are changing: %w", source.ErrUnsettled)

// Read reads the zone file at path, which document names, with readFile. One that
// lies elsewhere is not even opened. A path whose links change during the load is a
// [source.ErrUnsettled].
func (z *ZoneDirs) Read(document, path string, readFile func(path string, limit int64) ([]byte, error)) ([]byte, error) {
	dir := filepath.Dir(document)
	before := resolve(path)
	if before.err == nil {
		if err := z.check(dir, path, before.path); err != nil {
			return nil, err
		}
	}
	data, err := readFile(path, maxBytes)
	if err != nil {
		return nil, err // also that of a file that is missing
	}
	switch after := resolve(path); {
	case after.err != nil: // It can be opened all the same, as files of /proc can.
		return nil, &outsideError{path, "an unknown place", dir}
	case after.path != before.path: // also if there was nothing before
		return nil, errMoved
	}
	return data, nil
}

// check returns an error if the zone file at path, which leads to file, lies in none
// of the directories.
func (z *ZoneDirs) check(dir, path, file string) error {
	all := append([]string{dir}, z.others...)
	for _, d := range all {
		if at := z.look(d); at.err == nil && isBelow(at.path, file) {
			return nil
		}
	}
	for _, d := range all {
		was, is := z.look(d), resolve(d)
		if was.path != is.path || (was.err == nil) != (is.err == nil) {
			return errMoved
		}
	}
	return &outsideError{path, fmt.Sprintf("%q", file), dir}
}

// isBelow reports whether file lies in dir or below it. Both are absolute, without
// links.
func isBelow(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}
