package live

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/state"
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
	sum    state.Sum // of the document alone
	text   []byte
	src    mapset.Source
	zones  []savedZone    // the zone files it names
	errs   mapfile.Errors // what is wrong with it by itself
}

// savedZone is which content of a zone file belongs to a version of a document.
type savedZone struct {
	apex fqdn.Name
	path string
	sum  state.Sum
	text packed
}

// problem is why a document is not in force as it is on disk.
type problem struct {
	path    string
	err     error
	result  Result
	version digest            // that was found wrong; the zero one if none could be read
	doc     *mapfile.Document // the same, as far as it could be read; may be nil
}

// zoneFile is a zone file as last read.
type zoneFile struct {
	apex fqdn.Name
	zone *zonefile.Zone
	err  error
	sum  state.Sum
	text packed

	failed bool // for want of something that may come back
}

// readFunc reads a whole file of at most limit bytes.
type readFunc func(path string, limit int64) ([]byte, error)

// read reads documents and the zone files that they name.
func (l *loader) read(paths []string, readFile readFunc) *batch {
	b := &batch{}
	var parsed []candidate
	var gone []string
	var failed []problem
	dirs := NewZoneDirs(l.opt.ZoneFiles)
	readDocument := l.documentReader(readFile)
	for _, p := range l.fitting(b, paths) {
		dirs.look(filepath.Dir(p)) // before the document is read
		data, err := readDocument(p, maxBytes)
		switch {
		case errors.Is(err, source.ErrUnsettled):
			b.unsettled = true
		case errors.Is(err, source.ErrBeingWritten):
			b.unsettled = true
			b.refuse(p, digest{}, nil, fmt.Errorf("cannot read the map: %w", err))
		case err != nil && l.isGone(p, err):
			gone = append(gone, p)
		case errors.Is(err, fs.ErrNotExist):
			failed = append(failed, problem{path: p, err: fmt.Errorf("the map is missing: %w", err), result: Failed})
		case err != nil:
			failed = append(failed, problem{path: p, err: fmt.Errorf("cannot read the map: %w", err), result: Failed})
		case !l.fitsAtOnce(b, p, data):
		default:
			if c, ok := l.parse(b, p, data); ok {
				parsed = append(parsed, c)
			}
		}
	}
	if l.dir && slices.ContainsFunc(parsed, l.isNew) {
		gone = l.andMoved(gone) // to a name that is seen first
	}
	l.missing(b, gone, failed)
	l.rewatch() // before the zone files are read, so that no change is missed
	for _, c := range l.fittingZones(b, parsed) {
		l.complete(b, c, dirs, readFile)
	}
	return b
}

// refuse notes what is wrong with a version of a document.
func (b *batch) refuse(path string, version digest, doc *mapfile.Document, err error) {
	b.problems = append(b.problems, problem{path, err, Refused, version, doc})
}

// parse turns the bytes of a document into a candidate, which lacks its zone
// files yet.
func (l *loader) parse(b *batch, path string, data []byte) (candidate, bool) {
	sum := sha256.Sum256(data)
	doc, errs := mapfile.Parse(path, data)
	if doc == nil {
		b.refuse(path, sum, nil, errs.Err())
		return candidate{}, false
	}
	var names []string
	l.eachZoneFile(doc, func(z *mapfile.Zone, name string) { names = append(names, name) })
	l.names[path] = names
	return candidate{path: path, sum: sum, text: data, src: mapset.Source{Doc: doc}, errs: errs}, true
}

// complete adds the zone files to a candidate, which joins the batch if it is
// not what is in force already.
func (l *loader) complete(b *batch, c candidate, dirs *ZoneDirs, readFile readFunc) {
	h := sha256.New()
	h.Write(c.sum[:])
	c.src.ZoneFiles = make(map[fqdn.Name]*zonefile.Zone)
	unsettled := false
	var failed mapfile.Errors
	l.eachZoneFile(c.src.Doc, func(z *mapfile.Zone, name string) {
		f := l.zoneFile(z.Name, name, func(path string, _ int64) ([]byte, error) {
			return dirs.Read(c.path, path, readFile)
		})
		outside := (*outsideError)(nil)
		b.unsettled = b.unsettled || errors.Is(f.err, source.ErrUnsettled) || errors.Is(f.err, source.ErrBeingWritten)
		switch {
		case errors.Is(f.err, source.ErrUnsettled):
			unsettled = true
		case errors.As(f.err, &outside):
			c.errs = append(c.errs, c.src.Doc.Errorf(z.ZoneFilePos, "V17", "move the zone file there, or write its directory as zone_files in the Corefile", "zone_file of %q %s", z.Name, outside.text()))
		case f.err != nil:
			wrong := c.src.Doc.Errorf(z.ZoneFilePos, "", l.zoneFileRemedy(f.err), "zone_file of %q: %s", z.Name, f.err)
			c.errs = append(c.errs, wrong)
			if f.failed {
				failed = append(failed, wrong)
			}
		default:
			c.src.ZoneFiles[z.Name] = f.zone
			c.zones = append(c.zones, savedZone{z.Name, name, f.sum, f.text})
		}
		h.Write(f.sum[:])
	})
	switch {
	case len(failed) > 0: // What else is wrong can wait until all can be read.
		b.problems = append(b.problems, problem{path: c.path, err: failed.Err(), result: Failed})
		return
	case unsettled:
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
		f.text = pack(data)
		f.zone, f.err = zonefile.Parse(name, data, apex)
	} else {
		f.failed = source.Temporary(f.err)
	}
	l.zones[name] = f
	return f
}

// zoneFileRemedy says what can be done about a zone file that is wrong.
func (l *loader) zoneFileRemedy(err error) string {
	switch {
	case errors.Is(err, source.ErrBeingWritten):
		return "wait for its writer to end"
	case l.keys != nil:
		return "put it into one of the directories of zone_files on this server, or correct its path, which is relative to them"
	}
	return "correct the zone file, or its path, which is relative to the document"
}

// startPatience is for how long a start waits for the files that are being written,
// all of them together.
const startPatience = 5 * time.Second

// readFirst reads a file at the start. One that is being written is waited for.
func (l *loader) readFirst(path string, limit int64) ([]byte, error) {
	if l.watch == nil {
		return source.Await(path, limit, l.startEnds())
	}
	return l.watch.Await(path, limit, l.startEnds())
}

// startEnds is until when the start waits for files that are being written.
func (l *loader) startEnds() time.Time {
	if l.startUntil.IsZero() {
		l.startUntil = time.Now().Add(startPatience)
	}
	return l.startUntil
}

// eachZoneFile calls f for each zone of the document that names a zone file,
// with the path of the file.
func (l *loader) eachZoneFile(doc *mapfile.Document, f func(z *mapfile.Zone, path string)) {
	for i := range doc.Accounts {
		for j := range doc.Accounts[i].Zones {
			z := &doc.Accounts[i].Zones[j]
			switch {
			case z.ZoneFile == "":
			case filepath.IsAbs(z.ZoneFile):
				f(z, filepath.Clean(z.ZoneFile))
			case l.keys != nil:
				f(z, zoneFileIn(l.opt.ZoneFiles, z.ZoneFile))
			default:
				f(z, filepath.Join(filepath.Dir(doc.Name), z.ZoneFile))
			}
		}
	}
}
