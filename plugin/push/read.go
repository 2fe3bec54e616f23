package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// Contents is what a store holds at one revision.
type Contents struct {
	Head     fleet.Head      // the zero one if there is none
	Everyone fleet.Documents // that are present
	Stage    fleet.Documents // those of the stage that was asked for, as they are there
	// Foreign are the documents that changed without a push since the last one.
	Foreign []string
	// Unknown is why nobody knows what the servers have in force; "" if it is known.
	Unknown string

	created  []string         // everyone's that were made after the last push
	pushed   fleet.Documents  // everyone's after the last push; as they are if that is unknown
	stage    string           // its name; "" for none
	base     map[string]int64 // :: document of the stage → the revision of everyone's that it is based on
	revision int64
	head     int64 // the revision of the head; 0 if there is none
	unmoved  bool  // documents of the last push may be in the staging yet
	next     int64 // the number of the next push
	count    int64 // of the keys below documents/
}

// below calls f for each key below a prefix, at a revision.
func (s *Store) below(ctx context.Context, prefix string, revision int64, f func(name string, kv *mvccpb.KeyValue), opts ...clientv3.OpOption) error {
	ask := func(from string, more ...clientv3.OpOption) (*clientv3.GetResponse, error) {
		return s.get(ctx, from, slices.Concat(opts, more, []clientv3.OpOption{clientv3.WithRev(revision)})...)
	}
	return fleet.Below(prefix, ask, f)
}

// overlay reads the documents below a prefix of which an empty one is removed.
func (s *Store) overlay(ctx context.Context, prefix string, revision int64) (fleet.Documents, error) {
	out := make(fleet.Documents)
	return out, s.below(ctx, prefix, revision, func(name string, kv *mvccpb.KeyValue) {
		if isDocument(name) {
			out[name] = fleet.Document{Value: kv.Value, Revision: kv.ModRevision, Removed: len(kv.Value) == 0}
		}
	})
}

// Read reads everyone's documents, and those of a stage unless that is "", all at one
// revision.
func (s *Store) Read(ctx context.Context, stage string) (*Contents, error) {
	resp, err := s.get(ctx, s.at.Head())
	if err != nil {
		return nil, err
	}
	c := &Contents{stage: stage, revision: resp.Header.Revision, Everyone: make(fleet.Documents)}
	if len(resp.Kvs) > 0 {
		c.head = resp.Kvs[0].ModRevision
		switch c.Head, err = fleet.ParseHead(resp.Kvs[0].Value); {
		case errors.Is(err, fleet.ErrLaterVersion):
			return nil, fmt.Errorf("%s: %w", s.at, err)
		case err != nil:
			c.Head = fleet.Head{} // A push writes another one.
		}
	}
	err = s.below(ctx, s.at.Documents(), c.revision, func(name string, kv *mvccpb.KeyValue) {
		c.count++
		if isDocument(name) {
			c.Everyone[name] = fleet.Document{Value: kv.Value, Revision: kv.ModRevision}
			if kv.CreateRevision > c.head {
				c.created = append(c.created, name)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	var staged fleet.Documents
	if prefix, ok := c.Head.StagingOf(s.at); ok {
		if staged, err = s.overlay(ctx, prefix, c.revision); err != nil {
			return nil, err
		}
		c.unmoved = len(staged) > 0
	}
	if c.Head.Stage == "" {
		c.Everyone = c.Everyone.Overlay(staged).Present()
	}
	servers, _, err := s.Servers(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.number(ctx, c, servers); err != nil {
		return nil, err
	}
	if stage != "" {
		if err := s.readStage(ctx, c, staged); err != nil {
			return nil, err
		}
	}
	return c, s.since(ctx, c, servers)
}

// readStage reads the stage of contents. staged is what is in the staging yet.
func (s *Store) readStage(ctx context.Context, c *Contents, staged fleet.Documents) error {
	var err error
	if c.Stage, err = s.overlay(ctx, s.at.Stage(c.stage), c.revision); err != nil {
		return err
	}
	if c.Head.Stage == c.stage {
		c.Stage = c.Stage.Overlay(staged)
	}
	resp, err := s.get(ctx, s.at.StageBase(c.stage), clientv3.WithRev(c.revision))
	if err != nil || len(resp.Kvs) == 0 {
		return err
	}
	if err := json.Unmarshal(resp.Kvs[0].Value, &c.base); err != nil {
		return fmt.Errorf("%s is no JSON of names and revisions: abandon the stage: %w", s.at.StageBase(c.stage), err)
	}
	return nil
}

// ReadToWrite is [Store.Read] for a push: it first moves to their place what the last push
// has left in the staging.
func (s *Store) ReadToWrite(ctx context.Context, stage string) (*Contents, error) {
	for {
		if err := s.finish(ctx); err != nil {
			return nil, err
		}
		c, err := s.Read(ctx, stage)
		if err != nil || !c.unmoved {
			return c, err
		}
	}
}

// most is more pushes than there will be: what claims to have seen more is no number.
const most = 1 << 52

// number chooses the number of the next push. A store that went back has a head, or none,
// that is older than what its history and the servers have seen.
func (s *Store) number(ctx context.Context, c *Contents, servers []Server) error {
	c.next = 1
	if c.Head.Push < most {
		c.next = c.Head.Push + 1
	}
	entries, err := s.entries(ctx, c.revision)
	for _, n := range entries { // the newest first
		if n < most {
			c.next = max(c.next, n+1)
			break
		}
	}
	for _, server := range servers {
		if server.Push < most {
			c.next = max(c.next, server.Push+1)
		}
	}
	return err
}

// Staged returns the documents as the servers of the stage have them.
func (c *Contents) Staged() fleet.Documents { return c.Everyone.Replace(c.Stage).Present() }

// same reports whether both are present with the same value, or neither is present.
func same(a fleet.Document, hasA bool, b fleet.Document, hasB bool) bool {
	hasA, hasB = hasA && !a.Removed, hasB && !b.Removed
	return hasA == hasB && (!hasA || bytes.Equal(a.Value, b.Value))
}
