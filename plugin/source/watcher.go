package source

import (
	"context"
	"sync"
	"time"
)

// Options of a [Watcher]. The zero value watches without a poll and in silence.
type Options struct {
	// Poll is the interval at which the Watcher looks at all files, for changes
	// of which the kernel sends no notification: on NFS, or under a mount. With
	// 0 there is no poll; where the kernel sends no notifications at all, the
	// Watcher polls several times a second whatever Poll is.
	Poll time.Duration
	// Log, if not nil, takes warnings, in the manner of fmt.Printf and without
	// a line end. A warning is given once, until its cause has changed. Log must
	// not call the Watcher.
	Log func(format string, args ...any)
}

// A Change names files that may have other content than before.
type Change struct {
	// Paths are paths of the Set, and for a directory of the Set the paths of
	// its documents, joined to the directory's path as [List] does; sorted, each
	// once. A file that is named may have disappeared, or be unreadable. The
	// path of a directory stands for the coming and going of the directory, not
	// for its content: its documents are named one by one, each when it has
	// settled. Those that the swap of a link replaces or adds are named together,
	// unless somebody still writes to one of them.
	Paths []string
	// Noticed is when the first event of this Change was noticed.
	Noticed time.Time
}

// A Watcher reports when files or directories of files may have changed. It is
// safe for concurrent use.
//
// A Watcher reports a file within a second of its last write or close, when the
// file has settled: half a second after the last write, and after the writer has
// closed the file, if the system knows; at once if the file came by a rename or
// by the swap of a symbolic link, for such a file was complete before. A file
// that is written without ever pausing for half a second is reported after a
// while nevertheless, and [Watcher.Read] refuses it with [ErrBeingWritten].
type Watcher struct {
	log     func(format string, args ...any)
	poll    time.Duration
	changes chan Change
	inbox   *inbox
	wake    chan struct{} // has an element when Set has left something to do
	cancel  context.CancelFunc
	done    sync.WaitGroup
	close   func() error

	mu       sync.Mutex
	closed   bool
	watches  *watchSet
	pollOnly bool // the last log line about notifications said that they fail
	tree     tree

	roots       map[string]*root // :: path of the Set → its root
	directories []*root          // the roots that are directories
	routesStale bool             // a route or a link may lead elsewhere
	unchecked   map[*file]bool   // files to look at once the watches are placed

	pollAt     time.Time       // when to look at all files next, for the poll
	resyncAt   time.Time       // the same, because events were lost
	retryAt    time.Time       // the same, because the last sync was incomplete
	retry      time.Duration   // the pause before retryAt; 0 after a complete sync
	incomplete bool            // the sync under way could not look at all files
	syncTook   time.Duration   // how long the last sync of all files took
	unsettled  map[*file]bool  // files with a pending change
	settleAt   time.Time       // when the next of the unsettled files may have settled
	unreported map[string]bool // :: path → true; to be reported
	noticed    time.Time       // when the first of the unreported changes was
	change     *Change         // the Change of unreported; nil until it is made
}

// New returns a Watcher of no paths; see [Watcher.Set]. New does not fail: a
// Watcher without notifications polls, and logs that it does.
func New(o Options) *Watcher { return newWatcher(o, newWatchSet(shared)) }

func newWatcher(o Options, ws *watchSet) *Watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher{
		log:        o.Log,
		poll:       o.Poll,
		changes:    make(chan Change),
		inbox:      ws.inbox,
		wake:       make(chan struct{}, 1),
		cancel:     cancel,
		watches:    ws,
		tree:       newTree(),
		roots:      make(map[string]*root),
		unchecked:  make(map[*file]bool),
		unsettled:  make(map[*file]bool),
		unreported: make(map[string]bool),
	}
	if w.log == nil {
		w.log = func(string, ...any) {}
	}
	w.close = sync.OnceValue(w.shut)
	ws.tryOpen()
	w.logPollOnly()
	w.done.Go(func() { w.run(ctx) })
	return w
}

// Changes returns the channel of changes. While nobody receives, the Watcher
// gathers its changes into one. Close closes the channel.
func (w *Watcher) Changes() <-chan Change { return w.changes }

// SetPoll gives the Watcher another interval, see [Options].
func (w *Watcher) SetPoll(poll time.Duration) {
	w.mu.Lock()
	w.poll, w.pollAt = poll, time.Time{}
	w.mu.Unlock()
	w.wakeUp()
}

// Close ends the Watcher and waits until its goroutines and file descriptors are
// gone.
func (w *Watcher) Close() error { return w.close() }

func (w *Watcher) shut() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cancel()
	w.done.Wait()
	return w.watches.close()
}

// run waits for work, does it and delivers changes, until ctx ends.
func (w *Watcher) run(ctx context.Context) {
	defer close(w.changes)
	for {
		change, wait := w.step(time.Now())
		var out chan<- Change // nil, on which nothing is ever sent
		var c Change
		if change != nil {
			out, c = w.changes, *change
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-w.inbox.wake:
		case <-w.wake:
		case <-timer.C:
		case out <- c:
			w.delivered(change)
		}
		timer.Stop()
	}
}
