package live

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// maxBytes is the largest file that is read. A document of a million names has
// about 40 MB.
const maxBytes = 256 << 20

// batch is what was read of the documents that may have changed.
type batch struct {
	candidates []candidate
	gone       []string // documents that are no longer in the directory
	problems   []problem
	settled    []string // documents that are on disk as they are in force, or not there
	unsettled  bool     // one is being written: it will be named again
}

// candidate is a version of a document that is not in force yet.
type candidate struct {
	path   string
	digest digest
	sum    [sha256.Size]byte // of the document alone
	src    mapset.Source
	zones  []keptZone     // the zone files it names
	errs   mapfile.Errors // what is wrong with it by itself
}

// keptZone is which content of a zone file belongs to a version of a document.
type keptZone struct {
	apex fqdn.Name
	sum  [sha256.Size]byte
}

// problem is why a document is not in force as it is on disk.
type problem struct {
	path    string
	err     error
	result  Result
	version digest // that was found wrong; the zero one if none could be read
}

// zoneFile is a zone file as last read.
type zoneFile struct {
	apex fqdn.Name
	zone *zonefile.Zone
	err  error
	sum  [sha256.Size]byte
}

// readFunc reads a whole file of at most limit bytes.
type readFunc func(path string, limit int64) ([]byte, error)

// read reads documents and the zone files that they name.
func (l *loader) read(paths []string, readFile readFunc) *batch {
	b := &batch{}
	var parsed []candidate
	var gone []string
	var failed []problem
	for _, p := range l.fitting(b, paths) {
		data, err := readFile(p, maxBytes)
		switch {
		case errors.Is(err, source.ErrUnsettled):
			b.unsettled = true
		case err != nil && l.isGone(p, err):
			gone = append(gone, p)
		case errors.Is(err, fs.ErrNotExist):
			failed = append(failed, problem{path: p, err: fmt.Errorf("the map is missing: %w", err), result: Failed})
		case err != nil:
			failed = append(failed, problem{path: p, err: fmt.Errorf("cannot read the map: %w", err), result: Failed})
		default:
			if c, ok := l.parse(b, p, data); ok {
				parsed = append(parsed, c)
			}
		}
	}
	l.missing(b, gone, failed)
	l.rewatch() // before the zone files are read, so that no change is missed
	for _, c := range l.fittingZones(b, parsed) {
		l.complete(b, c, readFile)
	}
	return b
}

// refuse notes what is wrong with a version of a document.
func (b *batch) refuse(path string, version digest, err error) {
	b.problems = append(b.problems, problem{path, err, Refused, version})
}

// parse turns the bytes of a document into a candidate, which lacks its zone
// files yet.
func (l *loader) parse(b *batch, path string, data []byte) (candidate, bool) {
	sum := sha256.Sum256(data)
	doc, errs := mapfile.Parse(path, data)
	if doc == nil {
		b.refuse(path, sum, errs.Err())
		return candidate{}, false
	}
	var names []string
	eachZoneFile(doc, func(z *mapfile.Zone, name string) { names = append(names, name) })
	l.names[path] = names
	l.durable.note(sum, data)
	return candidate{path: path, sum: sum, src: mapset.Source{Doc: doc}, errs: errs}, true
}

// complete adds the zone files to a candidate, which joins the batch if it is
// not what is in force already.
func (l *loader) complete(b *batch, c candidate, readFile readFunc) {
	h := sha256.New()
	h.Write(c.sum[:])
	c.src.ZoneFiles = make(map[fqdn.Name]*zonefile.Zone)
	unsettled := false
	eachZoneFile(c.src.Doc, func(z *mapfile.Zone, name string) {
		f := l.zoneFile(z.Name, name, readFile)
		switch {
		case errors.Is(f.err, source.ErrUnsettled):
			unsettled = true
		case f.err != nil:
			c.errs = append(c.errs, c.src.Doc.Errorf(z.ZoneFilePos, "", "correct the zone file, or its path, which is relative to the document", "zone_file of %q: %s", z.Name, f.err))
		default:
			c.src.ZoneFiles[z.Name] = f.zone
			c.zones = append(c.zones, keptZone{z.Name, f.sum})
		}
		h.Write(f.sum[:])
	})
	if unsettled {
		b.unsettled = true
		return
	}
	h.Sum(c.digest[:0])
	if d, known := l.docs[c.path]; known && d.digest == c.digest {
		b.settled = append(b.settled, c.path)
		return
	}
	b.candidates = append(b.candidates, c)
}

// zoneFile reads a zone file, if it may have changed since it was last read.
func (l *loader) zoneFile(apex fqdn.Name, name string, readFile readFunc) zoneFile {
	if f, ok := l.zones[name]; ok && f.apex == apex && f.err == nil {
		return f
	}
	f := zoneFile{apex: apex}
	var data []byte
	if data, f.err = readFile(name, maxBytes); f.err == nil {
		f.sum = sha256.Sum256(data)
		l.durable.note(f.sum, data)
		f.zone, f.err = zonefile.Parse(name, data, apex)
	}
	l.zones[name] = f
	return f
}

// eachZoneFile calls f for each zone of the document that names a zone file,
// with the path of the file.
func eachZoneFile(doc *mapfile.Document, f func(z *mapfile.Zone, path string)) {
	for i := range doc.Accounts {
		for j := range doc.Accounts[i].Zones {
			z := &doc.Accounts[i].Zones[j]
			switch {
			case z.ZoneFile == "":
			case filepath.IsAbs(z.ZoneFile):
				f(z, filepath.Clean(z.ZoneFile))
			default:
				f(z, filepath.Join(filepath.Dir(doc.Name), z.ZoneFile))
			}
		}
	}
}
