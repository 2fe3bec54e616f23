package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/addressmap/addressmap/plugin/source"
)

// maxLinks is how many symbolic links are followed, one after the other, as by
// [filepath.EvalSymlinks].
const maxLinks = 255

// output is where a command writes: the file at path, or the standard output if path is
// "".
type output struct {
	path   string
	stdout io.Writer
}

// refuseInputs returns an error if the output is one of these files, which are read: it
// would destroy them, or be read back.
func (o output) refuseInputs(paths ...string) error {
	for _, in := range paths {
		if in == "" || in == "-" || !o.is(in) {
			continue
		}
		return fmt.Errorf("the output %s is read as %s: write to another file", o.name(), in)
	}
	return nil
}

// refuseInMap returns an error if the output is the map at path or one of its documents,
// or would become one.
func (o output) refuseInMap(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return o.refuseInputs(path)
	}
	documents, err := source.List(path)
	if err != nil {
		return nil // Reading the map returns the error.
	}
	if err := o.refuseInputs(documents...); err != nil {
		return err
	}
	return o.refuseIn(path)
}

// refuseIn returns an error if the output would be read as a document of the directory at
// dir. If it is a symbolic link, each link on the way and the file at the end count: one
// that led nowhere is a document as soon as the file is there.
func (o output) refuseIn(dir string) error {
	for path, n := o.path, 0; path != "" && n < maxLinks; n++ {
		if source.IsDocument(filepath.Base(path)) && resolved(dir) == resolved(filepath.Dir(path)) {
			return o.readIn(dir)
		}
		path, _ = follow(path)
	}
	return nil
}

func (o output) readIn(dir string) error {
	return fmt.Errorf("the output %s would be read as a document of the map %s: write to another directory, or to a name without .yaml, .yml or .json", o.path, dir)
}

// refuseBelow returns an error if the output lies in or below the directory at dir.
func (o output) refuseBelow(dir string) error {
	if o.path == "" || dir == "" {
		return nil
	}
	rel, err := filepath.Rel(resolved(dir), resolved(o.path))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return nil
	}
	return fmt.Errorf("the output %s lies in %s, which is the server's own: write to another directory", o.path, dir)
}

// is reports whether the output is the file at path, also if there is no file yet.
func (o output) is(path string) bool {
	in, err := os.Stat(path)
	if o.path == "" {
		f, ok := o.stdout.(*os.File)
		if !ok || err != nil {
			return false
		}
		out, err := f.Stat()
		return err == nil && out.Mode().IsRegular() && os.SameFile(in, out)
	}
	if out, outErr := os.Stat(o.path); err == nil && outErr == nil {
		return os.SameFile(in, out)
	}
	return resolved(path) == resolved(o.path)
}

func (o output) name() string {
	if o.path == "" {
		return "on the standard output"
	}
	return o.path
}

// resolved returns an absolute path with its links followed as far as there are files.
func resolved(path string) string {
	if to, err := target(path); err == nil {
		path = to
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	dir := filepath.Dir(abs)
	if dir == abs {
		return abs
	}
	return filepath.Join(resolved(dir), filepath.Base(abs))
}

// refuseImported returns an error if the zone file that an import makes would take the
// place of the export or of the map, or be read as a document beside the map.
func refuseImported(zoneFile output, export, document string) error {
	if err := zoneFile.refuseInputs(export, document); err != nil {
		return err
	}
	if document == "" {
		return nil
	}
	if err := (output{path: document}).refuseInputs(export); err != nil {
		return err
	}
	return zoneFile.refuseIn(filepath.Dir(document))
}
