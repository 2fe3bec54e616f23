package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/printable"
)

// The longest files that are read, in bytes: documents and zone files as by the server,
// responses of the API, of a million records and more, and tokens.
const (
	maxText      = 256 << 20
	maxResponses = 2 << 30
	maxToken     = 1 << 16
)

// stdinName is what errors call the document that the standard input is. Its zone files
// are looked up from the working directory.
const stdinName = "stdin"

// load loads a map as a server does that starts with it. The path "-" is one document on
// the standard input, and etcd says how a map in etcd is reached. All commands load a map
// by this function, and say by sayRefused what of it is refused.
func load(opt live.Options, stdin io.Reader, etcd *etcdFlags) (*live.Checked, error) {
	if fleet.IsMap(opt.Path) && etcd != nil {
		return etcd.check(opt)
	}
	if opt.Path != "-" {
		return live.Check(opt)
	}
	text, err := readAll(stdin, maxText)
	if err != nil {
		return nil, fmt.Errorf("cannot read the standard input: %w", err)
	}
	opt.Path = stdinName
	return live.CheckText(opt, func(path string) ([]byte, bool) { return text, path == stdinName }), nil
}

// refuseTwoStdin refuses a second map on the standard input, which is read once.
func refuseTwoStdin(paths ...string) error {
	if n := len(slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p != "-" })); n > 1 {
		return argumentf("- is %d maps at once: the standard input is one document", n)
	}
	return nil
}

// sayRefused prints which documents of a map are refused, each with its first error, and
// returns the exit status then, or nil. What is good of the map is worked with.
func sayRefused(w io.Writer, path string, c *live.Checked) error {
	if len(c.Problems) == 0 {
		return nil
	}
	for _, p := range c.Problems {
		text := p.Err.Error()
		var errs mapfile.Errors
		if errors.As(p.Err, &errs) && len(errs) > 0 {
			text = errs[0].Error()
			if more := len(errs) - 1; more > 0 {
				text += fmt.Sprintf("\n  and %d more errors", more)
			}
		}
		fmt.Fprintf(w, "addressmap: %s is refused\n%s\n", printable.Line(p.Path), text)
	}
	what := "the map is refused"
	if c.Snapshot != nil {
		what = fmt.Sprintf("documents refused: %d of %d, and this is about the others", len(c.Problems), len(c.Problems)+len(c.Sources))
	}
	fmt.Fprintf(w, "addressmap: %s: addressmap check %s says more\n", what, printable.Line(path))
	return status(exitRefused)
}

// succession returns the snapshots to compare of two maps: the one in force with old, and
// the one after a change to next, at path. A document of next that is refused stays as it
// is in old, as in a server. An error says that one of the maps has nothing good.
func succession(oldPath, path string, old, next *live.Checked, compile mapset.Options) (*mapset.Snapshot, *mapset.Snapshot, error) {
	switch {
	case old.Snapshot == nil:
		return nil, nil, fmt.Errorf("%s is refused: there is nothing to compare with", oldPath)
	case next.Snapshot == nil:
		return nil, nil, fmt.Errorf("%s is refused: there is nothing to compare", path)
	case len(next.Problems) == 0:
		return old.Snapshot, next.Snapshot, nil
	}
	sources := slices.Clone(next.Sources)
	for _, p := range next.Problems {
		i := slices.IndexFunc(old.Sources, func(s mapset.Source) bool { return within(oldPath, s.Doc.Name) == within(path, p.Path) })
		if i >= 0 {
			sources = append(sources, old.Sources[i])
		}
	}
	after, errs := mapset.Build(sources, compile)
	if err := errs.Err(); err != nil {
		return nil, nil, fmt.Errorf("%s cannot come into force beside what stays of %s: %w", path, oldPath, err)
	}
	return old.Snapshot, after, nil
}

// within returns the name of a document in its map.
func within(path, document string) string {
	name, err := filepath.Rel(path, document)
	if err != nil {
		return document
	}
	return name
}

// readFile returns the content of a file, or of a pipe or device that ends.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() { // Its end is not known before it is in memory.
		limit = min(limit, maxText)
	}
	data, err := readAll(f, limit)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return data, nil
}

func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it is larger than %d bytes: name a file that is smaller", limit)
	}
	return data, err
}
