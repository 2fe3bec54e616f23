package live

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/state"
)

// lookAtDrains is how often it is looked at which drains are in force, but for tests. A
// timer for each would miss the steps of the clock.
var lookAtDrains = time.Second

// drains are the files of drains of a store. Each is accepted or refused alone: one that is
// refused or cannot be read leaves its last good entries, and one that is gone ends them.
type drains struct {
	path     string          // of the file, or a directory of files; "" for none
	watch    *source.Watcher // of path; nil for none
	dir      bool            // path was a directory when it was last there
	files    map[string]drainFile
	troubles map[string]trouble // :: path → why it is not in force as it is
	clock    func() time.Time
	inForce  []drain.Drain
	ignored  map[string]bool // what was said of drains that are ignored
}

// drainFile is the last good version of a file of drains.
type drainFile struct {
	sum    state.Sum
	text   packed
	drains []drain.Drain
}

func newDrains() drains {
	return drains{files: make(map[string]drainFile), troubles: make(map[string]trouble), clock: time.Now}
}

// close ends the watching.
func (d *drains) close() error {
	if d.watch == nil {
		return nil
	}
	return d.watch.Close()
}

// owns reports whether the file is the one of the options, or in their directory.
func (d *drains) owns(path string) bool {
	return d.path != "" && !fleet.IsMap(path) && (path == d.path || filepath.Dir(path) == filepath.Clean(d.path))
}

// followDrains makes path the one that drains are read from, and reads them. kept is what
// an earlier run had of the files.
func (l *loader) followDrains(path string, kept []state.Document) {
	d := &l.drains
	if err := d.close(); err != nil {
		l.opt.Log.Errorf("closing the drains %s: %v", d.path, err)
	}
	maps.DeleteFunc(d.files, func(p string, _ drainFile) bool { return d.owns(p) })
	maps.DeleteFunc(d.troubles, func(p string, _ trouble) bool { return d.owns(p) })
	d.path, d.watch, d.dir = path, nil, path != "" && !source.IsDocument(filepath.Base(path))
	l.restoreDrains(kept)
	if path == "" {
		return
	}
	d.watch = source.New(source.Options{Poll: l.opt.Poll, Log: l.opt.Log.Warningf})
	d.watch.Set([]string{path})
	read := d.watch.Read
	if l.snapshot() == nil {
		read = func(path string, limit int64) ([]byte, error) { return d.watch.Await(path, limit, l.startEnds()) }
	}
	l.readDrains(func(string) bool { return true }, read)
	_, there := d.files[path]
	if _, troubled := d.troubles[path]; !there && !troubled && !d.dir {
		l.opt.Log.Warningf("%s: there is no such file: nothing is drained until there is", path)
	}
}

// restoreDrains takes files of drains from the state.
func (l *loader) restoreDrains(kept []state.Document) {
	for _, file := range kept {
		if !l.drains.owns(file.Name) && (l.keys == nil || l.keys.DrainsPath(filepath.Base(file.Name)) != file.Name) {
			continue // The Corefile names others today.
		}
		text, err := l.durable.dir.Read(file.Text)
		if err != nil {
			l.opt.Log.Errorf("%s: its last good drains are not in the state any more: %v", file.Name, err)
			continue
		}
		entries, errs := drain.Parse(file.Name, text)
		if len(errs) > 0 {
			l.opt.Log.Errorf("the last good drains of %s in the state are refused today: %v", file.Name, errs)
			continue
		}
		l.drains.files[file.Name] = drainFile{file.Text, pack(text), entries}
		l.drains.dir = l.drains.dir || l.drains.owns(file.Name) && file.Name != l.drains.path
	}
}

// listDrains returns the paths of the files. A directory that is missing cannot be read: it
// may be a mount.
func (l *loader) listDrains() ([]string, error) {
	d := &l.drains
	info, err := os.Stat(d.path)
	switch {
	case err == nil && !info.IsDir(), errors.Is(err, fs.ErrNotExist) && !d.dir:
		d.dir = false
		return []string{d.path}, nil
	case err != nil:
		return nil, err
	}
	d.dir = true
	return d.watch.List(d.path)
}

// readDrains reads the files that may have changed, and those that are new, gone or in
// trouble.
func (l *loader) readDrains(changed func(path string) bool, readFile readFunc) {
	d := &l.drains
	listed, err := l.listDrains()
	if err != nil {
		l.troubleOfDrains(d.path, digest{}, fmt.Errorf("cannot read the drains: %w", err))
		return
	}
	if d.dir {
		delete(d.troubles, d.path)
	}
	paths := slices.DeleteFunc(slices.Clone(listed), func(p string) bool {
		_, known := d.files[p]
		_, troubled := d.troubles[p]
		return known && !troubled && !changed(p)
	})
	for _, p := range slices.Concat(slices.Collect(maps.Keys(d.files)), slices.Collect(maps.Keys(d.troubles))) {
		if d.owns(p) && !slices.Contains(listed, p) && !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	for _, p := range paths {
		l.readDrainFile(p, readFile)
	}
}

func (l *loader) readDrainFile(path string, readFile readFunc) {
	text, err := readFile(path, drain.MaxFile)
	_, above := os.Stat(filepath.Dir(path))
	switch {
	case errors.Is(err, source.ErrUnsettled): // It will be named again.
	case errors.Is(err, fs.ErrNotExist) && above == nil:
		l.endDrains(path)
	case err != nil:
		l.troubleOfDrains(path, digest{}, fmt.Errorf("cannot read the drains: %w", err))
	default:
		l.takeDrains(path, text)
	}
}

// endDrains forgets a file that is gone.
func (l *loader) endDrains(path string) {
	if _, known := l.drains.files[path]; known {
		l.opt.Log.Infof("%s is gone: its drains end", path)
	}
	delete(l.drains.files, path)
	delete(l.drains.troubles, path)
}

// takeDrains takes the content of a file, if it is good.
func (l *loader) takeDrains(path string, text []byte) {
	d, sum := &l.drains, sha256.Sum256(text)
	if was, known := d.files[path]; known && was.sum == sum {
		delete(d.troubles, path)
		return
	}
	entries, errs := drain.Parse(path, text)
	if len(errs) > 0 {
		l.troubleOfDrains(path, sum, errs)
		return
	}
	d.files[path] = drainFile{sum, pack(text), entries}
	delete(d.troubles, path)
}

// troubleOfDrains notes why a file is not in force as it is, and says so once.
func (l *loader) troubleOfDrains(path string, version digest, err error) {
	t := l.drains.troubles[path]
	if t.version != version {
		t = trouble{version: version}
	}
	if err := t.say(partsOf(err)); err != nil {
		l.opt.Log.Errorf("%s is not in force, its last good drains stay until they end: %s", path, err)
	}
	l.drains.troubles[path] = t
}

// drainsChanged takes what a watcher has named.
func (l *loader) drainsChanged(c source.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drains.watch == nil { // The Corefile has named others meanwhile.
		return
	}
	changed := func(p string) bool { return slices.Contains(c.Paths, p) }
	l.updateDrains(func() { l.readDrains(changed, l.drains.watch.Read) })
}

// takeDrainKeys takes what etcd has of files of drains.
func (l *loader) takeDrainKeys() {
	now := make(map[string][]byte)
	for name, text := range l.keys.Drains() {
		now[l.keys.DrainsPath(name)] = text
	}
	for _, known := range [][]string{slices.Collect(maps.Keys(l.drains.files)), slices.Collect(maps.Keys(l.drains.troubles))} {
		for _, p := range known {
			if _, is := now[p]; !is && fleet.IsMap(p) {
				l.endDrains(p)
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(now)) {
		if t, troubled := l.drains.troubles[p]; !troubled || t.version != digest(sha256.Sum256(now[p])) {
			l.takeDrains(p, now[p])
		}
	}
}

// updateDrains has files of drains read, and puts in force and in the state what comes of it.
func (l *loader) updateDrains(read func()) {
	begin := time.Now()
	files, troubles := maps.Clone(l.drains.files), len(l.drains.troubles)
	read()
	changed := !maps.EqualFunc(files, l.drains.files, func(a, b drainFile) bool { return a.sum == b.sum })
	inForce := l.redrain()
	if changed && !inForce {
		l.persist()
	}
	if inForce || troubles != len(l.drains.troubles) {
		l.report(&batch{}, l.snapshot(), begin, NoLoad)
	}
}

// lookAtClock puts in force what drains are by the clock of now.
func (l *loader) lookAtClock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.updateDrains(l.retryDrains)
}

// retryDrains reads what could not be read. The watcher names no file that went with its
// directory and is not in the one that has come back.
func (l *loader) retryDrains() {
	if t, troubled := l.drains.troubles[l.drains.path]; troubled && t.version == (digest{}) && l.drains.watch != nil {
		l.readDrains(func(string) bool { return false }, l.drains.watch.Read)
	}
}

// redrain puts the drains in force that are by now, and reports whether they are others.
func (l *loader) redrain() bool {
	d, was := &l.drains, l.drains.inForce
	var all []drain.Drain
	for _, path := range slices.Sorted(maps.Keys(d.files)) {
		all = append(all, d.files[path].drains...)
	}
	d.inForce = drain.InForce(all, d.clock())
	begun, ended := drainsBeside(d.inForce, was), drainsBeside(was, d.inForce)
	firstOf(begun, func(one drain.Drain) {
		l.opt.Log.Infof("%s: drain in force until %s: %s (%s)", l.opt.Path, one.Until.Format(time.RFC3339), one, one.Source)
	}, func(more int) { l.opt.Log.Infof("%s: drain in force: %d more", l.opt.Path, more) })
	firstOf(ended, func(one drain.Drain) {
		l.opt.Log.Infof("%s: drain ended: %s", l.opt.Path, one)
	}, func(more int) { l.opt.Log.Infof("%s: drain ended: %d more", l.opt.Path, more) })
	if len(begun) == 0 && len(ended) == 0 {
		return false
	}
	if l.snapshot() != nil { // else it is the start
		l.bring(begun)
	}
	return true
}

// namedInLog is how many drains have a line each in the log if many begin, end or are
// ignored at one moment: a file can have thousands of them.
const namedInLog = 10

// firstOf calls name for the first of a list, and rest with how many more there are, if any.
func firstOf[T any](list []T, name func(T), rest func(more int)) {
	for _, one := range list[:min(len(list), namedInLog)] {
		name(one)
	}
	if more := len(list) - namedInLog; more > 0 {
		rest(more)
	}
}

// drainsBeside returns those of drains that are not among others. Of a drain that is only
// moved in its file, or given more time, nothing ends and nothing begins.
func drainsBeside(drains, others []drain.Drain) (out []drain.Drain) {
	identity := func(d drain.Drain) string {
		return fmt.Sprintf("%q", []any{d.Addresses, d.Site, d.Map, d.Reason, d.By})
	}
	known := make(map[string]bool, len(others))
	for _, d := range others {
		known[identity(d)] = true
	}
	for _, d := range drains {
		if !known[identity(d)] {
			out = append(out, d)
		}
	}
	return out
}

// saved returns the files as a manifest names them, and adds their texts to others.
func (d *drains) saved(texts map[state.Sum]packed) (out []state.Document) {
	for _, path := range slices.Sorted(maps.Keys(d.files)) {
		file := d.files[path]
		out = append(out, state.Document{Name: path, Text: file.sum})
		texts[file.sum] = file.text
	}
	return out
}

// drainChanges returns the channel of changes of the files.
func (l *loader) drainChanges() <-chan source.Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drains.watch == nil {
		return nil
	}
	return l.drains.watch.Changes()
}

// startDrains puts drains in force before anything else is: those of etcd, and those of
// files, on top of what an earlier run had.
func (l *loader) startDrains(m *state.Manifest) {
	var kept []state.Document
	if m != nil {
		kept = m.Drains
	}
	l.followDrains(l.opt.Drains, kept)
	if l.keys != nil {
		l.takeDrainKeys()
	}
	l.redrain()
}

// keyDrainsChanged takes what has changed in etcd.
func (l *loader) keyDrainsChanged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.updateDrains(l.takeDrainKeys)
}

// savedKeyDrains returns the files of drains in etcd that an earlier run had, by their names.
func savedKeyDrains(at fleet.Map, kept *durable, m *state.Manifest) map[string][]byte {
	out := make(map[string][]byte)
	for _, file := range m.Drains {
		name, is := strings.CutPrefix(file.Name, fleet.Scheme+at.Drains())
		if !is {
			continue
		}
		if text, err := kept.dir.Read(file.Text); err == nil { // else it is said when it is restored
			out[name] = text
		}
	}
	return out
}
