package source

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// pathEvents sums up the events of one path since inbox.take. It describes the
// file that is there now: a removal clears the events before it, a creation
// clears the writes before it.
type pathEvents struct {
	path        string
	first, last time.Time
	created     bool // the path was given to a file
	moved       bool // the file came by rename from a watched directory
	wrote       bool // the file has been written since
	gone        bool // the last event took the path away
}

// An inbox gathers events until its reader takes them. Writing to an inbox never
// waits for the reader; see [notifier].
type inbox struct {
	wake chan struct{} // has an element when the inbox is not empty

	mu         sync.Mutex
	events     map[string]pathEvents // :: path → its events
	overflowed bool                  // events were lost
}

func newInbox() *inbox {
	return &inbox{wake: make(chan struct{}, 1), events: make(map[string]pathEvents)}
}

// An event is one event of fsnotify without its path.
type event struct {
	op    fsnotify.Op
	moved bool // see [isMove]
	at    time.Time
}

func (in *inbox) put(path string, ev event) {
	in.mu.Lock()
	defer in.mu.Unlock()
	e, ok := in.events[path]
	if !ok {
		e.path, e.first = path, ev.at
	}
	e.last = ev.at
	if ev.op.Has(fsnotify.Remove | fsnotify.Rename) {
		e.created, e.moved, e.wrote, e.gone = false, false, false, true
	}
	if ev.op.Has(fsnotify.Create) {
		e.created, e.moved, e.wrote, e.gone = true, ev.moved, false, false
	}
	if ev.op.Has(fsnotify.Write) {
		e.wrote = true
	}
	in.events[path] = e
	in.signal()
}

func (in *inbox) markOverflowed() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.overflowed = true
	in.signal()
}

// signal wakes the reader. The caller holds mu.
func (in *inbox) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// take empties the inbox. It returns the events in the order of their last ones:
// a file that was written before a link was swapped to it is complete, a file
// that was written after the swap is not.
func (in *inbox) take() (events []pathEvents, overflowed bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.events) > 0 {
		events = slices.SortedFunc(maps.Values(in.events), func(a, b pathEvents) int { return a.last.Compare(b.last) })
		clear(in.events)
	}
	overflowed, in.overflowed = in.overflowed, false
	return events, overflowed
}

// isMove reports whether a file was not created but renamed from a directory
// that is watched too, and so came with all its content. Only the text of the
// fsnotify event shows a rename, by the old name in it.
func isMove(ev fsnotify.Event) bool {
	return ev.Has(fsnotify.Create) && ev.String() != fsnotify.Event{Name: ev.Name, Op: ev.Op}.String()
}
