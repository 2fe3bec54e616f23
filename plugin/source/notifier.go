package source

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A notifier receives the kernel's notifications for all Watchers of the process:
// Linux gives a user 128 queues of notifications as a rule (inotify(7),
// max_user_instances), and a server may have more maps.
type notifier struct {
	open func() (*fsnotify.Watcher, error)             // fsnotify.NewWatcher but in tests
	add  func(fw *fsnotify.Watcher, path string) error // fw.Add but in tests

	// mu guards the placing of watches. forward must never wait for mu: fsnotify
	// locks a mutex of its own while it delivers some errors, and the adding of a
	// watch waits for that mutex.
	mu         sync.Mutex
	fw         *fsnotify.Watcher // nil while nobody uses it
	forwarding sync.WaitGroup

	// table guards the maps below, which change under mu and table. forward
	// locks table, so that a goroutine must not wait for anything under it.
	table   sync.Mutex
	inboxes map[*inbox]struct{} // the inboxes that have joined
	paths   map[string]*watch   // :: physical path → its watch
	ids     map[fileID]*watch   // :: file → its watch
}

// A watch is on a directory or a file. The kernel has one watch for a file, however
// many paths the file has by mounts, and names one path in its events.
type watch struct {
	path      string
	id        fileID
	listeners map[listener]struct{}
	uncertain bool // path may lead to another file by now
}

// A listener is an inbox with the path under which its Watcher knows the watched
// file.
type listener struct {
	inbox *inbox
	path  string
}

// shared is the notifier of the process.
var shared = newNotifier()

func newNotifier() *notifier {
	return &notifier{
		open:    fsnotify.NewWatcher,
		add:     (*fsnotify.Watcher).Add,
		inboxes: make(map[*inbox]struct{}),
		paths:   make(map[string]*watch),
		ids:     make(map[fileID]*watch),
	}
}

// join adds an inbox, and opens the kernel's queue for the first one. The inbox
// must leave.
func (n *notifier) join(in *inbox) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fw == nil {
		fw, err := n.open()
		if err != nil {
			return fmt.Errorf("no file notifications: %w", err)
		}
		n.fw = fw
		n.forwarding.Go(func() { n.forward(fw.Events, fw.Errors) })
	}
	n.table.Lock()
	defer n.table.Unlock()
	n.inboxes[in] = struct{}{}
	return nil
}

// leave removes an inbox, whose watches must be removed already. The last inbox
// that leaves closes the kernel's queue.
func (n *notifier) leave(in *inbox) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.table.Lock()
	delete(n.inboxes, in)
	n.table.Unlock()
	if len(n.inboxes) > 0 {
		return nil
	}
	err := n.fw.Close()
	n.forwarding.Wait()
	n.fw = nil
	return err
}

// addWatch makes the events at and in l.path go to l. An existing watch is placed
// again, in case the kernel has dropped it.
func (n *notifier) addWatch(l listener, id fileID) (*watch, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.paths[l.path]; w != nil && (w.id != id || w.uncertain) {
		n.removeWatch(w)
	}
	w := n.ids[id]
	if w != nil && w.path != l.path && (w.uncertain || !w.isCurrent()) {
		n.removeWatch(w)
		w = nil
	}
	n.table.Lock() // The listener comes first, so that no event is without one.
	if w == nil {
		w = &watch{path: l.path, id: id, listeners: make(map[listener]struct{})}
		n.paths[w.path], n.ids[id] = w, w
	}
	w.listeners[l] = struct{}{}
	n.table.Unlock()
	if err := n.add(n.fw, w.path); err != nil {
		n.removeListenerLocked(w, l)
		return nil, err
	}
	return w, nil
}

// isCurrent reports whether the path of w still leads to the watched file.
func (w *watch) isCurrent() bool {
	fi, err := os.Lstat(w.path)
	if err != nil {
		return false
	}
	id, _, _ := fileDetails(w.path, fi)
	return id == w.id
}

// removeListener ends the delivery of w's events to l. If uncertain is set, other
// listeners do not rely on w either.
func (n *notifier) removeListener(w *watch, l listener, uncertain bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w.uncertain = w.uncertain || uncertain
	n.removeListenerLocked(w, l)
}

// removeListenerLocked removes l, and w with its last listener. The caller holds
// mu.
func (n *notifier) removeListenerLocked(w *watch, l listener) {
	n.table.Lock()
	delete(w.listeners, l)
	n.table.Unlock()
	if len(w.listeners) == 0 {
		n.removeWatch(w)
	}
}

// removeWatch removes a watch by its path: fsnotify would take a watch that is left
// on a moved directory for the watch of the next directory of that path. The inboxes
// of its listeners count as overflowed. The caller holds mu.
func (n *notifier) removeWatch(w *watch) {
	if n.paths[w.path] != w {
		return // The watch is removed already.
	}
	n.table.Lock()
	delete(n.paths, w.path)
	delete(n.ids, w.id)
	for l := range w.listeners {
		l.inbox.markOverflowed()
	}
	clear(w.listeners)
	n.table.Unlock()
	_ = n.fw.Remove(w.path) // The kernel may have removed the watch itself.
}

// forward moves events from fsnotify's channels to the inboxes until both channels
// are closed.
func (n *notifier) forward(events <-chan fsnotify.Event, errs <-chan error) {
	for events != nil || errs != nil {
		select {
		case ev, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			n.dispatch(ev, time.Now())
		case _, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			// The error is fsnotify.ErrEventOverflow, or the kernel's queue
			// could not be read. In either case events are lost.
			n.overflow()
		}
	}
}

// dispatch puts an event into the inboxes of the listeners of its path and of the
// directory of its path.
func (n *notifier) dispatch(ev fsnotify.Event, now time.Time) {
	path := filepath.Clean(ev.Name) // fsnotify writes "//name" for a file in the root directory.
	dir, name := splitPath(path)
	e := event{ev.Op, isMove(ev), now}
	n.table.Lock()
	defer n.table.Unlock()
	if w := n.paths[path]; w != nil {
		for l := range w.listeners {
			l.inbox.put(l.path, e)
		}
	}
	if w := n.paths[dir]; w != nil && dir != path {
		for l := range w.listeners {
			l.inbox.put(filepath.Join(l.path, name), e)
		}
	}
}

// overflow marks all inboxes as overflowed.
func (n *notifier) overflow() {
	n.table.Lock()
	defer n.table.Unlock()
	for in := range n.inboxes {
		in.markOverflowed()
	}
}
