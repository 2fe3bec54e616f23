package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// migrate moves here what an earlier version of this program has saved of this map
// in the directory above. The texts come first: after a crash in between, they are
// here and the manifest follows, which gets its copy at last.
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
			return k.failed("move", name, err)
		}
		for _, dir := range []string{own, "."} {
			if err := k.syncDir(dir); err != nil {
				return err
			}
		}
	}
	text, err := d.disk.read(manifestName)
	if err != nil {
		return nil // saved says what is wrong
	}
	return d.disk.replace(copyName, text)
}

// earlier returns what is saved in the directory above, for whoever may not move it.
func (d *directory) earlier() (*Manifest, error) {
	k, err := d.openEarlier()
	if k == nil || err != nil {
		return nil, err
	}
	m, err := k.manifest(manifestName)
	if err != nil {
		_ = k.root.Close()
		if isWrong(err) {
			d.damaged, err = append(d.damaged, k.damaged(manifestName, err.Error(), "")), nil
		}
		return nil, err
	}
	if d.old != nil {
		_ = d.old.root.Close()
	}
	d.old = k
	return d.numbered(m), nil
}

// openEarlier opens the directory above if it has a manifest of this map and the map's
// own has none: nil if not. The lock file there says which map it is of.
func (d *directory) openEarlier() (*disk, error) {
	if d.disk != nil {
		for _, name := range copies {
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
	k := &disk{path: path, root: root, settled: make(map[string]bool)}
	if f, err := root.Open(lockName); err == nil {
		owner := readNote(f).owner
		_ = f.Close()
		if owner != "" && owner != d.owner && filepath.Base(owner) != filepath.Base(d.of) {
			return nil, root.Close()
		}
	}
	return k, nil
}
