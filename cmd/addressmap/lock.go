package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// lockMap waits until no other process reads, edits and writes the document at path, and
// keeps others from it until unlock is called. The lock is a file beside the document: the
// document itself is replaced when it is written, which a lock on it would not survive.
func lockMap(path string) (unlock func(), err error) {
	path, err = target(path)
	if err != nil {
		return nil, err
	}
	dir, base := filepath.Split(path)
	lock := filepath.Join(dir, "."+base+".lock")
	for {
		f, err := lockedfile.Edit(lock)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot write %s: the directory %s is missing: make it, or name another file", path, filepath.Clean(dir))
		}
		if err != nil {
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		// Whoever had the lock before has removed its file: another one may be there.
		mine, err := f.Stat()
		now, gone := os.Stat(lock)
		if err == nil && gone == nil && os.SameFile(mine, now) {
			return func() {
				_ = os.Remove(lock)
				_ = f.Close()
			}, nil
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}
