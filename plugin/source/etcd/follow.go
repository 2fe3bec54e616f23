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
	// away is for how long there must be no connection before that is said: a leader
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
	store    *store // nil until everything was listed once
	dirty    dirty
	seen     int64     // the highest revision of the store that an answer told
	goneBack *goneBack // nil unless the store went back

	verified   bool      // since there was a connection again, the store was looked at
	suspicious bool      // the last look has found a difference
	awaySince  time.Time // since when there is no connection; zero if there is one
	lookAt     time.Time // zero for never
	verifyAt   time.Time // when to compare digests; zero for never
	listedFor  int64     // the revision of the head for which everything was listed anew

	lost  error         // why etcd was lost, as last logged; nil while it answers
	pause time.Duration // before the last attempt
}

// follow follows the changes of the store that was listed, until something breaks.
func (s *Source) follow(ctx context.Context, client *clientv3.Client, states <-chan connectivity.State) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watch := func(key string, end clientv3.OpOption) <-chan clientv3.WatchResponse {
		out := make(chan clientv3.WatchResponse)
		after := clientv3.WithRev(s.store.revision + 1)
		watching.Go(func() { // A client waits for etcd to answer before it returns a watch.
			defer close(out)
			for resp := range client.Watch(ctx, key, end, after) {
				select {
				case out <- resp:
				case <-ctx.Done():
				}
			}
		})
		return out
	}
	// One range has the documents and the head, so that a transaction arrives as one.
	everyone := watch(s.opt.Map.Documents(), clientv3.WithRange(s.opt.Map.Head()+"\x00"))
	var own <-chan clientv3.WatchResponse
	if s.opt.Stage != "" {
		own = watch(s.opt.Map.Stage(s.opt.Stage), clientv3.WithPrefix())
	}
	s.planLook()
	for {
		timer := time.NewTimer(time.Until(s.next()))
		var err error
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case resp, open := <-everyone:
			if err = broken(resp, open); err == nil {
				err = s.watched(ctx, client, resp.Events)
			}
		case resp, open := <-own:
			if err = broken(resp, open); err == nil && len(resp.Events) > 0 {
				err = s.restage(ctx, client, resp.Events[len(resp.Events)-1].Kv.ModRevision)
			}
		case state := <-states:
			s.connected(state == connectivity.Ready)
		case <-s.taken:
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
func broken(resp clientv3.WatchResponse, open bool) error {
	switch {
	case !open:
		return errors.New("the watch has ended")
	case resp.CompactRevision > 0:
		return errAnew
	case resp.Err() != nil:
		return fmt.Errorf("watching the documents: %w", resp.Err())
	}
	return nil
}

// watched applies events, those of one revision together.
func (s *Source) watched(ctx context.Context, client *clientv3.Client, events []*clientv3.Event) error {
	now := time.Now()
	var head *mvccpb.KeyValue
	for i, e := range events {
		if name, is := strings.CutPrefix(string(e.Kv.Key), s.opt.Map.Documents()); is {
			s.store.apply(name, fleet.Document{Value: e.Kv.Value, Revision: e.Kv.ModRevision, Removed: e.Type == clientv3.EventTypeDelete})
			s.dirty.add(name, now)
		} else if string(e.Kv.Key) == s.opt.Map.Head() && e.Type == clientv3.EventTypePut {
			head = e.Kv
		}
		last := i == len(events)-1 || events[i+1].Kv.ModRevision != e.Kv.ModRevision
		if !last {
			continue
		}
		s.store.revision = max(s.store.revision, e.Kv.ModRevision)
		s.seen = max(s.seen, s.store.revision)
		if head != nil {
			if err := s.pushed(ctx, client, head); err != nil {
				return err
			}
			head = nil
		}
	}
	return nil
}

// pushed offers everything up to a head, as judged.
func (s *Source) pushed(ctx context.Context, client *clientv3.Client, kv *mvccpb.KeyValue) error {
	head, err := fleet.ParseHead(kv.Value)
	if err != nil {
		s.opt.Log("%s: %v", s.opt.Map, err)
		return nil
	}
	staging, err := s.readStaging(ctx, client, head, kv.ModRevision)
	if err != nil {
		return fmt.Errorf("%w: %w", errAnew, err)
	}
	now := time.Now()
	for _, docs := range []fleet.Documents{s.store.staging, staging} {
		for name := range docs {
			s.dirty.add(name, now)
		}
	}
	s.store.head, s.store.headRevision = head, kv.ModRevision
	if head.Stage == "" {
		s.store.staging = staging
	}
	if err := s.restage(ctx, client, kv.ModRevision); err != nil {
		return err
	}
	if s.goneBack != nil && s.goneBack.ends(s.store) {
		s.goneBack = nil
		s.setStatus(func(st *Status) { st.Back = nil })
		for name := range s.names(s.store) {
			s.dirty.add(name, now)
		}
	}
	s.verifyAt = now.Add(verifyAfter/2 + rand.N(verifyAfter/2))
	if s.goneBack == nil && s.verified {
		s.publish(true)
	}
	return nil
}

// restage reads the documents of the stage of this server anew.
func (s *Source) restage(ctx context.Context, client *clientv3.Client, revision int64) error {
	stage, err := s.readStage(ctx, client, s.store.head, revision)
	if err != nil {
		return fmt.Errorf("%w: %w", errAnew, err)
	}
	now := time.Now()
	for _, docs := range []fleet.Documents{s.store.stage, stage} {
		for name := range docs {
			s.dirty.add(name, now)
		}
	}
	had := len(s.store.stage) > 0
	s.store.stage = stage
	if had && len(stage) == 0 && s.goneBack == nil && s.verified { // Back to everyone's, which count as in force.
		s.publish(true)
	}
	return nil
}

// connected notes whether there is a connection to etcd.
func (s *Source) connected(ready bool) {
	switch {
	case ready && !s.awaySince.IsZero():
		s.awaySince, s.lookAt = time.Time{}, time.Now()
	case !ready && s.awaySince.IsZero():
		s.awaySince, s.verified = time.Now(), false
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
	if s.goneBack == nil && s.verified && !s.waitsForTaker() {
		earliest(s.dirty.due())
	}
	earliest(s.lookAt)
	earliest(s.verifyAt)
	if !s.awaySince.IsZero() && s.lost == nil {
		earliest(s.awaySince.Add(away))
	}
	return next
}

// waitsForTaker reports whether what was judged is to be taken before what was not.
func (s *Source) waitsForTaker() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offer != nil && s.offer.judged
}

// work does what is due.
func (s *Source) work(ctx context.Context, client *clientv3.Client, now time.Time) error {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if !s.awaySince.IsZero() && s.lost == nil && due(s.awaySince.Add(away)) {
		s.down(errors.New("no connection"))
	}
	if due(s.lookAt) {
		if err := s.look(ctx, client); err != nil {
			return err
		}
	}
	if s.goneBack == nil && s.verified && due(s.dirty.due()) {
		s.publish(false)
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

// planLook plans the next look, which a fleet does not do at one moment.
func (s *Source) planLook() {
	s.lookAt = time.Time{}
	if s.opt.Look > 0 {
		s.lookAt = time.Now().Add(s.opt.Look*3/4 + rand.N(s.opt.Look/2))
	}
}

// look compares the store with what the watch has brought, at one revision, without
// reading a document. After a connection has come to be again, nothing is handed over
// before: the store may be another one.
func (s *Source) look(ctx context.Context, client *clientv3.Client) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	prefix := s.opt.Map.Documents()
	resp, err := client.Txn(ctx).Then(
		clientv3.OpGet(s.opt.Map.Head()),
		clientv3.OpGet(prefix, clientv3.WithPrefix(), clientv3.WithCountOnly()),
		clientv3.OpGet(prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithLimit(1), clientv3.WithMinModRev(s.store.revision+1)),
	).Commit()
	if err != nil {
		return fmt.Errorf("looking at the documents: %w", err)
	}
	now := &store{cluster: resp.Header.ClusterId, revision: resp.Header.Revision}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		now.headRevision = kvs[0].ModRevision
	}
	if s.wentBack(now) {
		return errAnew
	}
	s.seen = max(s.seen, now.revision)
	differs := now.headRevision != s.store.headRevision ||
		int(resp.Responses[1].GetResponseRange().Count) != s.store.count() ||
		len(resp.Responses[2].GetResponseRange().Kvs) > 0
	if differs && s.suspicious {
		return errAnew
	}
	s.verified = true
	s.suspicious = differs
	s.planLook()
	if differs {
		s.lookAt = time.Now().Add(again)
	}
	s.up()
	return nil
}
