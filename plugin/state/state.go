// Package state keeps what was accepted, durably across restarts: the texts of
// the documents and zone files in force, and what must not be forgotten with
// them. It knows bytes and names, and nothing of what they mean.
//
// A directory of state holds one directory for each map, called after the file
// and the digest of its absolute path, so that several maps do not meet:
//
//	lock                     who writes here; it is locked by that process
//	maps.yaml-0b5c…91/
//	    manifest             what is saved: names, and the digests of their texts
//	    manifest.copy        the same again: one of the two may be damaged
//	    blobs/1f/1f0c…e2     the texts, each under its SHA-256 digest
//	    damaged/             the last files that were found damaged, for people to look at
//	    *.tmp                what was being written at a crash; it is removed
//
// A text never changes once it is there, so the saved version changes in one
// step: the rename of a new manifest over the old one. What it names is on disk
// before that. The lock is for writing: whoever does not have it can read.
//
// Before there were directories for maps, the directory of state held all that of
// one map. It is moved into the map's directory by the first process that has the
// lock.
package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
)

// ErrDamaged is wrapped by every error that says that a file is not exactly as it
// was saved. The error names the file and the remedy.
var ErrDamaged = errors.New("the state is damaged")

// Dir is the state of one map. Several Dirs can be open on one map at a time, as
// during a Corefile reload; each sees what the others save, and keeps what it has
// loaded, put or saved from being removed by them. All methods are safe for
// concurrent use.
type Dir struct {
	dir *directory

	// Guarded by dir.mu.
	closed bool
	turn   int              // the one of the directory whose manifest this Dir has seen
	base   map[Sum]struct{} // the texts of what was loaded or saved last; never changed
	put    map[Sum]struct{} // those that were put since
}

// Open returns the state that the directory dir has of the map at path, which is
// absolute: two paths are two maps. The owner says who uses it, for the complaint
// of another process.
//
// There is no error, as a map that is good by itself needs no state: Acquire says
// why nothing can be written, and Load what can be read all the same.
func Open(dir, path, owner string) *Dir {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return openAt(filepath.Join(dir, directoryOf(path)), path, owner)
}

// directoryOf returns the name of the directory of the map at path.
func directoryOf(path string) string {
	const longest = 100 // a name may have 255 bytes
	sum, base := sha256.Sum256([]byte(path)), filepath.Base(path)
	return base[:min(len(base), longest)] + "-" + hex.EncodeToString(sum[:8])
}

// Close lets go of the directory. The last Dir that is closed unlocks it. To
// close a Dir twice does nothing; its other methods fail with an fs.ErrClosed
// afterwards.
func (d *Dir) Close() error { return release(d) }

// Acquire makes and locks the directory, unless this process has it locked. It
// does not wait: the error says who or what is in the way, and a later call can
// succeed. It must succeed before Save. The manifest is what another process may
// have saved since this Dir looked last, empty if nothing is: its serials have been
// seen by somebody. It is nil if this Dir has seen it.
func (d *Dir) Acquire() (*Manifest, error) {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if d.closed {
		return nil, d.dir.closedError()
	}
	if err := d.dir.acquire(); err != nil {
		return nil, fmt.Errorf("cannot use the state directory %q: %w", d.dir.path, err)
	}
	if d.turn == d.dir.turn {
		return nil, nil
	}
	m := d.dir.found // which stays for Load
	if m == nil {
		var err error
		if m, err = d.dir.take(); err != nil {
			return nil, err
		}
	}
	d.turn = d.dir.turn
	if m == nil {
		m = &Manifest{}
	}
	return m, nil
}

// Ready reports whether the directory is locked, and still where it was: Save has
// a chance.
func (d *Dir) Ready() bool {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	return d.dir.usable(d) == nil && d.turn == d.dir.turn
}

// Load returns what was saved last, nil if nothing is, whoever has the directory
// locked. Of two copies one is enough. The error says that neither can be read
// and at least one may be whole. The texts are verified by Read.
func (d *Dir) Load() (*Manifest, error) {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if d.closed {
		return nil, d.dir.closedError()
	}
	m, err := d.dir.take()
	if m == nil || err != nil {
		return nil, err
	}
	if d.dir.lock != nil {
		d.turn = d.dir.turn
	}
	base := make(map[Sum]struct{}, len(d.dir.blobs))
	for _, sum := range m.texts {
		base[sum] = struct{}{}
	}
	d.base = base
	return m, nil
}

// Damage returns what was found damaged by any Dir of the map since the last call. What was found in a directory that this process has locked is
// set aside.
func (d *Dir) Damage() []error {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	found := d.dir.damaged
	d.dir.damaged = nil
	return found
}

// Lacks returns the texts that m names and that must be put before it is saved.
func (d *Dir) Lacks(m *Manifest) []Sum {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	var out []Sum
	for _, sum := range m.texts {
		if _, ok := d.dir.blobs[sum]; !ok {
			out = append(out, sum)
		}
	}
	return out
}

// Save makes m the saved version. It is atomic and durable: after a crash at any
// point Load returns the version before or m, and m once Save has returned.
// Every text that m names must have been put, loaded or saved through this Dir.
// After an error Load returns the version before, or m; a later Save can succeed.
//
// Texts that nothing names any more are removed: not those that another Dir has
// loaded, put or saved.
func (d *Dir) Save(m *Manifest) error {
	text := m.encode() // without the lock: it takes time
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if err := d.dir.usable(d); err != nil {
		return err
	}
	base := make(map[Sum]struct{}, len(d.dir.blobs))
	for name, sum := range m.texts {
		if _, ok := d.dir.blobs[sum]; !ok {
			return fmt.Errorf("cannot save the state in %q: the text of %q, %s, is not there: put it first", d.dir.path, name, sum)
		}
		base[sum] = struct{}{}
	}
	if err := d.dir.settle(base); err != nil {
		return err
	}
	d.dir.found = nil
	// One after the other, so that a crash leaves one of them whole. The first is
	// the newer one then, and the one that is loaded.
	for _, name := range copies {
		if err := d.dir.disk.replace(name, text); err != nil {
			return err
		}
		if err := d.dir.disk.syncDir("."); err != nil {
			return err
		}
	}
	d.base, d.put = base, make(map[Sum]struct{})
	d.dir.sweep()
	return nil
}
