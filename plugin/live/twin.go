package live

import (
	"maps"
	"reflect"
	"slices"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/state"
)

// A store whose options say ReadState is the twin of a server in another process: it
// judges what changes on disk as the server does, and begins with what the server has in
// force. The two can still part: the server may have seen a version that was overwritten
// before the twin read it. So the twin looks at what the server saves.

// readDurable opens the state of a server and returns what it has saved, as openDurable
// does.
func readDurable(opt Options, path string) (*durable, *state.Manifest) {
	d := &durable{dir: state.OpenToRead(opt.State, path)}
	m, err := d.dir.Load()
	switch {
	case err != nil:
		opt.Log.Errorf("%s: the state cannot be read: %v", opt.Path, err)
	case m == nil:
		opt.Log.Warningf("%s: %s holds no state of %s: write the map's path as the Corefile has it, with the directory of root in front", opt.Path, opt.State, path)
	}
	d.tellDamage(opt)
	d.found = m != nil
	return d, m
}

// HasState reports whether the server's state had a version of the map when the store was
// opened.
func (s *Store) HasState() bool { return s.loader.durable != nil && s.loader.durable.found }

// Overtaken reports whether the server has saved another version than the one in force
// here since the store was opened, and that for two calls: at the first, what has changed
// on disk may not have been read yet. Another store must be opened then, which begins with
// that version.
func (s *Store) Overtaken() bool {
	l := s.loader
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.durable
	if d == nil || !l.opt.ReadState {
		return false
	}
	if d.dir.Changed() {
		m, err := d.dir.Load()
		d.tellDamage(l.opt)
		if err != nil || m == nil {
			return false
		}
		d.other, d.looked = m.Documents, false
	}
	if d.other == nil || reflect.DeepEqual(d.other, l.inForce()) {
		d.other = nil
		return false
	}
	before := d.looked
	d.looked = true
	return before
}

// Version is what is in force at one moment.
type Version struct {
	Snapshot  *mapset.Snapshot
	ZoneFiles []ZoneFile // in the order of their documents
	Refused   []string   // paths of documents that are not in force as they are on disk, in order
}

// ZoneFile is the version of a zone file that is in force with its document.
type ZoneFile struct {
	Apex   fqdn.Name
	Path   string
	SHA256 state.Sum
	text   packed
}

// Text returns the text of the zone file.
func (z ZoneFile) Text() ([]byte, error) { return z.text.text() }

// Version returns what is in force.
func (s *Store) Version() Version {
	l := s.loader
	l.mu.Lock()
	defer l.mu.Unlock()
	v := Version{Snapshot: l.views.lead().Snapshot(), Refused: slices.Sorted(maps.Keys(l.troubles))}
	for _, path := range slices.Sorted(maps.Keys(l.docs)) {
		for _, z := range l.docs[path].zones {
			v.ZoneFiles = append(v.ZoneFiles, ZoneFile{z.apex, z.path, z.sum, z.text})
		}
	}
	return v
}
