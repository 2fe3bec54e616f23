package live

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/source/etcd"
	"github.com/addressmap/addressmap/plugin/state"
)

// A map in etcd is a directory whose documents are keys. A version that was pushed was judged
// by P1 to P5 where it was pushed, and is whole: the loader waits for nothing then. What was
// put by other means is taken as files are, of which the next one may be on its way.

// openKeys connects to the map in etcd; nil if the map is files. What was kept of it is in
// force already.
func openKeys(opt Options, kept *durable, m *state.Manifest) (*etcd.Source, error) {
	if !fleet.IsMap(opt.Path) {
		return nil, nil
	}
	at, err := fleet.ParseMap(opt.Path)
	if err != nil {
		return nil, err
	}
	o := opt.Etcd
	o.Map, o.Look, o.Log = at, opt.Poll, opt.Log.Warningf
	if m != nil {
		o.Documents, o.Position = make(map[string][]byte), etcd.ParsePosition(m.Source)
		for _, doc := range m.Documents {
			text, err := kept.dir.Read(doc.Text)
			if err != nil {
				o.Position = etcd.Position{} // What is lost may come from any store.
				continue
			}
			o.Documents[doc.Name] = text
		}
		o.Drains = savedKeyDrains(at, kept, m)
	}
	return etcd.New(o), nil
}

// listKeys lists the documents in etcd for the first time, and waits for etcd if it does
// not answer: then the documents are those of the state. So they are where the store went
// back since they were saved.
func (l *loader) listKeys() (paths []string, err error) {
	l.dir = true
	if err := l.keys.Await(time.Now().Add(startPatience)); err != nil {
		return l.sortedKeys(), fmt.Errorf("cannot read the map: %w", err)
	}
	l.pushed = l.keys.Take().Judged
	if paths = l.sortedKeys(); len(paths) == 0 {
		return nil, fmt.Errorf("the map %q holds no documents: addressmap push DIR --to %s puts them there", l.opt.Path, l.opt.Path)
	}
	return paths, nil
}

func (l *loader) sortedKeys() []string {
	paths := l.keys.List()
	slices.Sort(paths)
	return paths
}

// listDocuments returns the paths of the documents of a map that is a directory, in order.
func (l *loader) listDocuments() ([]string, error) {
	switch {
	case l.keys != nil:
		if err := l.keys.Await(time.Now()); err != nil {
			return nil, err
		}
		return l.sortedKeys(), nil
	case l.watch != nil:
		return l.watch.List(l.opt.Path) // which names the directory again if it cannot be read
	}
	return source.List(l.opt.Path)
}

// documentReader returns what reads documents where readFile reads files.
func (l *loader) documentReader(readFile readFunc) readFunc {
	if l.keys == nil {
		return readFile
	}
	return func(path string, _ int64) ([]byte, error) { return l.keys.Read(path) }
}

// takeKeys loads what has changed in etcd, and looks at everything if etcd was away at the
// start.
func (l *loader) takeKeys() {
	c := l.keys.Take()
	l.keyDrainsChanged()
	if c.Alone { // What was refused before is not judged by it, but tried again then.
		l.load(c.Change, true, func(paths []string) []string { return paths })
		c.Paths, c.Judged = nil, false
	}
	if c.Alone || len(c.Paths) > 0 || c.Judged || l.wasAway() { // What was refused here may have been pushed as it is.
		l.change(c.Change, c.Judged)
		l.keepPosition()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report(&batch{}, l.snapshot(), time.Now(), NoLoad)
}

func (l *loader) wasAway() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wasMissing()
}

// keepPosition keeps where the documents are from, also if none of them has changed: a
// store that went back after a restart is known by it.
func (l *loader) keepPosition() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.durable; d != nil && d.source != l.keys.Position().String() {
		l.persist()
	}
}

// keysStatus returns how etcd is, with the last push that is wholly in force; nil for
// files.
func (l *loader) keysStatus() *etcd.Status {
	if l.keys == nil {
		return nil
	}
	st := l.keys.Status()
	if len(l.troubles) == 0 {
		l.push = st.Push
	}
	st.Push = l.push
	return &st
}

// announce tells the fleet what is in force. sum is the digest of the documents.
func (l *loader) announce(sum string, degraded bool) {
	if l.keys == nil {
		return
	}
	now := fleet.Server{
		Push: l.push, Digest: l.withZoneFiles(sum),
		Degraded: degraded, Why: l.why(), Since: time.Now().UTC().Truncate(time.Second),
	}
	if now.Digest != sum {
		now.Documents = sum
	}
	l.keys.Announce(now)
}

// why says in a few words why what is in force is not what is in etcd.
func (l *loader) why() string {
	var out []string
	if l.keys.Status().Back != nil {
		out = append(out, fleet.WentBack)
	}
	if names := slices.Sorted(maps.Keys(l.drains.troubles)); len(names) > 0 {
		out = append(out, "drains not in force: "+strings.Join(names[:min(3, len(names))], ", "))
	}
	if names := slices.Sorted(maps.Keys(l.troubles)); len(names) > 0 {
		more := ""
		if len(names) > 3 {
			more = fmt.Sprintf(" and %d more", len(names)-3)
		}
		for i, n := range names {
			names[i] = filepath.Base(n)
		}
		out = append(out, "refused: "+strings.Join(names[:min(3, len(names))], ", ")+more)
	}
	if l.durable.failing() {
		out = append(out, "the state cannot be written")
	}
	return strings.Join(out, "; ")
}

// withZoneFiles returns the digest of the documents in force and of the zone files that
// they use: without those, that of the documents.
func (l *loader) withZoneFiles(sum string) string {
	all, used := sha256.New(), false
	all.Write([]byte(sum))
	for _, p := range slices.Sorted(maps.Keys(l.docs)) {
		for _, z := range l.docs[p].zones {
			used = true
			all.Write(z.sum[:])
		}
	}
	if !used {
		return sum
	}
	return hex.EncodeToString(all.Sum(nil))
}

// zoneFileIn returns the path of a zone file that a document in etcd names: in the first
// of the directories that has it.
func zoneFileIn(dirs []string, name string) string {
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if len(dirs) == 0 {
		return filepath.Clean(name)
	}
	return filepath.Join(dirs[0], name)
}
