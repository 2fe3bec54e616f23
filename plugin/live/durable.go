package live

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/state"
)

// The pauses before the state is tried again, each twice the one before. The last is
// the one between looks at a state that is well: somebody may move it away.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// durable keeps what is in force across restarts. A nil durable keeps nothing.
type durable struct {
	dir     *state.Dir
	saved   map[string]state.Document // :: path → the document in force
	unsaved map[state.Sum][]byte      // texts of what is in force that are not in the state
	files   map[state.Sum]string      // :: text of what is in force → the file it was read from

	err   error // why what is in force is not in the state; nil if it is
	since time.Time
	pause time.Duration
	timer *time.Timer
}

// openDurable opens the state directory and returns what was kept there last, nil
// if nothing was or it cannot be read. What is wrong is logged: a good map needs no
// state to start.
func openDurable(opt Options) (*durable, *state.Manifest) {
	if opt.State == "" {
		return nil, nil
	}
	path, err := filepath.Abs(opt.Path)
	if err != nil {
		path = filepath.Clean(opt.Path)
	}
	d := &durable{
		dir:     state.Open(opt.State, path, opt.Owner),
		saved:   make(map[string]state.Document),
		unsaved: make(map[state.Sum][]byte),
		files:   make(map[state.Sum]string),
		timer:   time.NewTimer(lastPause),
	}
	_, err = d.dir.Acquire()
	d.ended(opt, err)
	m, err := d.dir.Load()
	if err != nil && d.err == nil {
		opt.Log.Errorf("%s: the state cannot be read: %v", opt.Path, err)
	}
	d.tellDamage(opt)
	return d, m
}

// moveState keeps what is in force in another directory than before.
func (l *loader) moveState() {
	if l.durable != nil {
		if err := l.durable.dir.Close(); err != nil {
			l.opt.Log.Errorf("closing the state of %s: %v", l.opt.Path, err)
		}
	}
	l.durable, _ = openDurable(l.opt) // whatever was kept there before, it is not in force
	for path, doc := range l.docs {
		l.durable.accept(l.name(path), candidate{path: path, sum: doc.sum, zones: doc.zones})
	}
	l.persist()
	l.publish()
}

// tellDamage logs what was found damaged.
func (d *durable) tellDamage(opt Options) {
	for _, err := range d.dir.Damage() {
		opt.Log.Errorf("%s: %v", opt.Path, err)
	}
}

// keep returns the text that was read if it may have to be written: not if it is in
// force. d may be nil.
func (d *durable) keep(sum [sha256.Size]byte, text []byte) []byte {
	if d == nil || d.files[sum] != "" {
		return nil
	}
	return text
}

// failing reports whether what is in force is not in the state. d may be nil.
func (d *durable) failing() bool { return d != nil && d.err != nil }

// due is when [loader.retry] is to be called.
func (l *loader) due() <-chan time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.durable == nil {
		return nil
	}
	return l.durable.timer.C
}

// ended notes how an attempt to write has ended. Each error is logged once in a row.
func (d *durable) ended(opt Options, err error) {
	switch {
	case err == nil && d.err != nil:
		opt.Log.Infof("%s: what is in force is in the state again, after %s", opt.Path, time.Since(d.since).Round(time.Millisecond))
	case err != nil && d.err == nil:
		d.since = time.Now()
	}
	if err != nil && (d.err == nil || d.err.Error() != err.Error()) {
		opt.Log.Errorf("%s: what is in force is not in the state for the next start; it is tried again until it is: %v", opt.Path, err)
	}
	d.err = err
	if err == nil {
		d.pause = 0
		d.timer.Reset(lastPause)
		return
	}
	d.pause = max(firstPause, min(2*d.pause, lastPause))
	d.timer.Reset(d.pause)
}

// accept notes that a candidate is in force under a name, to be kept by
// [loader.persist].
func (d *durable) accept(name string, c candidate) {
	if d == nil {
		return
	}
	doc := state.Document{Name: name, Text: state.Sum(c.sum)}
	d.accepted(doc.Text, c.path, c.text)
	for _, z := range c.zones {
		doc.ZoneFiles = append(doc.ZoneFiles, state.ZoneFile{Name: string(z.apex), Text: state.Sum(z.sum)})
		d.accepted(state.Sum(z.sum), z.path, z.text)
	}
	d.saved[c.path] = doc
}

// accepted notes a text of what is in force.
func (d *durable) accepted(sum state.Sum, path string, text []byte) {
	d.files[sum] = path
	if text != nil {
		d.unsaved[sum] = text
	}
}

// drop notes that a document is no longer in force.
func (d *durable) drop(path string) {
	if d != nil {
		delete(d.saved, path)
	}
}

// persist keeps what comes into force, with higher serials if others were seen by
// somebody. What cannot be kept is tried again.
func (l *loader) persist() {
	d := l.durable
	if d == nil {
		return
	}
	there, err := d.dir.Acquire()
	if there != nil {
		l.raise(there.Serials)
	}
	if err == nil {
		err = l.save()
	}
	d.tellDamage(l.opt)
	d.ended(l.opt, err)
}

// retry keeps what is in force if it is not in the state, or the state is no longer
// where it was.
func (l *loader) retry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.durable == nil {
		return
	}
	d, was, before := l.durable, l.durable.err, l.snapshot()
	if was == nil && d.dir.Ready() {
		d.timer.Reset(lastPause)
		return
	}
	l.persist()
	raised := len(l.changed) > 0
	if raised {
		l.publish()
	}
	if raised || (was == nil) != (d.err == nil) {
		l.report(&batch{}, before, time.Now(), NoLoad)
	}
}

// save writes what is in force.
func (l *loader) save() error {
	d := l.durable
	m := &state.Manifest{Settings: strings.Join(l.views.settings(), "\n"), Serials: make(map[string]uint32)}
	for z, n := range l.views.serials() {
		m.Serials[string(z)] = n
	}
	needed := make(map[state.Sum]bool)
	for _, path := range slices.Sorted(maps.Keys(d.saved)) {
		doc := d.saved[path]
		m.Documents = append(m.Documents, doc)
		needed[doc.Text] = true
		for _, z := range doc.ZoneFiles {
			needed[z.Text] = true
		}
	}
	maps.DeleteFunc(d.unsaved, func(sum state.Sum, _ []byte) bool { return !needed[sum] })
	maps.DeleteFunc(d.files, func(sum state.Sum, _ string) bool { return !needed[sum] })
	lost := d.refill(m)
	_, err := d.dir.PutAll(slices.Collect(maps.Values(d.unsaved)))
	if err == nil {
		err = d.dir.Save(m)
	}
	if err != nil {
		return err
	}
	clear(d.unsaved)
	for name, z := range l.zones {
		if z.text != nil && needed[state.Sum(z.sum)] {
			z.text = nil
			l.zones[name] = z
		}
	}
	return lost
}

// refill takes the texts that m lacks in the state and that are not in memory from
// the files they were read from: the state may have been moved away. Where a file
// is another one by now, the document leaves m, and the error says so.
func (d *durable) refill(m *state.Manifest) error {
	nowhere := make(map[state.Sum]bool)
	for _, sum := range d.dir.Lacks(m) {
		if d.unsaved[sum] != nil {
			continue
		}
		if text, ok := readSame(d.files[sum], sum); ok {
			d.unsaved[sum] = text
		} else {
			nowhere[sum] = true
		}
	}
	var err error
	m.Documents = slices.DeleteFunc(m.Documents, func(doc state.Document) bool {
		i := slices.IndexFunc(doc.ZoneFiles, func(z state.ZoneFile) bool { return nowhere[z.Text] })
		switch {
		case nowhere[doc.Text]:
			err = fmt.Errorf("%s is not on disk any more as it is in force: correct it", d.files[doc.Text])
		case i >= 0:
			err = fmt.Errorf("%s is not on disk any more as it is in force: correct it", d.files[doc.ZoneFiles[i].Text])
		default:
			return false
		}
		return true
	})
	return err
}

// readSame reads a file that has the digest.
func readSame(path string, sum state.Sum) ([]byte, bool) {
	text, err := source.Read(path, maxBytes)
	return text, err == nil && sha256.Sum256(text) == sum
}
