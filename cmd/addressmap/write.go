package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// secret is the mode of a new file that holds origin addresses.
const secret fs.FileMode = 0o600

// writeFile replaces the content of the file at path atomically: a reader sees the old
// content or all of data. Owner, group and mode of an existing file stay; a new file has
// perm, less what the umask takes away. Where perm lets nobody else read, nobody else can
// read an existing file either: its group is the operator's choice, the world is not. If
// path is a symbolic link, its target is written, not the link.
func writeFile(path string, data []byte, perm fs.FileMode) (err error) {
	old, err := os.Stat(path)
	if err == nil && !old.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: name another one, or none for the standard output", path)
	}
	path, err = target(path)
	if err != nil {
		return err
	}
	old, err = os.Stat(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil:
		old = nil
	}
	f, err := createBeside(path, perm, old == nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if old != nil {
		if err := giveTo(f, old); err != nil {
			return fmt.Errorf("cannot keep the owner of %s: run as root or as its owner, or remove it: %w", path, err)
		}
		mode := old.Mode().Perm()
		if perm&0o007 == 0 {
			mode &^= 0o007
		}
		if err := f.Chmod(mode); err != nil {
			return err
		}
	} else if perm == secret {
		if err := f.Chmod(perm); err != nil { // whatever the umask
			return err
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// createBeside creates a file with another name in the directory of path. Only a new file
// is open to others before it has its owner.
func createBeside(path string, perm fs.FileMode, isNew bool) (*os.File, error) {
	if !isNew {
		perm = secret
	}
	dir, base := filepath.Split(path)
	return os.OpenFile(filepath.Join(dir, "."+base+"."+rand.Text()[:8]), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// target follows the symbolic links of path, also to a file that is not there yet.
func target(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real, nil
	}
	to, isLink := follow(path)
	if !isLink || !errors.Is(err, fs.ErrNotExist) {
		return path, nil // Opening it returns the error, if there is one.
	}
	return target(to)
}

// follow returns where the symbolic link at path leads to, if it is one.
func follow(path string) (to string, isLink bool) {
	to, err := os.Readlink(path)
	if err != nil {
		return "", false
	}
	if filepath.IsAbs(to) {
		return to, true
	}
	dir := filepath.Dir(path)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // ".." in a link is that of the real directory.
	}
	return filepath.Join(dir, to), true
}

// mayWrite returns an error if there is a file at path, unless force is set.
func mayWrite(path string, force bool) error {
	if path == "" || force {
		return nil
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: give it with --force to overwrite it", path)
	}
	return nil
}
