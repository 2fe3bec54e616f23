package state

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
)

const (
	copyName    = manifestName + ".copy"
	damagedName = "damaged"
	// maxDamaged is how many damaged files stay to be looked at: a disk that
	// fails damages many.
	maxDamaged = 16
)

// copies are the files that each say what is saved, the newer one first.
var copies = []string{manifestName, copyName}

// errLater says that a later version of this program wrote a file. It is not
// damaged, and must not be written over.
var errLater = errors.New("a later version of this program wrote it: use that, or give this one another directory")

// take returns what is saved, as it was found when the directory was locked if
// nobody has asked since.
func (d *directory) take() (*Manifest, error) {
	if m := d.found; m != nil {
		d.found = nil
		return m, nil
	}
	if d.disk == nil && d.look() != nil {
		return d.earlier()
	}
	m, err := d.saved()
	if m == nil && err == nil && d.lock == nil {
		return d.earlier()
	}
	return m, err
}

// saved reads what is saved: the newer copy of those that are whole, with the higher
// serials of both. What is wrong with the other one is noted. If there is none, the error is why one could not be read.
func (d *directory) saved() (*Manifest, error) {
	var whole *Manifest
	var unread, gone error
	for _, name := range copies {
		m, err := d.disk.manifest(name)
		switch {
		case errors.Is(err, errLater):
			return nil, err
		case errors.Is(err, fs.ErrNotExist):
			gone = d.disk.damaged(name, "it is missing", "")
		case isWrong(err):
			_ = d.damage(name, err.Error()) // told by Damage
		case err != nil:
			unread = err
		case whole == nil || m.generation > whole.generation:
			whole = newer(m, whole)
		default:
			whole = newer(whole, m)
		}
	}
	if whole == nil {
		return nil, unread
	}
	for _, err := range []error{unread, gone} {
		if err != nil {
			d.damaged = append(d.damaged, err)
		}
	}
	return d.numbered(whole), nil
}

// numbered notes the generation of a manifest that was read, and takes it out.
func (d *directory) numbered(m *Manifest) *Manifest {
	d.generation = max(d.generation, m.generation)
	m.generation = 0
	return m
}

// newer returns m with the serials of an older copy where they are higher. The older one
// may be nil.
func newer(m, older *Manifest) *Manifest {
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

// manifest reads a manifest: an fs.ErrNotExist if there is none, a wrongError if it
// is damaged.
func (k *disk) manifest(name string) (*Manifest, error) {
	text, err := k.read(name)
	if err != nil {
		return nil, err
	}
	m, err := decode(text)
	switch {
	case errors.Is(err, errLater):
		return nil, fmt.Errorf("%q: %w", filepath.Join(k.path, name), err)
	case err != nil:
		return nil, wrongError(err.Error())
	}
	return m, nil
}

// damage notes that a file is not as it was saved, and sets it aside if this
// process may write. It returns the error that says so.
func (d *directory) damage(name, how string) error {
	to := ""
	if d.lock != nil {
		to = d.disk.aside(name)
	}
	err := d.disk.damaged(name, how, to)
	d.damaged = append(d.damaged, err)
	return err
}

// aside moves a file out of the way and returns where it is, "" if that failed:
// it is written over then.
func (k *disk) aside(name string) string {
	to := path.Join(damagedName, path.Base(name))
	if _, err := k.root.Lstat(name); err != nil {
		return "" // there is nothing
	}
	if fi, err := k.root.Lstat(damagedName); err == nil && !fi.IsDir() {
		_ = k.root.Remove(damagedName)
	}
	if k.mkdir(damagedName) != nil {
		return ""
	}
	_ = k.root.RemoveAll(to) // the one of that name before
	if k.root.Rename(name, to) != nil {
		return ""
	}
	k.unsettled(path.Dir(name))
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

// wrongError is how what was read is not what was written.
type wrongError string

func (e wrongError) Error() string { return string(e) }

func isWrong(err error) bool { return errors.As(err, new(wrongError)) }

// damaged says that a file is not as it was saved, where it was set aside, and what
// to do.
func (k *disk) damaged(name, how, aside string) error {
	where := ""
	if aside != "" {
		where = fmt.Sprintf(": it was set aside as %q", filepath.Join(k.path, aside))
	}
	return fmt.Errorf("%w: %q: %s%s: check the disk, and put the file back from a backup if what it held is missed",
		ErrDamaged, filepath.Join(k.path, name), how, where)
}
