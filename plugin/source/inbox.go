package source

import (
	"maps"
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

// An inbox takes what happens as it is told. It never waits for the one who reads
// it, see [kernel].
type inbox struct {
	wake chan struct{} // has an element when there is something to take

	mu     sync.Mutex
	bursts map[string]burst // :: path → what happened there
	lost   bool             // events were lost
}

func newInbox() *inbox {
	return &inbox{wake: make(chan struct{}, 1), bursts: make(map[string]burst)}
}

// A happening is what an event tells, of whatever path.
type happening struct {
	op    fsnotify.Op
	moved bool // see [isMove]
	at    time.Time
}

func (in *inbox) put(path string, h happening) {
	in.mu.Lock()
	defer in.mu.Unlock()
	b, ok := in.bursts[path]
	if !ok {
		b.path, b.first = path, h.at
	}
	b.last = h.at
	if h.op.Has(fsnotify.Remove | fsnotify.Rename) {
		b.created, b.moved, b.wrote, b.gone = false, false, false, true
	}
	if h.op.Has(fsnotify.Create) {
		b.created, b.moved, b.wrote, b.gone = true, h.moved, false, false
	}
	if h.op.Has(fsnotify.Write) {
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
