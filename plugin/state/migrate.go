package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// migrate moves the state that an earlier version of this program has saved of this
// map from the parent into the directory. The texts come first: after a crash in
// between, the next migrate moves the manifest and writes its copy.
func (d *directory) migrate() error {
	k, err := d.openEarlier()
	if k == nil || err != nil {
		return err
	}
	defer k.root.Close()
	own := filepath.Base(d.path)
	for _, name := range []string{blobsName, manifestName} {
		err := k.root.Rename(name, filepath.Join(own, name))
		if err != nil && !(name == blobsName && errors.Is(err, fs.ErrNotExist)) {
			return k.stepError("move", name, err)
		}
		for _, dir := range []string{own, "."} {
			if err := k.syncDir(dir); err != nil {
				return err
			}
		}
	}
	text, err := d.disk.read(manifestName)
	if err != nil {
		return nil // readManifest returns the error.
	}
	return d.disk.replace(copyName, text)
}

// readEarlier returns the manifest in the parent, for a process without the lock,
// which must not migrate.
func (d *directory) readEarlier() (*Manifest, error) {
	k, err := d.openEarlier()
	if k == nil || err != nil {
		return nil, err
	}
	m, err := k.readCopy(manifestName)
	if err != nil {
		_ = k.root.Close()
		if isContentError(err) {
			d.unreported, err = append(d.unreported, k.damageError(manifestName, err.Error(), "")), nil
		}
		return nil, err
	}
	if d.earlier != nil {
		_ = d.earlier.root.Close()
	}
	d.earlier = k
	return d.noteGeneration(m), nil
}

// openEarlier opens the parent if it has a manifest of this map and the directory of
// the map has none, and returns nil if not. The note in the parent's lock file names
// the map.
func (d *directory) openEarlier() (*disk, error) {
	if d.disk != nil {
		for _, name := range manifestNames {
			if _, err := d.disk.root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
		}
	}
	path := filepath.Dir(d.path)
	if _, err := os.Lstat(filepath.Join(path, manifestName)); err != nil {
		return nil, nil
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", path, err)
	}
	k := &disk{path: path, root: root}
	if f, err := root.Open(lockName); err == nil {
		owner := readNote(f).owner
		_ = f.Close()
		if owner != "" && owner != d.owner && filepath.Base(owner) != filepath.Base(d.mapPath) {
			return nil, root.Close()
		}
	}
	return k, nil
}
