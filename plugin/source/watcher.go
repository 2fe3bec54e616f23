package source

import (
	"context"
	"sync"
	"time"
)

// Options of a [Watcher]. The zero value watches without a poll and in silence.
type Options struct {
	// Poll is the interval at which all files are looked at, for changes that
	// no notification told of: on NFS, or under a mount. 0 is for no poll, but
	// where the kernel gives no notifications there is one several times a second.
	Poll time.Duration
	// Log, if not nil, takes warnings, in the manner of fmt.Printf and without
	// a line end. Each is given once, until what it says has changed. It must
	// not call the Watcher.
	Log func(format string, args ...any)
}

// A Change names files that may have other content than before.
type Change struct {
	// Paths are those of the Set, and for a directory of the Set its documents,
	// each joined to it as [List] does; sorted, each once. A file named may
	// also have disappeared, or be one that cannot be read. The path of a
	// directory itself stands for its coming and going, not for its content:
	// its documents are named one by one, each when it has settled.
	Paths []string
	// Noticed is when the first event of this Change was noticed.
	Noticed time.Time
}

// A Watcher tells when any of a set of paths, files and directories of files,
// may have changed. It is safe for concurrent use.
//
// It names a file within a second of its last write or close, at rest: half a
// second after its last write, and when the writer has closed it, if the system
// tells; at once if it came by a rename or by the swap of a symbolic link, for
// then it was complete before. A file that is written without ever pausing for
// half a second is named after a while all the same, for Read to say so.
type Watcher struct {
	log     func(format string, args ...any)
	poll    time.Duration
	changes chan Change
	inbox   *inbox
	set     chan struct{} // has an element when Set has left something to do
	cancel  context.CancelFunc
	done    sync.WaitGroup
	close   func() error

	mu     sync.Mutex
	closed bool
	eyes   *eyes
	blind  bool // and said so
	tree   tree

	roots   map[string]*root // :: path of the Set → what it is
	folders []*root          // those that are directories
	dirty   bool             // a route or a link may lead elsewhere
	unsure  map[*file]bool   // to be looked at once the watches stand

	pollAt   time.Time       // when to look at everything next
	lostAt   time.Time       // the same, because events were lost
	retryAt  time.Time       // the same, because the last look did not see all
	retry    time.Duration   // the pause before that; 0 if all was seen
	unseen   bool            // the look under way does not see all
	took     time.Duration   // by the last look at everything
	unrested map[*file]bool  // with a change pending
	restAt   time.Time       // when the next of those may have settled
	news     map[string]bool // :: path → to be told
	noticed  time.Time       // of the first of the news
	change   *Change         // the news; nil if they are not put together yet
}

// New returns a Watcher of nothing; see [Watcher.Set]. It does not fail: without
// notifications it lives on the poll alone and says so.
func New(o Options) *Watcher { return newWatcher(o, newEyes(shared)) }

func newWatcher(o Options, e *eyes) *Watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher{
		log:      o.Log,
		poll:     o.Poll,
		changes:  make(chan Change),
		inbox:    e.inbox,
		set:      make(chan struct{}, 1),
		cancel:   cancel,
		eyes:     e,
		tree:     newTree(),
		roots:    make(map[string]*root),
		unsure:   make(map[*file]bool),
		unrested: make(map[*file]bool),
		news:     make(map[string]bool),
	}
	if w.log == nil {
		w.log = func(string, ...any) {}
	}
	w.close = sync.OnceValue(w.shut)
	e.tryOpen()
	w.sayBlind()
	w.done.Go(func() { w.run(ctx) })
	return w
}

// Changes returns the channel of changes. While nobody receives, they are
// gathered into one. It is closed by Close.
func (w *Watcher) Changes() <-chan Change { return w.changes }

// SetPoll gives the Watcher another interval, see [Options].
func (w *Watcher) SetPoll(poll time.Duration) {
	w.mu.Lock()
	w.poll, w.pollAt = poll, time.Time{}
	w.mu.Unlock()
	w.rouse()
}

// Close ends the Watcher and waits until nothing of it is left: no goroutine and
// no file descriptor.
func (w *Watcher) Close() error { return w.close() }

func (w *Watcher) shut() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cancel()
	w.done.Wait()
	return w.eyes.close()
}

// run waits for something to do, does it and tells of it, until ctx ends.
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
		case <-w.set:
		case <-timer.C:
		case out <- c:
			w.delivered(change)
		}
		timer.Stop()
	}
}
