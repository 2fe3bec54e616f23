// Package live keeps a map in force: it reads the documents, compiles them,
// swaps the outcome in at one stroke, and does so again whenever they change. A
// version that is refused leaves the last good one where it is.
package live

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
)

// Options of a Store. Path is required.
type Options struct {
	Path    string        // the map document, or a directory of them
	Poll    time.Duration // interval of the safety poll; 0 is for none
	Compile mapset.Options
	Guard   int // percent of what is in force that one reload may take away; 0 is for any
	Log     Logger

	State    string // directory where accepted documents are kept, also those of other maps; "" for nowhere
	Owner    string // who uses that directory, for the complaint of another process
	Settings string // what else of the configuration decides what a transfer holds

	Loaded func(Load) // called after every load and as [NoLoad] says, from one goroutine; may be nil
	// Related returns the zones that change with others: their transfers hold
	// what those say. It is called from the same goroutine, and may be nil.
	Related func(changed []fqdn.Name) []fqdn.Name
}

// Logger takes log lines in the manner of fmt.Printf. It must be safe for
// concurrent use.
type Logger interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Result is the outcome of a load: a label of reloads_total.
type Result string

// The results.
const (
	OK        Result = "ok"        // a new version is in force
	Unchanged Result = "unchanged" // byte for byte what is in force, or was refused before
	Refused   Result = "refused"   // read, and found wrong
	Failed    Result = "error"     // could not be read
	NoLoad    Result = ""          // nothing was read: it is the state that can be written, or cannot any more
)

// Load is one load and what is in force after it.
type Load struct {
	Result   Result
	Duration time.Duration // from noticing the change to its end
	InForce  *mapset.Snapshot
	Changed  []fqdn.Name // the zones whose names are answered differently from before
	SHA256   string      // of the document in force; of a directory, of the list of its documents' digests
	Refused  bool        // a version was, for the first time, whatever else came into force
	Degraded bool        // what is on disk is not what is in force, or what is in force is not in the state
}

// Current is what is in force. It is apart from the [Store], where all that queries
// read of ten thousand stores is in as little memory as it can be.
type Current struct {
	snapshot atomic.Pointer[mapset.Snapshot]
}

// Snapshot returns what is in force. A query takes it once.
func (c *Current) Snapshot() *mapset.Snapshot { return c.snapshot.Load() }

// Store holds what is in force. It is safe for concurrent use.
type Store struct {
	*Current
	watch  *source.Watcher
	loader *loader
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// Open loads the map and keeps it in force until Close. A map that is missing or
// refused is an error that holds every complaint about it, unless the state holds
// a version that was accepted before: then that one is in force.
func Open(opt Options) (*Store, error) {
	kept, manifest := openDurable(opt)
	w := source.New(source.Options{Poll: opt.Poll, Log: opt.Log.Warningf})
	s := &Store{Current: new(Current), watch: w}
	s.loader = newLoader(opt, w, kept, s.Current)
	if err := s.loader.start(manifest); err != nil {
		_ = s.shut() // the error that counts is the other one
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.done.Go(func() { s.follow(ctx) })
	return s, nil
}

// follow loads what has changed, one change after the other, and sees to it that
// what is in force is in the state.
func (s *Store) follow(ctx context.Context) {
	durable := s.loader.durable
	for {
		select {
		case <-ctx.Done():
			return
		case change, ok := <-s.watch.Changes():
			if !ok {
				return
			}
			s.loader.change(change)
		case <-durable.due():
			s.loader.retry()
		}
	}
}

// Close ends the watching and waits for a load under way. What is in force
// stays in force for whoever still asks.
func (s *Store) Close() error {
	s.stop()
	return s.shut()
}

func (s *Store) shut() error {
	err := s.watch.Close()
	s.done.Wait()
	if kept := s.loader.durable; kept != nil {
		err = errors.Join(err, kept.dir.Close())
	}
	return err
}
