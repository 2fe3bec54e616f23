package live

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/source"
)

// perOctet is how many octets of the heap a load is estimated to take for each octet of
// the files that it reads. BenchmarkLoad of bench/size measures 5.8 for a YAML document,
// 7.4 for JSON, 6.7 for a directory and 4.7 for zone files, with the garbage collected
// all the time, as Go does near a memory limit.
const perOctet = 8

// perOctetAtOnce is the same for what of a YAML document has to be read at once: an account,
// however large, and the whole of a document that is not written in lines. The library
// makes a tree of it. BenchmarkLoad measures 29 for a document of one account.
const perOctetAtOnce = 32

// usable is the percentage of a memory limit that the heap may come to. What is left is
// for the rest of the process, and for the garbage collector not to run all the time.
const usable = 90

// tooLarge returns an error if a load of these files is estimated to go beyond the
// memory limit of the process, if one is set. Without it the system would kill the
// process, and again at each restart.
func (l *loader) tooLarge(paths []string) error {
	if !l.isLimited() {
		return nil
	}
	var octets int64
	for _, p := range paths {
		octets += l.sizeOf(p)
	}
	return beyond(perOctet*octets, octets)
}

// isLimited reports whether there is a memory limit to keep to.
func (l *loader) isLimited() bool {
	return debug.SetMemoryLimit(-1) != math.MaxInt64 && l.watch != nil // a negative one is not set
}

// beyond returns an error if the load of so many octets, with an estimate of the memory
// that it takes, goes beyond the memory limit.
func beyond(estimate, octets int64) error {
	limit := debug.SetMemoryLimit(-1)
	most := limit / 100 * usable
	heap := inHeap()
	if heap+estimate > most {
		runtime.GC() // The last load may have left more than is in use.
		heap = inHeap()
	}
	if heap+estimate <= most {
		return nil
	}
	return fmt.Errorf("its load is estimated to take %s (for %s of changed files) beside %s in use, more than %d %% of the memory limit of %s: raise GOMEMLIMIT or the limit of the container, or keep the map in several documents and change them one after the other",
		mega(estimate), mega(octets), mega(heap), usable, mega(limit))
}

// inHeap returns the octets of the heap that are in use or not yet collected. To ask
// stops nothing.
func inHeap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

func mega(octets int64) string { return fmt.Sprintf("%.1f MB", float64(octets)/1e6) }

// fitting returns the documents whose load fits into the memory, and refuses the others
// as they are on disk. At a start without a version in force it warns, and returns all:
// to try is better than not to start.
func (l *loader) fitting(b *batch, docs []string) []string {
	err := l.tooLarge(l.filesOf(docs))
	if err == nil {
		return docs
	}
	if l.snapshot() == nil {
		l.warnOfSize(err)
		return docs
	}
	// Those that bring nothing new would be read for nothing, and those that were
	// refused before must not keep others back.
	var fresh, before []string
	for _, p := range docs {
		switch t, judged := l.troubles[p]; {
		case l.isInForce(p):
			b.settled = append(b.settled, p)
		case judged && t.version == l.unread(p):
			before = append(before, p)
		default:
			fresh = append(fresh, p)
		}
	}
	for _, p := range before {
		t := l.troubles[p]
		b.refuse(p, t.version, nil, errors.New(t.said[0])) // with the figures of then: it was said
	}
	if err := l.tooLarge(l.filesOf(fresh)); err != nil {
		l.refuseLarge(b, fresh, err)
		return nil
	}
	return fresh
}

// fitsAtOnce reports whether there is memory to parse a document, as far as it has to be
// read at once, and refuses it if not.
func (l *loader) fitsAtOnce(b *batch, doc string, data []byte) bool {
	piece := int64(mapfile.LargestPiece(data))
	if piece < large || !l.isLimited() {
		return true
	}
	octets := int64(len(data))
	err := beyond(perOctet*(octets-piece)+perOctetAtOnce*piece, octets)
	switch {
	case err == nil:
		return true
	case l.snapshot() == nil:
		l.warnOfSize(err)
		return true
	}
	l.refuseLarge(b, []string{doc}, err)
	return false
}

// warnOfSize says, once, that a start may need more memory than there is.
func (l *loader) warnOfSize(err error) {
	if !l.warned {
		l.warned = true
		l.opt.Log.Warningf("%s: %v; it is loaded all the same, because there is no earlier version to start with", l.opt.Path, err)
	}
}

// large is from which size on a piece is worth an estimate of its own.
const large = 1 << 20

// refuseLarge refuses documents as they are on disk, with one line in the log for all
// of them.
func (l *loader) refuseLarge(b *batch, docs []string, err error) {
	for i, p := range docs {
		version := l.unread(p)
		if i > 0 {
			l.troubles[p] = trouble{version: version, said: []string{err.Error()}}
		}
		b.refuse(p, version, nil, err)
	}
}

// isInForce reports whether a document is on disk as it is in force, without parsing it.
// Of one with zone files nothing is said: they are known only from its text.
func (l *loader) isInForce(doc string) bool {
	d, known := l.docs[doc]
	if !known || d.digest != sha256.Sum256(d.sum[:]) {
		return false
	}
	data, err := l.documentReader(source.Read)(doc, maxBytes)
	return err == nil && sha256.Sum256(data) == d.sum
}

// unread tells versions of a document apart that is not read: by its size, and by when it
// was written.
func (l *loader) unread(path string) digest {
	if l.keys != nil {
		data, _ := l.keys.Read(path)
		return sha256.Sum256(append([]byte("unread"), data...))
	}
	info, err := os.Stat(path)
	if err != nil {
		return sha256.Sum256([]byte("unread"))
	}
	return sha256.Sum256(fmt.Appendf(nil, "unread %d %d", info.Size(), info.ModTime().UnixNano()))
}

// sizeOf returns the octets of a document or zone file, 0 if there is none.
func (l *loader) sizeOf(path string) int64 {
	if l.keys != nil && fleet.IsMap(path) {
		data, _ := l.keys.Read(path)
		return int64(len(data))
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}

// filesOf returns documents and the zone files that they named when they were last read,
// but for those that need not be read again.
func (l *loader) filesOf(docs []string) []string {
	files := slices.Clone(docs)
	for _, d := range docs {
		files = append(files, l.unreadZones(d)...)
	}
	return files
}

// unreadZones returns the zone files of a document that have to be read.
func (l *loader) unreadZones(doc string) []string {
	return slices.DeleteFunc(slices.Clone(l.names[doc]), func(name string) bool {
		_, known := l.zones[name]
		return known
	})
}

// fittingZones returns the candidates, or refuses them all if their zone files, which are
// known only from their texts, make the load too large.
func (l *loader) fittingZones(b *batch, parsed []candidate) []candidate {
	var zones, docs []string
	for _, c := range parsed {
		zones, docs = append(zones, l.unreadZones(c.path)...), append(docs, c.path)
	}
	if len(zones) == 0 || l.snapshot() == nil {
		return parsed
	}
	if err := l.tooLarge(zones); err != nil {
		l.refuseLarge(b, docs, err)
		return nil
	}
	return parsed
}
