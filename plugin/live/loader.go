package live

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/source/etcd"
	"github.com/addressmap/addressmap/plugin/state"
)

// loader brings documents into force.
type loader struct {
	mu         sync.Mutex // held while documents are loaded, and to use any of what follows
	opt        Options
	dir        bool
	watch      *source.Watcher
	keys       *etcd.Source // of a map in etcd; nil for files
	pushed     bool         // the change under way was judged where it was pushed
	push       int64        // the last push that is wholly in force
	views      views
	saved      []string // the settings of an earlier run, which secondaries have seen
	durable    *durable
	drains     drains
	docs       map[string]document // :: path → the version in force
	order      []string            // the paths of docs, sorted; nil if not known
	names      map[string][]string // :: path → the zone files it named when last read
	zones      map[string]zoneFile // :: path → as last read
	troubles   map[string]trouble  // :: path → why it is not in force as it is on disk
	shut       shut
	absent     absent
	moving     map[string]time.Time // :: path → since when it lets go of what nobody takes
	waits      patience
	judged     time.Time   // when it was last decided which of the absent documents are removed
	remind     bool        // of what is not in force as it is on disk, with the next report
	warned     bool        // of a start that may need more memory than there is
	differs    time.Time   // since when what is in force is not what is on disk; zero if it is
	wake       func()      // has what is missing or refused looked at again; nil for never
	changed    []fqdn.Name // the zones that answer differently, since the last report
	counted    counters    // of an earlier run, for the first version in force to go on from
	startUntil time.Time   // until when the start waits for files that are being written
}

// document is the version of a document that is in force.
type document struct {
	digest digest    // of its bytes and those of its zone files
	sum    state.Sum // of its bytes alone
	text   packed
	zones  []savedZone
}

// trouble is why a document is not in force as it is on disk.
type trouble struct {
	version digest
	said    []string // of that version
}

// digest tells versions of a document apart. The zero digest is of none.
type digest [sha256.Size]byte

func newLoader(opt Options, w *source.Watcher, kept *durable) *loader {
	first := &View{Current: new(Current), compile: opt.Compile, settings: opt.Settings}
	return &loader{
		opt: opt, watch: w, durable: kept, views: views{first}, drains: newDrains(),
		docs:     make(map[string]document),
		names:    make(map[string][]string),
		zones:    make(map[string]zoneFile),
		troubles: make(map[string]trouble),
		shut:     make(shut),
		waits:    waits,
	}
}

// snapshot returns what is in force, by the options of the first view and without what
// drains and closed documents do to it; nil if nothing is.
func (l *loader) snapshot() *mapset.Snapshot {
	if set := l.views.lead().set; set != nil {
		return set.Snapshot()
	}
	return nil
}

// start loads everything for the first time. In a directory, the documents that
// are good come into force, if there is any. m is what was kept of an earlier
// run, or nil.
func (l *loader) start(m *state.Manifest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	begin := time.Now()
	if m != nil {
		l.dir = ofDirectory(m)
	}
	paths, err := l.list()
	if err != nil && m == nil {
		return err
	}
	l.startDrains(m)
	var waiting []group
	if m != nil {
		waiting = l.restore(m)
		for p := range l.docs {
			paths = append(paths, p) // it may be gone from the directory
		}
		slices.Sort(paths)
		paths = slices.Compact(paths)
	}
	before := l.snapshot()
	l.rewatch()
	b := l.read(paths, l.readFirst)
	if err != nil && l.keys != nil {
		b.problems = append(b.problems, problem{path: l.opt.Path, err: err, result: Failed})
	}
	l.apply(b)
	l.admitRestored(waiting)
	l.pushed = false
	if l.snapshot() == nil {
		errs := []error{err}
		for _, p := range b.problems {
			errs = append(errs, p.err)
		}
		return fmt.Errorf("the map is refused:\n%w", errors.Join(errs...))
	}
	result := OK
	if l.snapshot() == before {
		if len(b.problems) > 0 {
			result = b.problems[0].result
		}
		l.persist() // what is kept may be of other settings
	}
	l.shutOut(b)
	l.report(b, nil, begin, result)
	return nil
}

// list returns the paths of the documents, and notes whether they are those of a
// directory. If there are none, what the map was last is what it is.
func (l *loader) list() ([]string, error) {
	if l.keys != nil {
		return l.listKeys()
	}
	info, err := os.Stat(l.opt.Path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the map: %w", err)
	}
	if !info.IsDir() {
		l.dir = false
		return []string{l.opt.Path}, nil
	}
	paths, err := source.List(l.opt.Path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the map: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("the map %q is a directory without documents: put a *.yaml, *.yml or *.json file there", l.opt.Path)
	}
	l.dir = true
	return paths, nil
}

// change loads what may have changed. pushed says that it was judged where it was pushed,
// so that P1 to P5 say nothing about it.
func (l *loader) change(c source.Change, pushed bool) { l.load(c, pushed, l.affected) }

// load is change for the documents that a function says are affected by these files.
func (l *loader) load(c source.Change, pushed bool, affected func(files []string) []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pushed = pushed
	defer func() { l.pushed = false }()
	before, set, shut := l.snapshot(), l.views.lead().set, l.closed()
	b := l.read(affected(c.Paths), l.watch.Read)
	l.holdBack(b)
	l.apply(b)
	l.reopen(b, shut)
	result := Unchanged
	switch {
	case l.views.lead().set != set:
		result = OK
	case len(b.problems) > 0:
		result = b.problems[0].result
	case b.unsettled, len(l.moving) > 0:
		return // It will be looked at again.
	}
	l.report(b, before, c.Noticed, result)
}

// affected returns the documents that a change of these files may bring into
// force: the documents among them, those of which zone files have to be read anew, and
// those that were refused: what they were in conflict with may be gone.
func (l *loader) affected(paths []string) []string {
	changed := make(map[string]bool)
	for _, p := range paths {
		changed[p] = true
		delete(l.zones, p)
	}
	out := make(map[string]struct{})
	for doc, names := range l.names {
		if slices.ContainsFunc(names, func(n string) bool { _, read := l.zones[n]; return !read }) {
			out[doc] = struct{}{}
		}
	}
	for p := range l.troubles {
		out[p] = struct{}{}
	}
	for p := range l.moving {
		out[p] = struct{}{}
	}
	for p := range l.absent { // Its accounts may have moved to one of the others.
		out[p] = struct{}{}
	}
	if l.wasMissing() { // Any document may be gone since, or back.
		delete(out, l.opt.Path)
		for p := range l.docs {
			out[p] = struct{}{}
		}
	}
	for p := range changed {
		if !l.dir && p == l.opt.Path || l.dir && filepath.Dir(p) == filepath.Clean(l.opt.Path) && source.IsDocument(filepath.Base(p)) {
			out[p] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// rewatch watches the map and the zone files that its documents name.
func (l *loader) rewatch() {
	if l.watch == nil {
		return
	}
	var paths []string
	if l.keys == nil {
		paths = append(paths, l.opt.Path)
	}
	named := make(map[string]bool)
	for _, names := range l.names {
		for _, n := range names {
			paths, named[n] = append(paths, n), true
		}
	}
	l.watch.Set(paths)
	maps.DeleteFunc(l.zones, func(p string, _ zoneFile) bool { return !named[p] }) // it may change unseen
}

// sum is the digest of what is in force, in hexadecimal.
func (l *loader) sum() string {
	if !l.dir {
		sum := l.docs[l.opt.Path].sum
		return hex.EncodeToString(sum[:])
	}
	if l.order == nil {
		l.order = slices.Sorted(maps.Keys(l.docs))
	}
	all := sha256.New()
	var line []byte
	for _, p := range l.order {
		sum := l.docs[p].sum
		line = append(append(append(line[:0], sum[:]...), filepath.Base(p)...), '\n')
		all.Write(line)
	}
	return hex.EncodeToString(all.Sum(nil))
}
