package push

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// A server takes everything that is in the store with the next head as judged, also what
// somebody has written since the last push and the server has refused. So a push is judged
// against what the last push has left, not against what it finds.

// since finds out what everyone's documents were after the last push.
func (s *Store) since(ctx context.Context, c *Contents, servers []Server) error {
	c.pushed = c.Everyone
	for _, server := range servers {
		if server.Push > c.Head.Push && server.Push < most {
			c.Unknown = fmt.Sprintf("the server %s has push %d in force, and the store is at push %d: it went back, or is another one", server.Name, server.Push, c.Head.Push)
			return nil
		}
	}
	switch {
	case c.head == 0 && len(c.Everyone) == 0, c.head != 0 && c.Everyone.Digest() == c.Head.Digest:
		return nil
	case c.head == 0 || c.Head.Push == 0:
		c.Unknown = "there are documents in the store, and no push that can be read"
		return nil
	}
	then, err := s.everyone(ctx, c.Head, c.head)
	compacted := errors.Is(err, rpctypes.ErrCompacted)
	if compacted {
		then, err = s.compacted(ctx, c, servers)
	}
	switch {
	case err != nil:
		return err
	case compacted && then == nil:
		c.Unknown = fmt.Sprintf("documents were changed without a push since push %d, etcd does not have any more how they were, and not all servers have announced that they have them in force as they are", c.Head.Push)
		return nil
	case !compacted && then.Digest() != c.Head.Digest:
		c.Unknown = fmt.Sprintf("the digest of push %d is not that of the documents of then", c.Head.Push)
		return nil
	}
	c.pushed = then
	for name := range then.Replace(c.Everyone) {
		was, had := then[name]
		is, has := c.Everyone[name]
		if !same(was, had, is, has) {
			c.Foreign = append(c.Foreign, name)
		}
	}
	slices.Sort(c.Foreign)
	return nil
}

// compacted returns everyone's documents as they were after the last push, of which etcd has
// forgotten the revision, nil if nobody knows. They are known if others have made documents
// and changed none, which the digest proves. Otherwise the documents are those that there
// are, if all servers have them in force: then they were judged by all of them.
func (s *Store) compacted(ctx context.Context, c *Contents, servers []Server) (fleet.Documents, error) {
	then := c.Everyone.Replace(nil)
	for _, name := range c.created {
		delete(then, name)
	}
	if then.Digest() == c.Head.Digest {
		return then, nil
	}
	stages := map[string]string{"": c.Everyone.Digest()} // :: stage → digest of the documents of its servers
	for _, server := range servers {
		if _, known := stages[server.Stage]; !known {
			stage, err := s.overlay(ctx, s.at.Stage(server.Stage), c.revision)
			if err != nil {
				return nil, err
			}
			stages[server.Stage] = c.Everyone.Replace(stage).Digest()
		}
		if cmp.Or(server.Documents, server.Digest) != stages[server.Stage] {
			return nil, nil
		}
	}
	if len(servers) == 0 {
		return nil, nil
	}
	return c.Everyone, nil
}

// everyone reads everyone's documents at a revision at which the head was this one.
func (s *Store) everyone(ctx context.Context, head fleet.Head, revision int64) (fleet.Documents, error) {
	out := make(fleet.Documents)
	err := s.below(ctx, s.at.Documents(), revision, func(name string, kv *mvccpb.KeyValue) {
		if isDocument(name) {
			out[name] = fleet.Document{Value: kv.Value, Revision: kv.ModRevision}
		}
	})
	if prefix, ok := head.StagingOf(s.at); err == nil && ok && head.Stage == "" {
		var staged fleet.Documents
		staged, err = s.overlay(ctx, prefix, revision)
		out = out.Overlay(staged)
	}
	maps.DeleteFunc(out, func(_ string, doc fleet.Document) bool { return doc.Removed })
	return out, err
}
