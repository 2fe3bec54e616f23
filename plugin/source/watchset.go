package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A watchSet holds the watches of one Watcher at a shared notifier. It is not
// safe for concurrent use.
type watchSet struct {
	notifier *notifier
	joined   bool // false if there are no notifications
	inbox    *inbox
	watched  map[string]*watch // :: physical path → its watch
	err      error             // why a directory is not watched; nil if all are
}

func newWatchSet(n *notifier) *watchSet {
	return &watchSet{notifier: n, inbox: newInbox(), watched: make(map[string]*watch)}
}

// tryOpen joins the notifier unless the set has joined it.
func (ws *watchSet) tryOpen() {
	if ws.joined {
		return
	}
	ws.err = ws.notifier.join(ws.inbox)
	ws.joined = ws.err == nil
}

// close removes the watches and leaves the notifier. The last set that leaves
// closes the notifier.
func (ws *watchSet) close() error {
	if !ws.joined {
		return nil
	}
	for path := range ws.watched {
		ws.remove(path, false)
	}
	ws.joined = false
	return ws.notifier.leave(ws.inbox)
}

// watch places watches on the paths of want and removes all others. If afresh is
// set, existing watches are placed again too, in case the kernel has dropped one
// and the event that says so was lost. watch returns the new watches, before
// which changes went unnoticed, and whether the caller must walk the routes
// again because want may be outdated.
func (ws *watchSet) watch(want map[string]fileID, afresh bool) (added map[fileID]bool, again bool) {
	if !ws.joined {
		return nil, false
	}
	for path, w := range ws.watched {
		if id, wanted := want[path]; !wanted || id != w.id {
			ws.remove(path, false)
		}
	}
	ws.err, added = nil, make(map[fileID]bool)
	for path, id := range want {
		_, old := ws.watched[path]
		if old && !afresh {
			continue
		}
		w, err := ws.notifier.addWatch(listener{ws.inbox, path}, id)
		if err != nil {
			ws.remove(path, false)
			again = again || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
			if ws.err == nil {
				ws.err = fmt.Errorf("not watching %q: %w", path, err)
			}
			continue
		}
		ws.watched[path] = w
		again = true
		if !old {
			added[id] = true
		}
	}
	return added, again
}

// remove removes the watch of path. Uncertain says that path may lead to another
// file now than the watched one.
func (ws *watchSet) remove(path string, uncertain bool) {
	if w, ok := ws.watched[path]; ok {
		delete(ws.watched, path)
		ws.notifier.removeListener(w, listener{ws.inbox, path}, uncertain)
	}
}

// remedy returns the remedy for err, after a colon, or "" if none is known.
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

// splitPath returns the directory of a path, cleaned, and the last name.
func splitPath(path string) (dir, name string) {
	dir, name = filepath.Split(path)
	return filepath.Clean(dir), name
}

// withMounts adds to dirs the files of the tree that are mount points. The error
// says that the mount points are unknown.
func withMounts(dirs map[string]fileID, t *tree) (map[string]fileID, error) {
	points, err := mountPoints(mountInfo)
	for path := range points {
		dir, name := splitPath(path)
		id, ok := dirs[dir]
		if !ok || len(t.files[entry{id, name}]) == 0 {
			continue
		}
		if fi, err := os.Lstat(path); err == nil && !fi.IsDir() {
			dirs[path], _, _ = fileDetails(path, fi)
		}
	}
	return dirs, err
}
