package live

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/state"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// name is what a document is called in the state: nothing if it is the map
// itself, the name of its file in a directory.
func (l *loader) name(path string) string {
	if path == l.opt.Path {
		return ""
	}
	return filepath.Base(path)
}

// ofDirectory reports whether what was kept is of a directory.
func ofDirectory(m *state.Manifest) bool {
	return len(m.Documents) > 0 && m.Documents[0].Name != ""
}

// counters are what is added to the serials of zones, as an earlier run has left
// them.
type counters map[fqdn.Name]uint32

// goOn makes a snapshot go on from the counters where nothing of the earlier run is
// in force: nobody knows what its zones were, so that all count as changed.
func (c counters) goOn(next *mapset.Snapshot) {
	if c == nil {
		return
	}
	c.count(next)
	next.Resume(c)
}

// count counts the zones of a snapshot as changed.
func (c counters) count(s *mapset.Snapshot) {
	for _, z := range s.ProxiedZones() {
		c[z]++
	}
}

// raise gives what comes into force serials that are not below those that were saved
// by another process, or where the state is now.
func (l *loader) raise(saved map[string]uint32) {
	own := l.views.serials()
	raised := false
	for name, n := range saved {
		if z := fqdn.Name(name); n > own[z] {
			own[z], raised = n, true
			l.changed = append(l.changed, z)
		}
	}
	for _, v := range l.views {
		if raised && v.set != nil {
			v.set.Snapshot().Resume(own)
		}
	}
}

// restore compiles what was kept and puts it in force, for the map on disk to be
// judged against. What is damaged or refused today is logged, and costs no other
// document. It returns the documents that are wrong only beside others, as where
// the one with their anycast is lost.
func (l *loader) restore(m *state.Manifest) (waiting []group) {
	candidates, m := l.readSaved(m)
	v := verdict{sets: l.base()}
	waiting = l.admit(&v, l.linked((&batch{candidates: candidates}).changes()), true)
	for _, g := range v.refused {
		l.logRefusedToday(g)
	}
	l.counted = make(counters, len(m.Serials))
	for z, n := range m.Serials {
		l.counted[fqdn.Name(z)] = n
	}
	if len(v.accepted) == 0 {
		return waiting
	}
	lead := l.views.lead()
	lead.set = v.sets.lead()
	snap := lead.set.Snapshot()
	l.saved = strings.Split(m.Settings, "\n")
	if !slices.Contains(l.saved, l.opt.Settings) {
		l.counted.count(snap) // other addresses or TTLs than those that secondaries have
	}
	snap.Resume(l.counted)
	for _, c := range changesOf(v.accepted) {
		l.take(c.next)
	}
	l.publish()
	return waiting
}

// admitRestored puts those restored documents in force that can be now, beside what
// is on disk, and of which nothing better is.
func (l *loader) admitRestored(waiting []group) {
	var groups []group
	for _, g := range waiting {
		if _, known := l.docs[g.changes[0].path]; !known {
			groups = append(groups, g)
		}
	}
	v := verdict{sets: l.base()}
	left := l.admit(&v, groups, true)
	for _, g := range append(v.refused, left...) {
		l.logRefusedToday(g)
	}
	if len(v.accepted) > 0 {
		l.swap(v.sets, changesOf(v.accepted))
	}
}

func (l *loader) logRefusedToday(g group) {
	for _, c := range g.changes {
		l.opt.Log.Errorf("the last good version of %s in the state is refused today: %v", c.path, g.why(c))
	}
}

// readSaved reads the documents of m that are whole. Where another process writes the
// state, its texts may have gone since m was read: m is read anew then, and returned.
func (l *loader) readSaved(m *state.Manifest) ([]candidate, *state.Manifest) {
	dir := l.durable.dir
	for tries := 3; ; tries-- {
		var out []candidate
		var lost []error
		for _, doc := range m.Documents {
			c, err := l.savedCandidate(doc)
			if err == nil {
				out = append(out, c)
				continue
			}
			lost = append(lost, fmt.Errorf("%s: its last good version is not in the state any more: %w", filepath.Join(l.opt.Path, doc.Name), err))
		}
		if len(lost) > 0 && tries > 0 && !dir.Ready() {
			if next, err := dir.Load(); err == nil && next != nil && !reflect.DeepEqual(next, m) {
				m, _ = next, dir.Damage() // which was none
				continue
			}
		}
		l.durable.tellDamage(l.opt)
		for _, err := range lost {
			l.opt.Log.Errorf("%v", err)
		}
		return out, m
	}
}

// savedCandidate reads one document, and its zone files, from the state.
func (l *loader) savedCandidate(doc state.Document) (candidate, error) {
	path := l.opt.Path
	if doc.Name != "" {
		path = filepath.Join(path, doc.Name) // also if the directory is a file now
	}
	text, err := l.savedText(doc.Text, path)
	if err != nil {
		return candidate{}, err
	}
	parsed, errs := mapfile.Parse(path, text)
	if parsed == nil {
		return candidate{}, errs.Err()
	}
	c := candidate{path: path, sum: doc.Text, text: text, errs: errs}
	c.src = mapset.Source{Doc: parsed, ZoneFiles: make(map[fqdn.Name]*zonefile.Zone)}
	files := make(map[fqdn.Name]string)
	l.eachZoneFile(parsed, func(z *mapfile.Zone, path string) { files[z.Name] = path })
	h := sha256.New()
	h.Write(doc.Text[:])
	for _, z := range doc.ZoneFiles {
		file := files[fqdn.Name(z.Name)]
		text, err := l.savedText(z.Text, file)
		if err != nil {
			return candidate{}, err
		}
		zone, err := zonefile.Parse(z.Name, text, fqdn.Name(z.Name))
		if err != nil {
			return candidate{}, err
		}
		c.src.ZoneFiles[zone.Apex] = zone
		c.zones = append(c.zones, savedZone{zone.Apex, file, z.Text, pack(text)})
		h.Write(z.Text[:])
	}
	h.Sum(c.digest[:0])
	return c, nil
}

// savedText reads a text from the state, or from the file it was of if that is the
// same still.
func (l *loader) savedText(sum state.Sum, path string) ([]byte, error) {
	text, err := l.durable.dir.Read(sum)
	if err == nil {
		return text, nil
	}
	if same, ok := readSame(path, sum); ok {
		return same, nil
	}
	return nil, err
}

// readSame reads a file that has the digest.
func readSame(path string, sum state.Sum) ([]byte, bool) {
	text, err := source.Read(path, maxBytes)
	return text, err == nil && sha256.Sum256(text) == sum
}
