package source

import (
	"io/fs"
	"syscall"
)

// fileDetails returns the properties of a file that package fs has no method for: its
// identity, the time of its last change of any kind in nanoseconds, and its number of
// names.
func fileDetails(_ string, fi fs.FileInfo) (id fileID, ctime int64, links uint64) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, 0, 1
	}
	return fileID{uint64(st.Dev), st.Ino}, st.Ctim.Nano(), uint64(st.Nlink)
}
