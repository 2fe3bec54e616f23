package source

import (
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A burst is what has happened to one name since it was last looked at. Only
// what matters for the file there now is kept: a removal forgets all before it,
// a creation the writes before it.
type burst struct {
	path        string
	first, last time.Time
	created     bool // the name was given to a file
	moved       bool // that file came by rename from a watched directory
	wrote       bool // the file has been written since
	gone        bool // the name was taken away last
}

// An inbox takes the events from the kernel as they come. It must never wait for
// the one who reads it: fsnotify holds its lock while it delivers some errors,
// and whoever adds a watch then waits for that lock.
type inbox struct {
	wake chan struct{} // has an element when there is something to take

	mu     sync.Mutex
	bursts map[string]burst // :: path → what happened there
	lost   bool             // events were lost
}

func newInbox() *inbox {
	return &inbox{wake: make(chan struct{}, 1), bursts: make(map[string]burst)}
}

// pump empties the channels into the inbox until both are closed.
func (in *inbox) pump(events <-chan fsnotify.Event, errs <-chan error) {
	for events != nil || errs != nil {
		select {
		case ev, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			in.put(ev, time.Now())
		case _, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			// fsnotify.ErrEventOverflow, or the kernel's queue could not be
			// read: in either case anything may have happened.
			in.lose()
		}
	}
}

func (in *inbox) put(ev fsnotify.Event, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	path := filepath.Clean(ev.Name) // fsnotify writes "//name" for what is in the root directory.
	b, ok := in.bursts[path]
	if !ok {
		b.path, b.first = path, now
	}
	b.last = now
	if ev.Has(fsnotify.Remove | fsnotify.Rename) {
		b.created, b.moved, b.wrote, b.gone = false, false, false, true
	}
	if ev.Has(fsnotify.Create) {
		b.created, b.moved, b.wrote, b.gone = true, isMove(ev), false, false
	}
	if ev.Has(fsnotify.Write) {
		b.wrote = true
	}
	in.bursts[path] = b
	in.signal()
}

func (in *inbox) lose() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.lost = true
	in.signal()
}

// signal must be called with mu held.
func (in *inbox) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// take empties the inbox. It returns the bursts in the order in which they ended:
// a file that was written before a link was swapped to it is complete, one that
// was written after is not.
func (in *inbox) take() (bursts []burst, lost bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.bursts) > 0 {
		bursts = slices.SortedFunc(maps.Values(in.bursts), func(a, b burst) int { return a.last.Compare(b.last) })
		clear(in.bursts)
	}
	lost, in.lost = in.lost, false
	return bursts, lost
}

// isMove reports whether a file was not created but renamed from a directory
// that is watched too, so that it came with all its content. fsnotify knows, but
// tells only in the text: it adds the old name there.
func isMove(ev fsnotify.Event) bool {
	return ev.Has(fsnotify.Create) && ev.String() != fsnotify.Event{Name: ev.Name, Op: ev.Op}.String()
}
