package live

import (
	"time"

	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
)

// Problem is why a document would not come into force.
type Problem struct {
	Path string // of the document
	Err  error  // [mapfile.Errors] unless the document cannot be read
}

// Checked is a map that was loaded once.
type Checked struct {
	Snapshot *mapset.Snapshot // what would come into force; nil if nothing would
	Sources  []mapset.Source  // the documents it was made of
	Problems []Problem        // of all documents
	SHA256   string           // of Sources, as in [Load]
}

// checkPatience is for how long Check waits for files that are being written. It is
// longer than they take to settle where the system does not tell who has one open.
const checkPatience = time.Second

// Check loads a map once, as Open does at a cold start, and watches nothing. Of the
// options, Path, Compile and ZoneFiles count. The error is that of a map that cannot
// be read at all. A file that is being written is a problem.
func Check(opt Options) (*Checked, error) {
	opt.Log = nobody{} // the problems say it
	l := newLoader(opt, nil, nil)
	keys, err := openKeys(opt, nil, nil)
	if err != nil {
		return nil, err
	}
	defer keys.Close()
	l.keys = keys
	paths, err := l.list()
	if err != nil {
		return nil, err
	}
	return l.check(paths, awaiting(checkPatience)), nil
}

// CheckText is Check for one document, opt.Path, of files that are not as they are to be
// yet: textOf returns the text of a file that is read in the place of its content, if
// there is one.
func CheckText(opt Options, textOf func(path string) ([]byte, bool)) *Checked {
	opt.Log = nobody{}
	readFile := awaiting(checkPatience)
	return newLoader(opt, nil, nil).check([]string{opt.Path}, func(path string, limit int64) ([]byte, error) {
		if text, ok := textOf(path); ok {
			return text, nil
		}
		return readFile(path, limit)
	})
}

// awaiting returns a function that reads files and waits for those that are being
// written, for patience at most, all together.
func awaiting(patience time.Duration) readFunc {
	until := time.Now().Add(patience)
	return func(path string, limit int64) ([]byte, error) { return source.Await(path, limit, until) }
}

// check loads documents for the first time.
func (l *loader) check(paths []string, readFile readFunc) *Checked {
	b := l.read(paths, readFile)
	l.apply(b)
	l.shutOut(b)
	out := &Checked{Snapshot: l.views.lead().Snapshot(), SHA256: l.sum()}
	for _, c := range b.candidates {
		if _, inForce := l.docs[c.path]; inForce {
			out.Sources = append(out.Sources, c.src)
		}
	}
	for _, p := range b.problems {
		out.Problems = append(out.Problems, Problem{p.path, p.err})
	}
	return out
}

// nobody is a Logger that keeps nothing.
type nobody struct{}

func (nobody) Infof(string, ...any)    {}
func (nobody) Warningf(string, ...any) {}
func (nobody) Errorf(string, ...any)   {}
