// Package live keeps a map in force: it reads the documents, compiles them,
// swaps the outcome in at one stroke, and does so again whenever they change. A
// version that is refused leaves the last good one where it is.
//
// # The order of admission
//
// The documents of a directory that have changed come into force as far as they go
// together. Which of them do is decided by these rules, the first ones first:
//
//  1. What is in force keeps its zones, accounts and anycast addresses, whatever claims
//     them as well.
//  2. Documents between which a zone, an account or anycast moves are one group, which
//     comes into force as a whole or not at all: half of a move would take the zone
//     out of force.
//  3. A version that was refused before comes after those that are new: a loss that
//     stands on disk keeps no later change back.
//  4. A document that is wrong by itself is refused, and its group, and no other.
//  5. A group that nothing is said against comes before those that are in conflict with
//     others. Other than that, the order is that of the names.
//  6. A group comes into force if it goes together with those before it. One that does
//     not is tried again after others have come into force: a borrower may stand before
//     its lender.
//  7. New versions come into force one after the other as far as the guard goes (P4);
//     documents that are removed are one group, the last. Versions that were refused
//     before, and those that leave nothing (P5), come into force together or not at all:
//     else the loss would pass in parts, one load after the other.
//  8. Of more than 16 groups that are all in conflict, none comes into force, and after
//     16 groups beyond the guard those that lose nothing do, and the others as long as
//     the guard allows all of them: that many are an accident.
package live

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/source"
	"github.com/addressmap/addressmap/plugin/source/etcd"
)

// Options of a Store. Path is required.
type Options struct {
	Path    string        // the map document, a directory of them, or etcd:PATH
	Poll    time.Duration // interval of the safety poll; 0 is for none
	Etcd    etcd.Options  // how a map in etcd is reached; Map, Look and Log are filled in
	Compile mapset.Options
	Guard   int // percent of what is in force that one reload may take away; 0 is for any
	Log     Logger

	ZoneFiles []string // directories that zone files may lie in, beside that of their document

	Drains    string // a file of drains, or a directory of them; "" for none
	State     string // directory where accepted documents are kept, also those of other maps; "" for nowhere
	Owner     string // who uses that directory, for the complaint of another process
	ReadState bool   // State is a server's, which is another process: it is read, and never made, locked or written
	Settings  string // Compile, and what else of the configuration decides what a transfer holds

	Loaded func(Load) // called after every load and as [NoLoad] says, never twice at a time; may be nil
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

	DrainedAddresses int // that drains take away
	DrainsIgnored    int // steps of the fallback for which a drain is ignored

	Source *etcd.Status // how a map in etcd is, with the last push that is in force; nil for files
}

// Store holds what is in force. It is safe for concurrent use.
type Store struct {
	watch  *source.Watcher
	keys   *etcd.Source // nil for files
	loader *loader
	again  chan struct{} // has an element when what is refused is to be judged anew
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// Open loads the map and keeps it in force until Close. A map that is missing or
// refused is an error that holds every complaint about it, unless the state holds
// a version that was accepted before: then that one is in force.
func Open(opt Options) (*Store, error) {
	kept, manifest := openDurable(opt)
	w := source.New(source.Options{Poll: opt.Poll, Log: opt.Log.Warningf})
	s := &Store{watch: w, again: make(chan struct{}, 1)}
	s.loader = newLoader(opt, w, kept)
	s.loader.wake = s.reconsider
	var err error
	if s.keys, err = openKeys(opt, kept, manifest); err != nil {
		_ = s.shut()
		return nil, err
	}
	s.loader.keys = s.keys
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
	look := time.NewTicker(lookAtDrains)
	defer look.Stop()
	for {
		drains := s.loader.drainChanges()
		select {
		case <-ctx.Done():
			return
		case change, ok := <-s.watch.Changes():
			if !ok {
				return
			}
			s.loader.change(change, false)
		case change, ok := <-drains:
			if ok { // else others are followed by now
				s.loader.drainsChanged(change)
			}
		case <-look.C:
			s.loader.lookAtClock()
		case <-s.keys.Changes():
			s.loader.takeKeys()
		case <-s.again:
			s.loader.change(source.Change{Noticed: time.Now()}, false)
		case <-s.loader.due():
			s.loader.retry()
		}
	}
}

// Rules are options of a store that can change while it is open.
type Rules struct {
	Poll      time.Duration // see [Options], as of all others
	Guard     int
	ZoneFiles []string
	Drains    string
	State     string
	Etcd      etcd.Options
}

// Govern gives the store other rules, and has what is refused judged anew by them.
func (s *Store) Govern(r Rules) {
	l := s.loader
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opt.Guard = r.Guard
	if !slices.Equal(r.ZoneFiles, l.opt.ZoneFiles) {
		l.opt.ZoneFiles = r.ZoneFiles
		clear(l.zones) // Where they lie may be permitted no more.
	}
	if r.Poll != l.opt.Poll {
		l.opt.Poll = r.Poll
		s.watch.SetPoll(r.Poll)
	}
	r.Etcd.Look = r.Poll
	s.keys.Set(r.Etcd)
	if r.State != l.opt.State {
		l.opt.State = r.State
		l.moveState()
	}
	if r.Drains != l.opt.Drains {
		l.opt.Drains = r.Drains
		l.updateDrains(func() { l.followDrains(r.Drains, nil) })
	}
	l.remind = true
	s.reconsider()
}

// reconsider has what is refused judged anew, soon.
func (s *Store) reconsider() {
	select {
	case s.again <- struct{}{}:
	default: // it will be
	}
}

// Close ends the watching and waits for a load under way. What is in force
// stays in force for whoever still asks.
func (s *Store) Close() error {
	s.stop()
	return s.shut()
}

func (s *Store) shut() error {
	err := errors.Join(s.watch.Close(), s.loader.drains.close())
	s.done.Wait()
	s.keys.Close()
	if kept := s.loader.durable; kept != nil {
		err = errors.Join(err, kept.dir.Close())
	}
	return err
}
