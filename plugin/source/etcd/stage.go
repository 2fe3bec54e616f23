package etcd

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// The documents of a stage are read at the revision of everyone's before any of either are
// offered, so that a transaction of both is never parted: they come by watches of their
// own, of which either may be ahead.

// staged notes that documents of the stage have changed at a revision.
func (s *Source) staged(ctx context.Context, client clientv3.KV, revision int64) error {
	if revision <= s.store.stageRevision {
		return nil
	}
	if revision > s.store.revision {
		_, differs, err := s.compare(ctx, client, revision, true)
		if err != nil || differs { // What differs is on its way, or compacted. Stages are small and change rarely.
			return fmt.Errorf("%w: the stage is ahead: %v", errAnew, err)
		}
		s.store.revision = revision
		s.seen = max(s.seen, revision)
	}
	return s.restage(ctx, client)
}

// restage reads the documents of the stage anew if they may be older than everyone's. That
// the stage is gone is judged, unless other documents change with it.
func (s *Source) restage(ctx context.Context, client clientv3.KV) error {
	if s.opt.Stage == "" || s.store.stageRevision >= s.store.revision {
		return nil
	}
	stage, revision, err := s.stageAt(ctx, client, s.store.revision)
	if err != nil {
		return fmt.Errorf("%w: %w", errAnew, err)
	}
	left, alone := len(s.store.stage) > 0 && len(stage) == 0, len(s.dirty.names) == 0
	s.enter(stage, revision)
	if !left || !alone || s.goneBack != nil {
		return nil
	}
	if err := s.verify(ctx, client); err != nil {
		return err
	}
	unjudged := s.takeUnjudged()
	s.publish(itself) // Back to everyone's, which count as in force.
	s.dirty.addNames(unjudged)
	return nil
}

// takeUnjudged takes from what is dirty the documents that everyone's servers may have
// refused: those that changed without a head since the last one. Where a removal may be
// one of these, nobody can tell which is.
func (s *Source) takeUnjudged() map[string]struct{} {
	out := make(map[string]struct{})
	whole, _ := s.store.isWhole()
	for name := range s.dirty.names {
		doc, is := s.store.documents[name]
		if over, staged := s.store.staging[name]; staged && over.Revision > doc.Revision {
			doc, is = over, true
		}
		removed := !is || doc.Removed
		if !whole && (removed || s.store.headBroken || doc.Revision > s.store.headRevision) {
			out[name] = struct{}{}
			delete(s.dirty.names, name)
		}
	}
	return out
}

// stageAt reads the documents of the stage at a revision, or at a newer one if they are
// known at that.
func (s *Source) stageAt(ctx context.Context, client clientv3.KV, revision int64) (fleet.Documents, int64, error) {
	revision = max(revision, s.store.stageRevision)
	stage, err := s.readStage(ctx, client, s.store.head, revision)
	return stage, revision, err
}

// enter replaces the documents of the stage.
func (s *Source) enter(stage fleet.Documents, revision int64) {
	s.dirty.addAll(s.store.stage)
	s.dirty.addAll(stage)
	s.store.stage, s.store.stageRevision = stage, revision
}
