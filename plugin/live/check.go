package live

import (
	"sync/atomic"

	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
)

// Problem is why a document would not come into force.
type Problem struct {
	Path string // of the document
	Err  error  // [mapfile.Errors] unless the document cannot be read
}

// Check loads a map once, as Open does at a cold start, and watches nothing. It
// returns what would come into force, nil if nothing would, and the problems of
// all documents. The error is that of a map that cannot be read at all.
func Check(path string, compile mapset.Options) (*mapset.Snapshot, []Problem, error) {
	var current atomic.Pointer[mapset.Snapshot]
	l := newLoader(Options{Path: path, Compile: compile}, nil, nil, &current)
	paths, err := l.find()
	if err != nil {
		return nil, nil, err
	}
	b := l.read(paths, source.Read)
	l.apply(b)
	problems := make([]Problem, len(b.problems))
	for i, p := range b.problems {
		problems[i] = Problem{p.path, p.err}
	}
	return current.Load(), problems, nil
}
