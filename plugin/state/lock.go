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

// lockName is the file that is locked while the directory is written to. It is
// never removed: two processes could then each lock one of that name.
const lockName = "lock"

// errLocked is what tryLock returns if another process has the lock.
var errLocked = errors.New("locked by another process")

// above is the directory that those of maps are in. Its lock belongs to the process,
// for all of them.
type above struct {
	path string
	key  string // the same with its links followed

	mu    sync.Mutex
	file  *os.File // locked; nil if not
	users map[*directory]struct{}
}

// aboveAt returns the one at path that the directories in use know, or a new one.
func aboveAt(path string) *above {
	key, err := filepath.EvalSymlinks(path)
	if err != nil {
		key = path
	}
	i := slices.IndexFunc(inUse.directories, func(d *directory) bool { return d.above.key == key })
	if i >= 0 {
		return inUse.directories[i].above
	}
	return &above{path: path, key: key, users: make(map[*directory]struct{})}
}

// join returns the locked file, and locks it for the first directory.
func (a *above) join(d *directory) (*os.File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil && a.found(a.file) != nil { // It is that of a directory elsewhere.
		_ = a.unlock()
	}
	if a.file == nil {
		var err error
		if a.file, err = a.lock(d.owner); err != nil {
			return nil, err
		}
	}
	a.users[d] = struct{}{}
	return a.file, nil
}

// leave unlocks the file with the last directory.
func (a *above) leave(d *directory) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.users, d)
	if len(a.users) > 0 || a.file == nil {
		return nil
	}
	return a.unlock()
}

// unlock lets others lock the file. The lock goes with it, but not if a child of
// this process is just being started, which has all files until it runs.
func (a *above) unlock() error {
	err := errors.Join(unlock(a.file), a.file.Close())
	a.file = nil
	return err
}

// inPlace returns an error if the file is no longer the one that is locked and found
// at its path.
func (a *above) inPlace(f *os.File) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f != a.file {
		return fmt.Errorf("the state directory %q was replaced while in use: acquire it anew", a.path)
	}
	return a.found(f)
}

func (a *above) found(f *os.File) error {
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

// lock locks the lock file and notes in it who did. What is in its place and can be
// locked by nobody is set aside.
func (a *above) lock(owner string) (*os.File, error) {
	root, err := os.OpenRoot(a.path)
	if err != nil {
		return nil, (&disk{path: a.path}).failed("open", "", err)
	}
	defer root.Close()
	k := &disk{path: a.path, root: root, settled: make(map[string]bool)}
	if fi, err := root.Lstat(lockName); err == nil && !fi.Mode().IsRegular() {
		_ = k.aside(lockName)
	}
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, k.failed("write", lockName, err)
	}
	err = tryLock(f)
	switch {
	case errors.Is(err, errLocked):
		err = fmt.Errorf("%s uses it: give every server a directory of its own", readNote(f))
	case err != nil:
		err = k.failed("lock", lockName, err)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := root.Lstat(manifestName); err == nil { // It says whose that is.
		if earlier := readNote(f).owner; earlier != "" {
			owner = earlier
		}
	}
	// The note is for people: on a full disk there is none.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"+owner+"\n"), 0)
	}
	return f, nil
}

// note is who a lock file says has locked it.
type note struct{ pid, owner string }

// readNote reads the note in a lock file; it is empty if there is none.
func readNote(f io.ReaderAt) (n note) {
	text, _ := io.ReadAll(io.NewSectionReader(f, 0, 1024))
	pid, owner, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if _, err := strconv.Atoi(pid); err != nil {
		return note{}
	}
	return note{pid, owner}
}

func (n note) String() string {
	if n.pid == "" {
		return "another process"
	}
	return fmt.Sprintf("process %s (%q)", n.pid, n.owner)
}
