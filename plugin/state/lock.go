package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// lockName is the file that is locked while the directory is written to. The file is
// never removed: two processes could then each lock a file of that name.
const lockName = "lock"

// errLocked is the error of tryLock if another process has the lock.
var errLocked = errors.New("locked by another process")

// parent is the directory that the state directories of maps are in. One process has
// its lock, for all maps in it.
type parent struct {
	path string
	key  string // path with its links followed

	mu          sync.Mutex
	file        *os.File // locked; nil if not
	directories map[*directory]struct{}
}

// parentAt returns the parent at path of the open directories, or a new one.
func parentAt(path string) *parent {
	key, err := filepath.EvalSymlinks(path)
	if err != nil {
		key = path
	}
	i := slices.IndexFunc(openState.directories, func(d *directory) bool { return d.parent.key == key })
	if i >= 0 {
		return openState.directories[i].parent
	}
	return &parent{path: path, key: key, directories: make(map[*directory]struct{})}
}

// lockFor returns the locked file, and locks it for the first directory.
func (a *parent) lockFor(d *directory) (*os.File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil && a.checkLockFile(a.file) != nil { // The locked file is elsewhere now.
		_ = a.unlock()
	}
	if a.file == nil {
		var err error
		if a.file, err = a.lock(d.owner); err != nil {
			return nil, err
		}
	}
	a.directories[d] = struct{}{}
	return a.file, nil
}

// unlockFor unlocks the file for the last directory.
func (a *parent) unlockFor(d *directory) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.directories, d)
	if len(a.directories) > 0 || a.file == nil {
		return nil
	}
	return a.unlock()
}

// unlock unlocks and closes the file. Closing alone would leave the lock with a child
// process that is being started, which has all open files until it runs.
func (a *parent) unlock() error {
	err := errors.Join(unlock(a.file), a.file.Close())
	a.file = nil
	return err
}

// checkLocked returns an error if f is not the locked file, or no longer at its path.
func (a *parent) checkLocked(f *os.File) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f != a.file {
		return fmt.Errorf("the state directory %q was replaced while in use: acquire it anew", a.path)
	}
	return a.checkLockFile(f)
}

// checkLockFile returns an error if f is no longer the file at its path.
func (a *parent) checkLockFile(f *os.File) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	path := filepath.Join(a.path, lockName)
	if now, err := os.Stat(path); err != nil || !os.SameFile(now, mine) {
		return fmt.Errorf("%q was removed or replaced while in use: acquire it anew", path)
	}
	return nil
}

// lock locks the lock file and writes a lockNote into it. Another kind of file in its
// place, which cannot be locked, is set aside.
func (a *parent) lock(owner string) (*os.File, error) {
	root, err := os.OpenRoot(a.path)
	if err != nil {
		return nil, (&disk{path: a.path}).stepError("open", "", err)
	}
	defer root.Close()
	k := &disk{path: a.path, root: root}
	if fi, err := root.Lstat(lockName); err == nil && !fi.Mode().IsRegular() {
		_ = k.setAside(lockName)
	}
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, k.stepError("write", lockName, err)
	}
	err = tryLock(f)
	switch {
	case errors.Is(err, errLocked):
		err = fmt.Errorf("%s uses it: give every server a directory of its own", readNote(f))
	case err != nil:
		err = k.stepError("lock", lockName, err)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := root.Lstat(manifestName); err == nil { // The note says which map the manifest here is of.
		if earlier := readNote(f).owner; earlier != "" {
			owner = earlier
		}
	}
	// The note is for people: a full disk leaves it out.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"+owner+"\n"), 0)
	}
	return f, nil
}

// lockNote names the process that has locked a lock file.
type lockNote struct{ pid, owner string }

// readNote reads the note in a lock file, empty if there is none.
func readNote(f io.ReaderAt) (n lockNote) {
	text, _ := io.ReadAll(io.NewSectionReader(f, 0, 1024))
	pid, owner, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if _, err := strconv.Atoi(pid); err != nil {
		return lockNote{}
	}
	return lockNote{pid, owner}
}

func (n lockNote) String() string {
	if n.pid == "" {
		return "another process"
	}
	return fmt.Sprintf("process %s (%q)", n.pid, n.owner)
}
