// Package state stores the documents and zone files in force durably, for the next
// start, with the settings under which they were accepted and the serials that
// clients have seen. It knows bytes and names, and not their meaning.
//
// A directory of state has one directory for each map, called after the file and the
// digest of its absolute path, so that several maps do not meet:
//
//	lock                     locked by the process that writes, with a note of its id
//	maps.yaml-0b5c…91/
//	    manifest             the saved version: names, and the digests of their texts
//	    manifest.copy        the same again: one of the two may be damaged
//	    blobs/1f/1f0c…e2     the texts, each under its SHA-256 digest
//	    damaged/             the last damaged files, for people to look at
//	    *.tmp                files that were being written at a crash; they are removed
//
// A text never changes once it is on disk, so the saved version changes in one step:
// the rename of a new manifest over the old one. The texts that the manifest names
// are on disk before. The lock is for writing: a process without the lock can read.
//
// Earlier versions of this program had the state of one map in the directory of state
// itself. The first process that has the lock moves such a state into the map's
// directory.
package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrDamaged is wrapped by every error that says that a file is not exactly as it
// was saved. The error names the file and the remedy.
var ErrDamaged = errors.New("the state is damaged")

// Dir is the state of one map. Several Dirs can be open on one map at a time, as
// during a Corefile reload: each loads the versions that the others save, and no Dir
// removes a text that another one has loaded, put or saved. All methods are safe for
// concurrent use.
type Dir struct {
	dir *directory

	// Guarded by dir.mu.
	closed        bool
	seenLockCount int              // directory.lockCount when this Dir read the manifest
	saved         map[Sum]struct{} // the texts of the manifest loaded or saved last; never changed
	added         map[Sum]struct{} // the texts that were put since
}

// Open returns the state that the directory dir has of the map at path, which is
// absolute: two paths are two maps. The owner names the user of the state in the
// error that another process gets.
//
// Open returns no error, because a legal map needs no state: Acquire says why nothing
// can be written, and Load reads as far as possible nevertheless.
func Open(dir, path, owner string) *Dir {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return openAt(filepath.Join(dir, directoryOf(path)), path, owner)
}

// OpenToRead returns the state that another process keeps in the directory dir of the map
// at path. It makes, locks and writes nothing: Acquire, Put and Save fail.
func OpenToRead(dir, path string) *Dir {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return openToRead(filepath.Join(dir, directoryOf(path)), path)
}

// Changed reports whether the manifest is another file than at the last Load of a Dir that
// is open to be read.
func (d *Dir) Changed() bool {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	now := d.dir.statManifest()
	if now == nil || d.dir.read == nil {
		return now != nil
	}
	return !os.SameFile(now, d.dir.read) || now.Size() != d.dir.read.Size() || !now.ModTime().Equal(d.dir.read.ModTime())
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
func (d *Dir) Close() error { return closeDir(d) }

// Acquire makes and locks the directory, unless this process has locked it already.
// Acquire does not wait: the error names the process or cause in the way, and a later
// call can succeed. Acquire must succeed before Save. The manifest is the version that
// another process may have saved since this Dir last read one, empty if nothing is
// saved: clients have seen its serials. The manifest is nil if this Dir has read it.
func (d *Dir) Acquire() (*Manifest, error) {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if d.closed {
		return nil, d.dir.closedError()
	}
	if err := d.dir.acquire(); err != nil {
		return nil, fmt.Errorf("cannot use the state directory %q: %w", d.dir.path, err)
	}
	if d.seenLockCount == d.dir.lockCount {
		return nil, nil
	}
	m := d.dir.onLock // It stays there for Load.
	if m == nil {
		var err error
		if m, err = d.dir.takeManifest(); err != nil {
			return nil, err
		}
	}
	d.seenLockCount = d.dir.lockCount
	if m == nil {
		m = &Manifest{}
	}
	return m, nil
}

// Ready reports whether the directory is locked and still at its path, as Save needs
// it.
func (d *Dir) Ready() bool {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	return d.dir.checkWritable(d) == nil && d.seenLockCount == d.dir.lockCount
}

// Load returns the manifest that was saved last, nil if there is none, whichever
// process has locked the directory. One intact copy of two is enough. The error says
// that neither copy can be read although at least one may be intact. Read verifies
// the texts.
func (d *Dir) Load() (*Manifest, error) {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if d.closed {
		return nil, d.dir.closedError()
	}
	if d.dir.readOnly {
		_ = d.dir.openDisk() // The one at the path may be another one now.
		d.dir.read = d.dir.statManifest()
	}
	m, err := d.dir.takeManifest()
	if m == nil || err != nil {
		return nil, err
	}
	if d.dir.lock != nil {
		d.seenLockCount = d.dir.lockCount
	}
	base := make(map[Sum]struct{}, len(d.dir.blobs))
	for _, sum := range m.texts {
		base[sum] = struct{}{}
	}
	d.saved = base
	return m, nil
}

// Damage returns an error for each file that any Dir of the map has found damaged
// since the last call. A damaged file in a directory that this process has locked is
// set aside.
func (d *Dir) Damage() []error {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	damage := d.dir.unreported
	d.dir.unreported = nil
	return damage
}

// Lacks returns the texts of m that must be put before m can be saved, and those that this
// process has neither written nor read since it locked the directory: they may be damaged.
func (d *Dir) Lacks(m *Manifest) []Sum {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	var out []Sum
	for _, sum := range m.texts {
		if !d.dir.blobs[sum] {
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
// Save removes the texts that no manifest names any more, but no text that another
// Dir has loaded, put or saved.
func (d *Dir) Save(m *Manifest) error {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if err := d.dir.checkWritable(d); err != nil {
		return err
	}
	base := make(map[Sum]struct{}, len(d.dir.blobs))
	for name, sum := range m.texts {
		if _, ok := d.dir.blobs[sum]; !ok {
			return fmt.Errorf("cannot save the state in %q: the text of %q, %s, is not there: put it first", d.dir.path, name, sum)
		}
		base[sum] = struct{}{}
	}
	if err := d.dir.syncTexts(base); err != nil {
		return err
	}
	d.dir.onLock = nil
	d.dir.generation++
	numbered := *m
	numbered.generation = d.dir.generation
	text := numbered.encode()
	// The copies are written one after the other, so that a crash leaves one of
	// them intact. The first copy is the newer one then, and Load returns it.
	for _, name := range manifestNames {
		if err := d.dir.disk.replace(name, text); err != nil {
			return err
		}
		if err := d.dir.disk.syncDir("."); err != nil {
			return err
		}
	}
	d.saved, d.added = base, make(map[Sum]struct{})
	d.dir.removeUnreferenced()
	return nil
}
