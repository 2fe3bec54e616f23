package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// tmpSuffix ends the names of files that are being written.
const tmpSuffix = ".tmp"

// disk is what is done to a state directory, step by step. Its names are
// relative to the directory, its errors have the whole path.
type disk struct {
	path string // absolute
	root *os.Root

	// settled are the directories of which all entries are on disk, as far as
	// this process knows. Only replace does without the directory's lock.
	settled map[string]bool // :: name → true

	// tamper stands in for every step that changes something, so that tests can
	// see what is done in which order, and let it fail. It is nil elsewhere.
	tamper func(s step, do func() error) error
}

// step is one change of what is on disk.
type step struct {
	kind string // write, sync, rename, syncdir, mkdir or remove
	name string
}

// do does one step.
func (k *disk) do(kind, name string, f func() error) error {
	if k.tamper != nil {
		return k.tamper(step{kind, name}, f)
	}
	return f()
}

// replace makes data the content of the file, which is either as before or has
// all of data, after a crash too. That it is the new one lasts only when the
// directory it is in is synced.
func (k *disk) replace(name string, data []byte) (err error) {
	tmp := name + tmpSuffix
	f, err := k.root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return k.failed("write", name, err)
	}
	defer func() {
		if err != nil {
			_ = k.root.Remove(tmp) // else the next to lock the directory does
		}
	}()
	err = k.do("write", tmp, func() error { _, err := f.Write(data); return err })
	if err == nil {
		err = k.do("sync", tmp, f.Sync)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if fi, e := k.root.Lstat(name); e == nil && fi.IsDir() {
		_ = k.aside(name) // Nothing could be renamed over it.
	}
	if err == nil {
		err = k.do("rename", tmp, func() error { return k.root.Rename(tmp, name) })
	}
	if err != nil {
		return k.failed("write", name, err)
	}
	return nil
}

// mkdir makes a directory if there is none, in the place of what else may be there.
func (k *disk) mkdir(name string) error {
	if fi, err := k.root.Stat(name); err == nil && fi.IsDir() {
		return nil
	} else if err == nil {
		_ = k.aside(name)
	}
	k.unsettled(filepath.Dir(name))
	err := k.do("mkdir", name, func() error { return k.root.Mkdir(name, 0o700) })
	if err != nil {
		return k.failed("make", name, err)
	}
	return nil
}

// remove removes a file.
func (k *disk) remove(name string) error {
	return k.do("remove", name, func() error { return k.root.Remove(name) })
}

// unsettled notes that something is about to be made or renamed in a directory.
func (k *disk) unsettled(dir string) { delete(k.settled, dir) }

// settle makes the entries of a directory durable unless they are.
func (k *disk) settle(dir string) error {
	if k.settled[dir] {
		return nil
	}
	return k.syncDir(dir)
}

// syncDir makes the entries of a directory durable.
func (k *disk) syncDir(dir string) error {
	f, err := k.root.Open(dir)
	if err != nil {
		return k.failed("open", dir, err)
	}
	defer f.Close()
	if err := k.do("syncdir", dir, func() error { return syncEntries(f) }); err != nil {
		return k.failed("sync", dir, err)
	}
	k.settled[dir] = true
	return nil
}

// syncEntries syncs an open directory. Some file systems, of networks mostly,
// know no such thing and say so; there is nothing more that could be done.
func syncEntries(dir *os.File) error {
	err := dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// read returns a whole file: an fs.ErrNotExist if there is none, a wrongError if it
// is something else than a file, or the disk has lost it.
func (k *disk) read(name string) ([]byte, error) {
	// Without O_NONBLOCK, a FIFO in the file's place would hang us.
	f, err := k.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, k.failed("read", name, err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		return nil, wrongError("it is no regular file")
	}
	var data []byte
	if err == nil {
		data = make([]byte, fi.Size())
		_, err = io.ReadFull(f, data)
	}
	if errors.Is(err, syscall.EIO) { // The disk has lost it.
		return nil, wrongError("it cannot be read: " + err.Error())
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, wrongError("it is shorter than its size")
	}
	if err != nil {
		return nil, k.failed("read", name, err)
	}
	return data, nil
}

// failed says what could not be done, and what to do about it if that is known.
func (k *disk) failed(verb, name string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch { // whose path is relative and has been said
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	remedy := ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		remedy = ": make room there"
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		remedy = ": let the server read and write there"
	}
	return fmt.Errorf("cannot %s %q: %w%s", verb, filepath.Join(k.path, name), err, remedy)
}
