package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// eyes are what one Watcher sees of the notifications of the kernel, and what is
// done without them. They are not safe for concurrent use.
type eyes struct {
	kernel  *kernel
	joined  bool // false if there are no notifications
	inbox   *inbox
	watched map[string]*watch // :: physical path → the watch that tells of it
	blind   error             // why not all is watched; nil if it is
}

func newEyes(k *kernel) *eyes {
	return &eyes{kernel: k, inbox: newInbox(), watched: make(map[string]*watch)}
}

// tryOpen opens the notifications unless they are.
func (e *eyes) tryOpen() {
	if e.joined {
		return
	}
	e.blind = e.kernel.join(e.inbox)
	e.joined = e.blind == nil
}

// close ends the notifications. Nothing of them is left once all that share them
// have.
func (e *eyes) close() error {
	if !e.joined {
		return nil
	}
	for path := range e.watched {
		e.forget(path, false)
	}
	e.joined = false
	return e.kernel.leave(e.inbox)
}

// watch makes the watches be on want, and no others. Afresh, those that are
// there already are placed again, in case the kernel has dropped one and the
// word of it was lost. It returns what may not have been watched a moment ago,
// so that changes there were not told, and whether what is wanted may be wrong
// by now, so that the caller must walk the routes again.
func (e *eyes) watch(want map[string]fileID, afresh bool) (added map[fileID]bool, again bool) {
	if !e.joined {
		return nil, false
	}
	for path, w := range e.watched {
		if id, wanted := want[path]; !wanted || id != w.id {
			e.forget(path, false)
		}
	}
	e.blind, added = nil, make(map[fileID]bool)
	for path, id := range want {
		_, old := e.watched[path]
		if old && !afresh {
			continue
		}
		w, err := e.kernel.place(listener{e.inbox, path}, id)
		if err != nil {
			e.forget(path, false)
			again = again || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
			if e.blind == nil {
				e.blind = fmt.Errorf("not watching %q: %w", path, err)
			}
			continue
		}
		e.watched[path] = w
		again = true
		if !old {
			added[id] = true
		}
	}
	return added, again
}

// forget gives up the watch of path, in doubt if it may be on what is not there
// any more.
func (e *eyes) forget(path string, doubt bool) {
	if w, ok := e.watched[path]; ok {
		delete(e.watched, path)
		e.kernel.drop(w, listener{e.inbox, path}, doubt)
	}
}

// remedy says what an operator can do about err, with the separator before it.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return ": raise the sysctl fs.inotify.max_user_watches"
	case errors.Is(err, syscall.EMFILE):
		return ": raise the sysctl fs.inotify.max_user_instances, or the limit of open files (ulimit -n)"
	case errors.Is(err, fs.ErrPermission):
		return ": let the directory be read"
	}
	return ""
}

// split takes a path apart.
func split(path string) (dir, name string) {
	dir, name = filepath.Split(path)
	return filepath.Clean(dir), name
}

// withMounts adds to dirs the files of the tree that are mount points. The error
// is that they cannot be told.
func withMounts(dirs map[string]fileID, t *tree) (map[string]fileID, error) {
	points, err := mountPoints(mountInfo)
	for path := range points {
		dir, name := split(path)
		id, ok := dirs[dir]
		if !ok || len(t.files[spot{id, name}]) == 0 {
			continue
		}
		if fi, err := os.Lstat(path); err == nil && !fi.IsDir() {
			dirs[path], _, _ = details(path, fi)
		}
	}
	return dirs, err
}
