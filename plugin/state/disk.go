package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// tmpSuffix ends the names of files that are being written.
const tmpSuffix = ".tmp"

// disk is an open directory. Its methods change the directory step by step; their
// names are relative to the directory, their errors have the whole path.
type disk struct {
	path string // absolute
	root *os.Root

	// synced are the directories of which all entries are on disk, as far as this
	// process knows. Several texts are replaced at the same time.
	synced sync.Map // :: name → struct{}

	// hook, if not nil, stands in for every step that changes the directory, so
	// that tests can watch the order of steps, and let one fail.
	hook func(s step, do func() error) error
}

// step is one change on disk.
type step struct {
	kind string // write, sync, rename, syncdir, mkdir or remove
	name string
}

// perform does one step.
func (k *disk) perform(kind, name string, f func() error) error {
	if k.hook != nil {
		return k.hook(step{kind, name}, f)
	}
	return f()
}

// replace makes data the content of a file. After a crash the file is as before or
// has all of data; the new content is certain once the directory of the file is
// synced.
func (k *disk) replace(name string, data []byte) (err error) {
	tmp := name + tmpSuffix
	f, err := k.root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return k.stepError("write", name, err)
	}
	defer func() {
		if err != nil {
			_ = k.root.Remove(tmp) // If that fails, the next process to lock the directory does it.
		}
	}()
	err = k.perform("write", tmp, func() error { _, err := f.Write(data); return err })
	if err == nil {
		err = k.perform("sync", tmp, f.Sync)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if fi, e := k.root.Lstat(name); e == nil && fi.IsDir() {
		_ = k.setAside(name) // A file cannot be renamed over a directory.
	}
	if err == nil {
		err = k.perform("rename", tmp, func() error { return k.root.Rename(tmp, name) })
	}
	if err != nil {
		return k.stepError("write", name, err)
	}
	return nil
}

// mkdir makes a directory if there is none. Another kind of file in its place is set
// aside.
func (k *disk) mkdir(name string) error {
	if fi, err := k.root.Stat(name); err == nil && fi.IsDir() {
		return nil
	} else if err == nil {
		_ = k.setAside(name)
	}
	k.markUnsynced(filepath.Dir(name))
	err := k.perform("mkdir", name, func() error { return k.root.Mkdir(name, 0o700) })
	if err != nil {
		return k.stepError("make", name, err)
	}
	return nil
}

// remove removes a file.
func (k *disk) remove(name string) error {
	return k.perform("remove", name, func() error { return k.root.Remove(name) })
}

// markUnsynced says that an entry of a directory is about to change.
func (k *disk) markUnsynced(dir string) { k.synced.Delete(dir) }

// syncOnce makes the entries of a directory durable unless they are.
func (k *disk) syncOnce(dir string) error {
	if _, is := k.synced.Load(dir); is {
		return nil
	}
	return k.syncDir(dir)
}

// syncDir makes the entries of a directory durable.
func (k *disk) syncDir(dir string) error {
	f, err := k.root.Open(dir)
	if err != nil {
		return k.stepError("open", dir, err)
	}
	defer f.Close()
	if err := k.perform("syncdir", dir, func() error { return syncEntries(f) }); err != nil {
		return k.stepError("sync", dir, err)
	}
	k.synced.Store(dir, struct{}{})
	return nil
}

// syncEntries syncs an open directory. Some file systems, mostly network ones, do not
// support that and return an error, for which there is no remedy.
func syncEntries(dir *os.File) error {
	err := dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// read returns a whole file. The error is an fs.ErrNotExist if there is no file, and a
// contentError if the file is not regular, or the disk has lost its content.
func (k *disk) read(name string) ([]byte, error) {
	// Without O_NONBLOCK, a FIFO in the place of the file would block.
	f, err := k.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, k.stepError("read", name, err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		return nil, contentError("it is no regular file")
	}
	var data []byte
	if err == nil {
		data = make([]byte, fi.Size())
		_, err = io.ReadFull(f, data)
	}
	if errors.Is(err, syscall.EIO) { // The disk has lost the content.
		return nil, contentError("it cannot be read: " + err.Error())
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, contentError("it is shorter than its size")
	}
	if err != nil {
		return nil, k.stepError("read", name, err)
	}
	return data, nil
}

// stepError returns the error of a step, with the remedy if one is known.
func (k *disk) stepError(verb, name string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch { // The paths of these are relative.
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
