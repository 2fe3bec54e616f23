// Package state keeps what was accepted, durably across restarts: the texts of
// the documents and zone files in force, and what must not be forgotten with
// them. It knows bytes and names, and nothing of what they mean.
//
// A directory of state holds
//
//	lock                     who uses the directory; it is locked while in use
//	manifest                 what is saved: names, and the digests of their texts
//	blobs/1f/1f0c…e2         the texts, each under its SHA-256 digest
//	*.tmp                    what was being written at a crash; Open removes it
//
// A text never changes once it is there, so the saved version changes in one
// step: the rename of a new manifest over the old one. What it names is on disk
// before that.
package state

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrDamaged is wrapped by every error that says that something is not exactly
// as it was saved. The error names the file and the remedy.
var ErrDamaged = errors.New("the state is damaged")

// Dir is a state directory in use. Several Dirs of one owner can be open on one
// directory at a time, as during a Corefile reload; each sees what the others
// save, and keeps what it has loaded, put or saved from being removed by them.
// All methods are safe for concurrent use.
type Dir struct {
	dir *directory

	// Guarded by dir.mu.
	closed bool
	base   map[Sum]struct{} // the texts of what was loaded or saved last; never changed
	put    map[Sum]struct{} // those that were put since
}

// Open locks the directory for the owner and returns it. It is created, for
// nobody else to read, if it is absent. The owner says what uses the directory,
// for error messages, and must be the same for all that may use it together;
// another owner in this process and every other process are refused.
//
// A directory that cannot be written to, but has been before, is opened too:
// what was saved can be loaded, and the errors come from Put and Save.
func Open(dir, owner string) (*Dir, error) {
	d, err := acquire(dir, owner)
	if err != nil {
		return nil, fmt.Errorf("cannot use the state directory %q: %w", dir, err)
	}
	return d, nil
}

// Close lets go of the directory. The last Dir that is closed unlocks it. To
// close a Dir twice does nothing; its other methods fail with an fs.ErrClosed
// afterwards.
func (d *Dir) Close() error { return release(d) }

// Load returns what was saved last, nil if nothing ever was, and an ErrDamaged
// if the manifest is not exactly as it was saved or a text it names is missing.
// The texts themselves are verified by Read.
func (d *Dir) Load() (*Manifest, error) {
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if d.closed {
		return nil, d.dir.closedError()
	}
	text, err := d.dir.disk.read(manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := decode(text)
	if err != nil {
		return nil, d.dir.disk.damaged(manifestName, err.Error())
	}
	base := make(map[Sum]struct{}, len(d.dir.blobs))
	for name, sum := range m.texts {
		if _, ok := d.dir.blobs[sum]; !ok {
			return nil, d.dir.disk.damaged(sum.path(), fmt.Sprintf("it is missing, and was the text of %q", name))
		}
		base[sum] = struct{}{}
	}
	d.base = base
	return m, nil
}

// Save makes m the saved version. It is atomic and durable: after a crash at any
// point Load returns the version before or m, and m once Save has returned.
// Every text that m names must have been put, loaded or saved through this Dir.
// After an error Load returns the version before, or m if only the last step
// failed; a later Save can succeed.
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
			return fmt.Errorf("cannot save the state in %q: the text of %q, %s, is not there: put it first", d.dir.disk.path, name, sum)
		}
		base[sum] = struct{}{}
	}
	if err := d.dir.settle(base); err != nil {
		return err
	}
	if err := d.dir.disk.replace(manifestName, text); err != nil {
		return err
	}
	if err := d.dir.disk.syncDir("."); err != nil {
		return err
	}
	d.base, d.put = base, make(map[Sum]struct{})
	d.dir.sweep()
	return nil
}
