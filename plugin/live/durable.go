package live

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
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
	dir   *state.Dir
	err   error // why what is in force is not in the state; nil if it is
	since time.Time
	pause time.Duration
	timer *time.Timer

	source string           // where the documents are from that were saved last
	found  bool             // there was a version when it was opened to be read
	other  []state.Document // as a server has saved them, if what is in force here is not that; see twin.go
	looked bool             // at other, once
}

// openDurable opens the state directory and returns what was kept there last, nil
// if nothing was or it cannot be read. What is wrong is logged: a good map needs no
// state to start.
func openDurable(opt Options) (*durable, *state.Manifest) {
	if opt.State == "" {
		return nil, nil
	}
	path, err := filepath.Abs(opt.Path)
	if err != nil || fleet.IsMap(opt.Path) {
		path = filepath.Clean(opt.Path)
	}
	if opt.ReadState {
		return readDurable(opt, path)
	}
	d := &durable{dir: state.Open(opt.State, path, opt.Owner), timer: time.NewTimer(lastPause)}
	_, err = d.dir.Acquire()
	d.ended(opt, err)
	m, err := d.dir.Load()
	if err != nil && d.err == nil {
		opt.Log.Errorf("%s: the state cannot be read: %v", opt.Path, err)
	}
	d.tellDamage(opt)
	return d, m
}

// moveState keeps what is in force in another directory than before. Of what was kept
// there, the serials alone count: they were seen.
func (l *loader) moveState() {
	if l.durable != nil {
		if err := l.durable.dir.Close(); err != nil {
			l.opt.Log.Errorf("closing the state of %s: %v", l.opt.Path, err)
		}
	}
	var m *state.Manifest
	if l.durable, m = openDurable(l.opt); m != nil {
		l.raise(m.Serials)
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

// failing reports whether what is in force is not in the state. d may be nil.
func (d *durable) failing() bool { return d != nil && d.err != nil }

// due is when [loader.retry] is to be called.
func (l *loader) due() <-chan time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.durable == nil || l.opt.ReadState {
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

// persist keeps what comes into force, with higher serials if others were seen by
// somebody. What cannot be kept is tried again.
func (l *loader) persist() {
	d := l.durable
	if d == nil || l.opt.ReadState {
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
	m := &state.Manifest{Documents: l.inForce(), Settings: strings.Join(l.views.settings(), "\n"), Serials: make(map[string]uint32)}
	if l.keys != nil {
		m.Source = l.keys.Position().String()
	}
	for z, n := range l.views.serials() {
		m.Serials[string(z)] = n
	}
	texts := make(map[state.Sum]packed)
	for _, doc := range l.docs {
		texts[doc.sum] = doc.text
		for _, z := range doc.zones {
			texts[z.sum] = z.text
		}
	}
	m.Drains = l.drains.saved(texts)
	var lacking [][]byte
	for _, sum := range l.durable.dir.Lacks(m) {
		text, err := texts[sum].text()
		if err != nil {
			return err
		}
		lacking = append(lacking, text)
	}
	if err := l.durable.dir.PutAll(lacking); err != nil {
		return err
	}
	if err := l.durable.dir.Save(m); err != nil {
		return err
	}
	l.durable.source = m.Source
	return nil
}

// inForce returns the documents in force as a manifest names them.
func (l *loader) inForce() (out []state.Document) {
	for _, path := range slices.Sorted(maps.Keys(l.docs)) {
		doc := l.docs[path]
		saved := state.Document{Name: l.name(path), Text: doc.sum}
		for _, z := range doc.zones {
			saved.ZoneFiles = append(saved.ZoneFiles, state.ZoneFile{Name: string(z.apex), Text: z.sum})
		}
		out = append(out, saved)
	}
	return out
}
