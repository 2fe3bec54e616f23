package live

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/state"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// durable keeps what is in force across restarts. A nil durable keeps nothing.
type durable struct {
	dir   *state.Dir
	saved map[string]state.Document // :: path → the document in force
	texts map[state.Sum][]byte      // read and not kept yet
}

// openDurable opens the state directory and returns what was kept there last,
// nil if nothing ever was.
func openDurable(opt Options) (*durable, *state.Manifest, error) {
	if opt.State == "" {
		return nil, nil, nil
	}
	dir, err := state.Open(opt.State, opt.Owner)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot use the state: %w", err)
	}
	d := &durable{dir: dir, saved: make(map[string]state.Document), texts: make(map[state.Sum][]byte)}
	m, err := dir.Load()
	if err != nil {
		_ = dir.Close() // the error that counts is the other one
		return nil, nil, fmt.Errorf("cannot use the state: %w", err)
	}
	return d, m, nil
}

// note remembers a text until it is kept. d may be nil.
func (d *durable) note(sum [sha256.Size]byte, text []byte) {
	if d != nil {
		d.texts[state.Sum(sum)] = text
	}
}

// accept notes that a candidate is in force under a name, to be kept by
// [loader.persist].
func (d *durable) accept(name string, c candidate) {
	if d == nil {
		return
	}
	doc := state.Document{Name: name, Text: state.Sum(c.sum)}
	for _, z := range c.zones {
		doc.ZoneFiles = append(doc.ZoneFiles, state.ZoneFile{Name: string(z.apex), Text: state.Sum(z.sum)})
	}
	d.saved[c.path] = doc
}

// drop notes that a document is no longer in force.
func (d *durable) drop(path string) {
	if d != nil {
		delete(d.saved, path)
	}
}

// persist keeps what comes into force. If it cannot, that is logged, and the next
// version is kept with what this one lacks.
func (l *loader) persist() {
	d := l.durable
	if d == nil {
		return
	}
	m := &state.Manifest{Settings: strings.Join(l.views.settings(), "\n"), Serials: make(map[string]uint32)}
	needed := make(map[state.Sum]bool)
	for _, p := range slices.Sorted(maps.Keys(d.saved)) {
		doc := d.saved[p]
		m.Documents = append(m.Documents, doc)
		needed[doc.Text] = true
		for _, z := range doc.ZoneFiles {
			needed[z.Text] = true
		}
	}
	for z, n := range l.views.serials() {
		m.Serials[string(z)] = n
	}
	var texts [][]byte
	for sum, text := range d.texts {
		if needed[sum] {
			texts = append(texts, text)
		}
	}
	_, err := d.dir.PutAll(texts)
	if err == nil {
		err = d.dir.Save(m)
	}
	if err != nil {
		l.opt.Log.Errorf("%s comes into force and could not be kept for the next start: %v", l.opt.Path, err)
		return
	}
	// A zone file of a refused document will not be read again before it
	// changes: its text stays for when the document is accepted.
	refused := make(map[state.Sum]bool)
	for _, z := range l.zones {
		refused[state.Sum(z.sum)] = true
	}
	maps.DeleteFunc(d.texts, func(sum state.Sum, _ []byte) bool { return needed[sum] || !refused[sum] })
}

// name is what a document is called in the state: nothing if it is the map
// itself, the name of its file in a directory.
func (l *loader) name(path string) string {
	if !l.dir {
		return ""
	}
	return filepath.Base(path)
}

// ofDirectory reports whether what was kept is of a directory.
func ofDirectory(m *state.Manifest) bool {
	return len(m.Documents) > 0 && m.Documents[0].Name != ""
}

// restore compiles what was kept and puts it in force, for the map on disk to be
// judged against.
func (l *loader) restore(m *state.Manifest) error {
	var candidates []candidate
	var changes []change
	for _, doc := range m.Documents {
		c, err := l.kept(doc)
		if err != nil {
			return err
		}
		candidates = append(candidates, c)
		changes = append(changes, change{c.path, &c})
	}
	set, errs := compile(mapset.NewSet(l.views.lead().compile), changes)
	if err := errs.Err(); err != nil {
		return err
	}
	counters := make(map[fqdn.Name]uint32, len(m.Serials))
	for z, n := range m.Serials {
		counters[fqdn.Name(z)] = n
	}
	snap := set.Snapshot()
	l.known = strings.Split(m.Settings, "\n")
	if !slices.Contains(l.known, l.opt.Settings) {
		l.known = append(l.known, l.opt.Settings)
		for _, z := range snap.ProxiedZones() {
			counters[z]++ // other addresses or TTLs than those that secondaries have
		}
	}
	snap.Resume(counters)
	l.take(candidates)
	l.views.lead().set = set
	l.views.lead().snapshot.Store(snap)
	return nil
}

// kept reads one document, and its zone files, from the state.
func (l *loader) kept(doc state.Document) (candidate, error) {
	path := l.opt.Path
	if doc.Name != "" {
		path = filepath.Join(path, doc.Name) // also if the directory is a file now
	}
	text, err := l.durable.dir.Read(doc.Text)
	if err != nil {
		return candidate{}, err
	}
	parsed, errs := mapfile.Parse(path, text)
	if parsed == nil {
		return candidate{}, errs.Err()
	}
	c := candidate{path: path, sum: doc.Text, errs: errs}
	c.src = mapset.Source{Doc: parsed, ZoneFiles: make(map[fqdn.Name]*zonefile.Zone)}
	h := sha256.New()
	h.Write(doc.Text[:])
	for _, z := range doc.ZoneFiles {
		text, err := l.durable.dir.Read(z.Text)
		if err != nil {
			return candidate{}, err
		}
		zone, err := zonefile.Parse(z.Name, text, fqdn.Name(z.Name))
		if err != nil {
			return candidate{}, err
		}
		c.src.ZoneFiles[zone.Apex] = zone
		c.zones = append(c.zones, keptZone{zone.Apex, z.Text})
		h.Write(z.Text[:])
	}
	h.Sum(c.digest[:0])
	return c, nil
}
