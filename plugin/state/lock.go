package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// lockName is the file that is locked while the directory is written to. It is
// never removed: two processes could then each lock one of that name.
const lockName = "lock"

// errLocked is what tryLock returns if another process has the lock.
var errLocked = errors.New("locked by another process")

// lock locks the lock file and notes in it who did. What is in its place and can be
// locked by nobody is set aside.
func lock(k *disk, owner string) (*os.File, error) {
	if fi, err := k.root.Lstat(lockName); err == nil && !fi.Mode().IsRegular() {
		_ = k.aside(lockName)
	}
	f, err := k.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, k.failed("write", lockName, err)
	}
	err = tryLock(f)
	switch {
	case errors.Is(err, errLocked):
		err = fmt.Errorf("%s uses it: give every server a directory of its own", user(f))
	case err != nil:
		err = k.failed("lock", lockName, err)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// The note is for people: on a full disk there is none.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"+owner+"\n"), 0)
	}
	return f, nil
}

// user returns who the lock file says has locked it.
func user(f *os.File) string {
	note, _ := io.ReadAll(io.LimitReader(f, 1024))
	pid, owner, _ := strings.Cut(strings.TrimSpace(string(note)), "\n")
	if _, err := strconv.Atoi(pid); err != nil {
		return "another process"
	}
	return fmt.Sprintf("process %s (%q)", pid, owner)
}
