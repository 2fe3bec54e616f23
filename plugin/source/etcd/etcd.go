// Package etcd is documents that are keys of etcd. A [Source] lists them, follows their
// changes, and hands over one consistent version after the other ([Source.Take]); it knows
// no format of documents. The layout of the keys is that of plugin/fleet.
//
// # What comes when
//
//   - What a head brings is handed over at once, with everything before it, as judged:
//     whoever pushed has judged it against the store.
//   - Files of drains stand apart from heads: each is handed over at once, by itself
//     ([Source.Drains]).
//   - Documents that change without a head are handed over after a moment of quiet
//     (quiet), and after a longer one (restless) if there is none. A transaction is never
//     parted.
//
// # What breaks, and what follows
//
//   - etcd does not answer, its node has no leader, credentials or certificates are refused:
//     what was handed over stays, and it is tried again after pauses that grow, each time
//     with the certificates that are on disk then. Once it answers, a look says whether the
//     watch can go on where it was.
//   - The watch is compacted, or a look finds another count of documents or a change that
//     the watch did not bring: everything is listed anew, in pages at one revision, and what
//     differs is handed over.
//   - The store went back (a lower revision, another cluster, another history of the head or
//     of a document than was seen): it was restored from a backup, or is another one.
//     Everything is listed anew and nothing handed over, until somebody pushes and so says
//     that it is meant. [Options.Position] makes this hold from one run to the next.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
)

// Options of a [Source]. Map is required.
type Options struct {
	Map        fleet.Map
	Connection fleet.Connection
	Stage      string        // "" for none
	Look       time.Duration // interval of the look at whether the watch has brought everything; 0 for never

	Announce string // the name of this server in the fleet; "" to announce nothing
	Version  string // of the program, to announce

	// Documents are in force already, by their names, and Position is where an earlier run
	// had them from: what differs is handed over, unless the store went back since.
	Documents map[string][]byte
	Drains    map[string][]byte // the same of the files of drains
	Position  Position

	// Log, if not nil, takes warnings in the manner of fmt.Printf. It must not call the
	// Source.
	Log func(format string, args ...any)

	inherit time.Duration // see announcer; 0 for the usual one
}

// Change is what [Source.Take] hands over.
type Change struct {
	source.Change      // Paths may be none: then it is the [Status] that has changed
	Judged        bool // everything was judged where it was pushed
	Alone         bool // of what is Judged: the Paths are, and nothing that was handed over before
}

// Source is the documents of a map in etcd. It is safe for concurrent use.
type Source struct {
	*announcer
	changes chan struct{} // has an element while there is something to take
	listed  chan struct{} // closed once everything was listed
	cancel  context.CancelFunc
	done    sync.WaitGroup

	// Of the goroutine of run alone.
	opt Options
	follower

	mu       sync.Mutex
	nextOpt  Options            // from the next session on
	end      context.CancelFunc // of the session
	current  map[string][]byte  // :: name → as handed over
	drains   map[string][]byte  // :: name → file of drains, as handed over
	position Position           // of the same
	offers   []*offer           // to hand over next, in order
	status   Status
	err      error         // why nothing was listed yet
	lists    chan struct{} // closed when the first listing has failed; nil while etcd has not answered
}

// The pauses between attempts, each twice the one before, and the longest random one after
// the first: a fleet that starts at once spreads itself.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 30 * time.Second
	spread     = 2 * time.Second
)

// New returns a source and begins to connect. It does not fail: see [Source.Await].
func New(o Options) *Source {
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := newSource(o)
	s.cancel = cancel
	s.done.Go(func() { s.run(ctx) })
	return s
}

func newSource(o Options) *Source {
	s := &Source{
		opt:      o,
		nextOpt:  o,
		end:      func() {},
		changes:  make(chan struct{}, 1),
		listed:   make(chan struct{}),
		current:  make(map[string][]byte),
		drains:   make(map[string][]byte),
		position: o.Position,
	}
	maps.Copy(s.current, o.Documents)
	maps.Copy(s.drains, o.Drains)
	s.resumed = o.Documents != nil
	s.opt.Documents, s.nextOpt.Documents = nil, nil
	s.opt.Drains, s.nextOpt.Drains = nil, nil
	s.store, s.seen = o.Position.store(), o.Position.Revision
	s.announcer = newAnnouncer(&s.opt)
	return s
}

// Set gives the source another connection, stage, name or interval, and connects anew if
// they differ. To set those of no source does nothing.
func (s *Source) Set(o Options) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.nextOpt
	if o.Connection.Equal(was.Connection) && o.Stage == was.Stage && o.Announce == was.Announce && o.Look == was.Look {
		return
	}
	s.nextOpt.Connection, s.nextOpt.Stage, s.nextOpt.Announce, s.nextOpt.Look = o.Connection, o.Stage, o.Announce, o.Look
	s.end()
}

// Await waits until everything was listed once, and returns why it was not until then. If
// there is nothing of an earlier run, it waits longer where etcd answers by then: for as
// long as the listing goes on.
func (s *Source) Await(until time.Time) error {
	timer := time.NewTimer(max(0, time.Until(until)))
	defer timer.Stop()
	select {
	case <-s.listed:
		return nil
	case <-timer.C:
	}
	s.mu.Lock()
	failed := s.lists
	s.mu.Unlock()
	if failed != nil && !s.resumed {
		select {
		case <-s.listed:
		case <-failed:
		}
	}
	select { // Both may have been ready.
	case <-s.listed:
		return nil
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return fmt.Errorf("etcd at %s does not answer", s.nextOpt.Connection)
	}
	return s.err
}

// Changes returns a channel on which something comes when there is something to take; no
// source has none.
func (s *Source) Changes() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.changes
}

// Path returns the path of a document of that name.
func (s *Source) Path(name string) string { return s.nextOpt.Map.String() + "/" + name }

// List returns the paths of the documents as last handed over, in no order.
func (s *Source) List() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, 0, len(s.current))
	for name := range s.current {
		out = append(out, s.Path(name))
	}
	return out
}

// Read returns a document as last handed over, and an fs.ErrNotExist if there is none.
func (s *Source) Read(path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, ok := strings.CutPrefix(path, s.Path("")); ok {
		if value, ok := s.current[name]; ok {
			return value, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

// Position returns where the documents as last handed over are from.
func (s *Source) Position() Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position
}

// Close ends the source, if there is one, and takes the server out of the fleet.
func (s *Source) Close() {
	if s != nil {
		s.cancel()
		s.done.Wait()
	}
}

// run connects, lists and follows, again and again, until ctx ends.
func (s *Source) run(ctx context.Context) {
	for ctx.Err() == nil {
		session, end := context.WithCancel(ctx)
		s.mu.Lock()
		s.opt, s.end = s.nextOpt, end
		s.mu.Unlock()
		err := s.session(session)
		if errors.Is(err, fleet.ErrToken) && s.pause == 0 { // It is not that etcd is lost.
			s.pause = firstPause
			end()
			continue
		}
		if session.Err() == nil {
			s.down(err)
			pause := s.pause + rand.N(s.pause/2+1)
			if s.pause == 0 {
				pause = rand.N(spread)
			}
			s.pause = min(max(firstPause, 2*s.pause), lastPause)
			select {
			case <-session.Done(): // Other options are tried at once.
			case <-time.After(pause):
			}
		}
		if session.Err() != nil {
			s.pause = 0
		}
		end()
	}
}

// errAnew ends the following of changes, for everything to be listed first.
var errAnew = errors.New("everything is to be listed anew")

// session connects, lists everything if a look does not say that it is as it was, and
// follows the changes, until something breaks.
func (s *Source) session(ctx context.Context) error {
	client, err := s.opt.Connection.Dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	states := make(chan connectivity.State)
	others.Go(func() { watchConnection(ctx, client, states) })
	s.awaySince, s.verified = time.Time{}, false
	if err = errAnew; s.isListed && s.stage == s.opt.Stage && !s.anew {
		err = s.look(ctx, client)
	}
	for announces := false; ; {
		if errors.Is(err, errAnew) {
			s.anew = true
			err = s.list(ctx, client)
		}
		if err != nil {
			return err
		}
		if !announces {
			others.Go(func() { s.announcer.run(ctx, client) })
			announces = true
		}
		if err = s.follow(ctx, client, states); !errors.Is(err, errAnew) {
			return err
		}
	}
}

// watchConnection tells the states of the connection until ctx ends.
func watchConnection(ctx context.Context, client *clientv3.Client, states chan<- connectivity.State) {
	conn := client.ActiveConnection()
	for state := conn.GetState(); conn.WaitForStateChange(ctx, state); {
		state = conn.GetState()
		select {
		case states <- state:
		case <-ctx.Done():
			return
		}
	}
}
