package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// eyes are the notifications of the kernel and what is done without them. They
// are not safe for concurrent use.
type eyes struct {
	open func() (*fsnotify.Watcher, error)             // fsnotify.NewWatcher but in tests
	add  func(fw *fsnotify.Watcher, path string) error // fw.Add but in tests

	fw      *fsnotify.Watcher // nil if there are no notifications
	inbox   *inbox
	pumping sync.WaitGroup
	watched map[string]fileID // :: physical path → what is watched under it
	blind   error             // why not all is watched; nil if it is
}

func newEyes() *eyes {
	return &eyes{
		open:    fsnotify.NewWatcher,
		add:     (*fsnotify.Watcher).Add,
		inbox:   newInbox(),
		watched: make(map[string]fileID),
	}
}

// tryOpen opens the notifications unless they are.
func (e *eyes) tryOpen() {
	if e.fw != nil {
		return
	}
	fw, err := e.open()
	if err != nil {
		e.blind = fmt.Errorf("no file notifications: %w", err)
		return
	}
	e.fw, e.blind = fw, nil
	e.pumping.Go(func() { e.inbox.pump(fw.Events, fw.Errors) })
}

// close ends the notifications and waits until nothing of them is left.
func (e *eyes) close() error {
	if e.fw == nil {
		return nil
	}
	err := e.fw.Close()
	e.pumping.Wait()
	e.fw = nil
	clear(e.watched)
	return err
}

// watch makes the watches be on want, and no others. Afresh, those that are
// there already are placed again, in case the kernel has dropped one and the
// word of it was lost. It returns what may not have been watched a moment ago,
// so that changes there were not told, and whether what is wanted may be wrong
// by now, so that the caller must walk the routes again.
func (e *eyes) watch(want map[string]fileID, afresh bool) (added map[fileID]bool, again bool) {
	if e.fw == nil {
		return nil, false
	}
	for path, id := range e.watched {
		if want[path] != id {
			e.forget(path)
		}
	}
	e.blind, added = nil, make(map[fileID]bool)
	for path, id := range want {
		_, old := e.watched[path]
		if old && !afresh {
			continue
		}
		if err := e.add(e.fw, path); err != nil {
			e.forget(path)
			again = again || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
			if e.blind == nil {
				e.blind = fmt.Errorf("not watching %q: %w", path, err)
			}
			continue
		}
		e.watched[path] = id
		again = true
		if !old {
			added[id] = true
		}
	}
	return added, again
}

// forget takes the watch off path. fsnotify binds watches to paths: one that is
// left on a directory that was moved away would stand in the way of the next.
func (e *eyes) forget(path string) {
	if _, ok := e.watched[path]; ok {
		delete(e.watched, path)
		_ = e.fw.Remove(path) // It may be gone by itself.
	}
}

// remedy says what an operator can do about err, with the separator before it.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return ": raise the sysctl fs.inotify.max_user_watches"
	case errors.Is(err, syscall.EMFILE):
		return ": raise the sysctl fs.inotify.max_user_instances"
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

// withMounts adds to dirs the files of the tree that are mount points.
func withMounts(dirs map[string]fileID, t *tree) map[string]fileID {
	for path := range mountPoints(mountInfo) {
		dir, name := split(path)
		id, ok := dirs[dir]
		if !ok || len(t.files[spot{id, name}]) == 0 {
			continue
		}
		if fi, err := os.Lstat(path); err == nil && !fi.IsDir() {
			dirs[path], _, _ = details(path, fi)
		}
	}
	return dirs
}
