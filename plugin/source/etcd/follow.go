package etcd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"

	"github.com/addressmap/addressmap/plugin/fleet"
)

const (
	// away is for how long there must be no connection before a session ends: a leader
	// changes, or a node is restarted, in less.
	away = 2 * time.Second
	// again is how long after a look that has found a difference the next one is: an event
	// may have been on its way.
	again = 2 * time.Second
	// verifyAfter is the time after a push in which the digest of all documents is made
	// once, to compare it with that of the head. A fleet does not do so at one moment.
	verifyAfter = 5 * time.Second
)

// follower is what the goroutine of run knows.
type follower struct {
	resumed  bool   // documents of an earlier run are in force
	store    *store // nil until something is known of one
	isListed bool   // everything was, once
	stage    string // for which everything was listed
	anew     bool   // everything is to be listed, whatever a look says
	dirty    dirty
	seen     int64     // the highest revision of the store that an answer told
	goneBack *goneBack // nil unless the store went back

	verified   bool      // since there was a connection again, the store was looked at
	suspicious bool      // the last look has found a difference
	awaySince  time.Time // since when there is no connection; zero if there is one
	lookAt     time.Time // zero for never
	deepAt     time.Time // from when on a look compares the revisions of all documents; zero for never
	verifyAt   time.Time // when to compare digests; zero for never
	listedFor  int64     // the revision of the head for which everything was listed anew

	saidLost    bool // since etcd answered last
	saidRefusal bool // the same

	ignored map[string]bool // names that were said to be of no document
	pause   time.Duration   // before the last attempt
}

// follow follows the changes of the store that was listed, until something breaks.
func (s *Source) follow(ctx context.Context, client *clientv3.Client, states <-chan connectivity.State) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watch := func(key string, opts ...clientv3.OpOption) <-chan clientv3.WatchResponse {
		out := make(chan clientv3.WatchResponse)
		opts = append(opts, clientv3.WithRev(s.store.revision+1), clientv3.WithCreatedNotify())
		watching.Go(func() { // A client waits for etcd to answer before it returns a watch.
			defer close(out)
			for resp := range client.Watch(ctx, key, opts...) {
				select {
				case out <- resp:
				case <-ctx.Done():
				}
			}
		})
		return out
	}
	// One range has the documents, the drains and the head, so that a transaction arrives as one.
	everyone := watch(s.opt.Map.Documents(), clientv3.WithRange(s.opt.Map.Head()+"\x00"))
	var own <-chan clientv3.WatchResponse
	if s.opt.Stage != "" {
		own = watch(s.opt.Map.Stage(s.opt.Stage), clientv3.WithPrefix())
	}
	if due := s.deepAt; due.IsZero() || s.opt.Look == 0 || time.Until(due) > s.opt.Look {
		s.planLook()
	} else { // A connection that is lost now and again postpones it for ever, if each session did.
		s.lookAt = due
	}
	for {
		timer := time.NewTimer(time.Until(s.next()))
		var err error
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case resp, open := <-everyone:
			if err = s.broken(resp, open); err == nil {
				if resp.Created { // It is allowed, too.
					s.up()
				}
				err = s.watched(ctx, client, resp.Events)
			}
		case resp, open := <-own:
			if err = s.broken(resp, open); err == nil && len(resp.Events) > 0 {
				err = s.staged(ctx, client, resp.Events[len(resp.Events)-1].Kv.ModRevision)
			}
		case state := <-states:
			s.connected(state == connectivity.Ready)
		case <-timer.C:
		}
		timer.Stop()
		if err == nil {
			err = s.work(ctx, client, time.Now())
		}
		if err != nil {
			return err
		}
	}
}

// broken returns why a watch has ended, nil if it has not.
func (s *Source) broken(resp clientv3.WatchResponse, open bool) error {
	switch {
	case !open:
		return errors.New("the watch has ended")
	case resp.CompactRevision > 0:
		return errAnew
	case resp.Err() != nil:
		return fmt.Errorf("watching %s: %w", s.opt.Map.Documents(), resp.Err())
	case resp.Header != nil && resp.Header.ClusterId != 0 && resp.Header.ClusterId != s.store.cluster:
		return errAnew
	}
	return nil
}

// watched applies events, those of one revision together.
func (s *Source) watched(ctx context.Context, client clientv3.KV, events []*clientv3.Event) error {
	now := time.Now()
	var head *clientv3.Event
	for i, e := range events {
		if name, is := strings.CutPrefix(string(e.Kv.Key), s.opt.Map.Documents()); is {
			s.store.apply(name, fleet.Document{Value: e.Kv.Value, Revision: e.Kv.ModRevision, Removed: e.Type == clientv3.EventTypeDelete})
			if _, is := s.store.ignored[name]; is {
				s.ignore(name)
			}
			s.dirty.add(name, now)
		} else if name, is := strings.CutPrefix(string(e.Kv.Key), s.opt.Map.Drains()); is {
			s.drained(name, e)
		} else if string(e.Kv.Key) == s.opt.Map.Head() {
			head = e
		}
		last := i == len(events)-1 || events[i+1].Kv.ModRevision != e.Kv.ModRevision
		if !last {
			continue
		}
		s.store.revision = max(s.store.revision, e.Kv.ModRevision)
		s.seen = max(s.seen, s.store.revision)
		if head != nil {
			if err := s.headed(ctx, client, head); err != nil {
				return err
			}
			head = nil
		}
	}
	return nil
}

// headed notes an event of the head.
func (s *Source) headed(ctx context.Context, client clientv3.KV, e *clientv3.Event) error {
	s.store.headRevision, s.store.headValue = e.Kv.ModRevision, e.Kv.Value
	if e.Type == clientv3.EventTypeDelete {
		s.store.headRevision, s.store.headValue = 0, nil
		s.dirty.addAll(s.store.staging)
		s.store.pushed(fleet.Head{}, nil)
		return nil
	}
	head, err := fleet.ParseHead(e.Kv.Value)
	if err != nil {
		s.opt.Log("%s: %v", s.opt.Map, err)
		s.store.headBroken = true
		return nil
	}
	if err := s.pushed(ctx, client, head, e.Kv); err != nil {
		return fmt.Errorf("%w: %w", errAnew, err)
	}
	return nil
}

// pushed offers everything up to a head, as judged.
func (s *Source) pushed(ctx context.Context, client clientv3.KV, head fleet.Head, kv *mvccpb.KeyValue) error {
	staging, err := s.readStaging(ctx, client, head, kv.ModRevision)
	if err != nil {
		return err
	}
	s.dirty.addAll(s.store.staging)
	s.dirty.addAll(staging)
	if head.Stage != "" { // Everyone's last push stays where it is.
		staging = s.store.staging
	}
	s.store.pushed(head, staging)
	stage, revision, err := s.stageAt(ctx, client, kv.ModRevision)
	if err != nil {
		return err
	}
	s.enter(stage, revision)
	if err := s.verify(ctx, client); err != nil {
		return err
	}
	if s.goneBack != nil && s.goneBack.ends(s.store) {
		s.goneBack = nil
		s.setStatus(func(st *Status) { st.Back = nil })
		s.dirty.addNames(s.names(s.store))
		s.setDrains()
	}
	s.verifyAt = time.Now().Add(verifyAfter/2 + rand.N(verifyAfter/2))
	if s.goneBack == nil {
		s.publish(everything)
	}
	return nil
}

// verify sees to it that the store is the one that was followed, if there was no connection
// meanwhile.
func (s *Source) verify(ctx context.Context, client clientv3.KV) error {
	if s.verified {
		return nil
	}
	return s.look(ctx, client)
}

// connected notes whether there is a connection to etcd.
func (s *Source) connected(ready bool) {
	s.verified = false
	switch {
	case ready: // There may have been none for a moment, if nothing else.
		s.awaySince, s.lookAt = time.Time{}, time.Now()
	case s.awaySince.IsZero():
		s.awaySince = time.Now()
	}
}

// next is when [Source.work] has something to do.
func (s *Source) next() time.Time {
	next := time.Now().Add(time.Hour)
	earliest := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if s.goneBack == nil && s.verified {
		earliest(s.dirty.due())
	}
	earliest(s.lookAt)
	earliest(s.verifyAt)
	if !s.awaySince.IsZero() {
		earliest(s.awaySince.Add(away))
	}
	return next
}

// work does what is due.
func (s *Source) work(ctx context.Context, client clientv3.KV, now time.Time) error {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if !s.awaySince.IsZero() && due(s.awaySince.Add(away)) {
		return errAway
	}
	if due(s.lookAt) {
		if err := s.look(ctx, client); err != nil {
			return err
		}
	}
	if s.goneBack == nil && s.verified && due(s.dirty.due()) {
		if err := s.restage(ctx, client); err != nil {
			return err
		}
		s.publish(nothing)
	}
	if due(s.verifyAt) {
		s.verifyAt = time.Time{}
		if whole, known := s.store.isWhole(); known && !whole && s.listedFor != s.store.headRevision {
			s.listedFor = s.store.headRevision
			return errAnew
		}
	}
	return nil
}
