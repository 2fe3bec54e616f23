package source

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A kernel is the notifications of the kernel, for all Watchers that share it:
// Linux gives a user 128 queues of them as a rule (inotify(7),
// max_user_instances), and a server may have more maps.
type kernel struct {
	open func() (*fsnotify.Watcher, error)             // fsnotify.NewWatcher but in tests
	add  func(fw *fsnotify.Watcher, path string) error // fw.Add but in tests

	// mu is held while watches are placed. The pump must never wait for it:
	// fsnotify holds its lock while it delivers some errors, and whoever adds a
	// watch then waits for that lock.
	mu      sync.Mutex
	fw      *fsnotify.Watcher // nil while nobody uses it
	pumping sync.WaitGroup

	// table is held besides mu to change what follows. The pump needs it, so that
	// whoever holds it must wait for nothing.
	table   sync.Mutex
	inboxes map[*inbox]struct{} // of all that use it
	paths   map[string]*watch   // :: physical path → what is watched under it
	ids     map[fileID]*watch   // the same
}

// A watch is on a directory or a file. The kernel knows each once, whatever paths
// it has by mounts, and tells of it under the one.
type watch struct {
	path  string
	id    fileID
	tell  map[listener]struct{}
	doubt bool // its path may lead elsewhere by now
}

// A listener is an inbox, and the path under which it knows what is watched.
type listener struct {
	inbox *inbox
	path  string
}

// shared is the kernel of the process.
var shared = newKernel()

func newKernel() *kernel {
	return &kernel{
		open:    fsnotify.NewWatcher,
		add:     (*fsnotify.Watcher).Add,
		inboxes: make(map[*inbox]struct{}),
		paths:   make(map[string]*watch),
		ids:     make(map[fileID]*watch),
	}
}

// join opens the notifications for one more inbox, which must leave.
func (k *kernel) join(in *inbox) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fw == nil {
		fw, err := k.open()
		if err != nil {
			return fmt.Errorf("no file notifications: %w", err)
		}
		k.fw = fw
		k.pumping.Go(func() { k.pump(fw.Events, fw.Errors) })
	}
	k.table.Lock()
	defer k.table.Unlock()
	k.inboxes[in] = struct{}{}
	return nil
}

// leave is for an inbox for which nothing is watched any more. After the last,
// nothing of the notifications is left.
func (k *kernel) leave(in *inbox) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.table.Lock()
	delete(k.inboxes, in)
	k.table.Unlock()
	if len(k.inboxes) > 0 {
		return nil
	}
	err := k.fw.Close()
	k.pumping.Wait()
	k.fw = nil
	return err
}

// place sees to it that what happens at l.path, and in it, is told. A watch that
// is there already is placed again, in case the kernel has dropped it.
func (k *kernel) place(l listener, id fileID) (*watch, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w := k.paths[l.path]; w != nil && (w.id != id || w.doubt) {
		k.remove(w)
	}
	w := k.ids[id]
	if w != nil && w.path != l.path && (w.doubt || !w.stands()) {
		k.remove(w)
		w = nil
	}
	k.table.Lock() // First the listener, so that nothing is told to nobody.
	if w == nil {
		w = &watch{path: l.path, id: id, tell: make(map[listener]struct{})}
		k.paths[w.path], k.ids[id] = w, w
	}
	w.tell[l] = struct{}{}
	k.table.Unlock()
	if err := k.add(k.fw, w.path); err != nil {
		k.unlisten(w, l)
		return nil, err
	}
	return w, nil
}

// stands reports whether the path of w leads to what is watched.
func (w *watch) stands() bool {
	fi, err := os.Lstat(w.path)
	if err != nil {
		return false
	}
	id, _, _ := details(w.path, fi)
	return id == w.id
}

// drop makes what w is on be told to l no more. If in doubt, the watch is not to
// be relied on by others either.
func (k *kernel) drop(w *watch, l listener, doubt bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w.doubt = w.doubt || doubt
	k.unlisten(w, l)
}

// unlisten must be called with mu held.
func (k *kernel) unlisten(w *watch, l listener) {
	k.table.Lock()
	delete(w.tell, l)
	k.table.Unlock()
	if len(w.tell) == 0 {
		k.remove(w)
	}
}

// remove takes a watch away, by its path: fsnotify would take one that is left on a
// directory that was moved for that of the next. Who relied on it has to look for
// itself. It must be called with mu held.
func (k *kernel) remove(w *watch) {
	if k.paths[w.path] != w {
		return // It is done.
	}
	k.table.Lock()
	delete(k.paths, w.path)
	delete(k.ids, w.id)
	for l := range w.tell {
		l.inbox.lose()
	}
	clear(w.tell)
	k.table.Unlock()
	_ = k.fw.Remove(w.path) // It may be gone by itself.
}

// pump empties the channels into the inboxes until both are closed.
func (k *kernel) pump(events <-chan fsnotify.Event, errs <-chan error) {
	for events != nil || errs != nil {
		select {
		case ev, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			k.tell(ev, time.Now())
		case _, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			// fsnotify.ErrEventOverflow, or the kernel's queue could not be
			// read: in either case anything may have happened.
			k.lose()
		}
	}
}

// tell puts an event into the inboxes of those that listen there.
func (k *kernel) tell(ev fsnotify.Event, now time.Time) {
	path := filepath.Clean(ev.Name) // fsnotify writes "//name" for what is in the root directory.
	dir, name := split(path)
	h := happening{ev.Op, isMove(ev), now}
	k.table.Lock()
	defer k.table.Unlock()
	if w := k.paths[path]; w != nil {
		for l := range w.tell {
			l.inbox.put(l.path, h)
		}
	}
	if w := k.paths[dir]; w != nil && dir != path {
		for l := range w.tell {
			l.inbox.put(filepath.Join(l.path, name), h)
		}
	}
}

func (k *kernel) lose() {
	k.table.Lock()
	defer k.table.Unlock()
	for in := range k.inboxes {
		in.lose()
	}
}
