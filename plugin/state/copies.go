package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

const (
	copyName    = manifestName + ".copy"
	damagedName = "damaged"
	// maxDamaged is how many damaged files stay for people to look at: a disk
	// that fails damages many.
	maxDamaged = 16
)

// manifestNames are the two copies of the manifest, the newer one first.
var manifestNames = []string{manifestName, copyName}

// errLaterVersion says that a later version of this program wrote a file. The file is
// not damaged, and must not be written over.
var errLaterVersion = errors.New("a later version of this program wrote it: use that, or give this one another directory")

// takeManifest returns the saved manifest: as it was read when the directory was
// locked if this is the first call since, else as read now.
func (d *directory) takeManifest() (*Manifest, error) {
	if m := d.onLock; m != nil {
		d.onLock = nil
		return m, nil
	}
	if d.disk == nil && d.openDisk() != nil {
		return nil, nil // Acquire returns the error.
	}
	return d.readManifest()
}

// statManifest returns what is known of the manifest's file without reading it, nil if
// there is none.
func (d *directory) statManifest() os.FileInfo {
	info, err := os.Stat(filepath.Join(d.path, manifestName))
	if err != nil {
		return nil
	}
	return info
}

// readManifest reads the newer intact copy of the manifest, with the higher serials of
// both copies. Damage returns the errors of the other copy. If no copy is intact, the
// error says why one could not be read; it is nil if both are missing or damaged.
func (d *directory) readManifest() (*Manifest, error) {
	var whole *Manifest
	var unread, gone error
	for _, name := range manifestNames {
		m, err := d.disk.readCopy(name)
		switch {
		case errors.Is(err, errLaterVersion):
			return nil, err
		case errors.Is(err, fs.ErrNotExist):
			gone = d.disk.damageError(name, "it is missing", "")
		case isContentError(err):
			_ = d.noteDamage(name, err.Error()) // Damage returns the error.
		case err != nil:
			unread = err
		case whole == nil || m.generation > whole.generation:
			whole = withSerialsOf(m, whole)
		default:
			whole = withSerialsOf(whole, m)
		}
	}
	if whole == nil {
		return nil, unread
	}
	for _, err := range []error{unread, gone} {
		if err != nil {
			d.unreported = append(d.unreported, err)
		}
	}
	return d.noteGeneration(whole), nil
}

// noteGeneration moves the generation of a manifest that was read to d.
func (d *directory) noteGeneration(m *Manifest) *Manifest {
	d.generation = max(d.generation, m.generation)
	m.generation = 0
	return m
}

// withSerialsOf returns m with the serials of older where they are higher. The older
// copy may be nil.
func withSerialsOf(m, older *Manifest) *Manifest {
	if older != nil {
		for zone, n := range older.Serials {
			if n <= m.Serials[zone] {
				continue
			}
			if m.Serials == nil {
				m.Serials = make(map[string]uint32)
			}
			m.Serials[zone] = n
		}
	}
	return m
}

// readCopy reads a copy of the manifest. The error is an fs.ErrNotExist if there is no
// copy, and a contentError if the copy is damaged.
func (k *disk) readCopy(name string) (*Manifest, error) {
	text, err := k.read(name)
	if err != nil {
		return nil, err
	}
	m, err := decode(text)
	switch {
	case errors.Is(err, errLaterVersion):
		return nil, fmt.Errorf("%q: %w", filepath.Join(k.path, name), err)
	case err != nil:
		return nil, contentError(err.Error())
	}
	return m, nil
}

// noteDamage adds a damaged file to the unreported ones, and sets it aside if this
// process may write. It returns the error about the file.
func (d *directory) noteDamage(name, how string) error {
	to := ""
	if d.lock != nil {
		to = d.disk.setAside(name)
	}
	err := d.disk.damageError(name, how, to)
	d.unreported = append(d.unreported, err)
	return err
}

// setAside moves a file to the directory of damaged files and returns its new name, ""
// if that failed: the next write replaces the file then.
func (k *disk) setAside(name string) string {
	to := path.Join(damagedName, path.Base(name))
	if _, err := k.root.Lstat(name); err != nil {
		return "" // There is no file.
	}
	if fi, err := k.root.Lstat(damagedName); err == nil && !fi.IsDir() {
		_ = k.root.Remove(damagedName)
	}
	if k.mkdir(damagedName) != nil {
		return ""
	}
	_ = k.root.RemoveAll(to) // An earlier damaged file of that name.
	if k.root.Rename(name, to) != nil {
		return ""
	}
	k.markUnsynced(path.Dir(name))
	if f, err := k.root.Open(damagedName); err == nil {
		names, _ := f.Readdirnames(-1)
		_ = f.Close()
		others := slices.DeleteFunc(names, func(other string) bool { return other == path.Base(name) })
		for _, other := range others[:max(0, len(others)+1-maxDamaged)] {
			_ = k.root.RemoveAll(path.Join(damagedName, other))
		}
	}
	return to
}

// contentError says how a file differs from the one that was written.
type contentError string

func (e contentError) Error() string { return string(e) }

func isContentError(err error) bool { return errors.As(err, new(contentError)) }

// damageError returns an ErrDamaged about a file, with the name under which the file
// was set aside and the remedy.
func (k *disk) damageError(name, how, aside string) error {
	where := ""
	if aside != "" {
		where = fmt.Sprintf(": it was set aside as %q", filepath.Join(k.path, aside))
	}
	return fmt.Errorf("%w: %q: %s%s: check the disk, and put the file back from a backup if what it held is missed",
		ErrDamaged, filepath.Join(k.path, name), how, where)
}
