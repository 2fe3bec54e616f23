//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// giveTo gives f the owner and group of old.
func giveTo(f *os.File, old fs.FileInfo) error {
	is, err := f.Stat()
	if err != nil {
		return err
	}
	now, _ := is.Sys().(*syscall.Stat_t)
	was, ok := old.Sys().(*syscall.Stat_t)
	if !ok || now == nil || now.Uid == was.Uid && now.Gid == was.Gid {
		return nil
	}
	return f.Chown(int(was.Uid), int(was.Gid))
}
