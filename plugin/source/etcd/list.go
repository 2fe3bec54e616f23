package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

const (
	requestTimeout = 5 * time.Second // of one request that writes
	// pageTimeout is that of one page. Where a fleet starts at once, a page waits for those
	// of all others, and to begin anew would only make more of them. A node that is gone is
	// noticed by the pings of the connection.
	pageTimeout = time.Minute
	// lookTimeout is that of a look for which etcd reads no documents but the newest. All
	// servers look at once when etcd is back; meanwhile nothing is handed over.
	lookTimeout = 30 * time.Second
)

// list reads everything anew, at the revision of the head if that is new, so that what was
// put since comes after the head, as it did in the store. Where nothing is in force yet,
// the store is taken as it is.
func (s *Source) list(ctx context.Context, client clientv3.KV) error {
	resp, err := get(ctx, client, s.opt.Map.Head())
	if err != nil {
		return err
	}
	s.listing()
	next := &store{cluster: resp.Header.ClusterId, revision: resp.Header.Revision}
	if len(resp.Kvs) > 0 {
		next.headRevision, next.headValue = resp.Kvs[0].ModRevision, resp.Kvs[0].Value
		if next.head, err = fleet.ParseHead(resp.Kvs[0].Value); err != nil {
			s.opt.Log("%s: %v", s.opt.Map, err)
			next.headBroken = true
			if s.store != nil {
				next.head = s.store.head // with what is in its staging
			}
		}
	}
	same, err := s.isSameHistory(ctx, client)
	if err != nil {
		return err
	}
	back := !same || s.wentBack(next)
	atHead := next.headRevision > 0 && !back && (s.store == nil && s.resumed || s.store != nil && next.headRevision > s.store.revision)
	if atHead {
		next.revision = next.headRevision
	}
	err = s.fill(ctx, client, next)
	if errors.Is(err, rpctypes.ErrCompacted) && atHead {
		next.revision = resp.Header.Revision
		err = s.fill(ctx, client, next)
	}
	if err != nil {
		return err
	}
	back = back || s.isRewritten(next)
	whole, known := next.isWhole()
	if known && !whole && next.headRevision > 0 {
		s.opt.Log("%s: the digest of push %d is not that of the documents: what changes is judged here", s.opt.Map, next.head.Push)
	}
	s.adopt(next, back, whole && !isNewer(next.stage, next.headRevision))
	s.seen = max(s.seen, resp.Header.Revision)
	return nil
}

// fill reads the documents of a store at its revision.
func (s *Source) fill(ctx context.Context, client clientv3.KV, st *store) (err error) {
	st.documents, st.ignored = make(fleet.Documents), make(fleet.Documents)
	all, err := documentsBelow(ctx, client, s.opt.Map.Documents(), st.revision)
	if err != nil {
		return err
	}
	for name, doc := range all {
		doc.Removed = false // only in a staging or stage an empty value is a removal
		st.apply(name, doc)
	}
	for name := range st.ignored {
		s.ignore(name)
	}
	st.drainsRevision = st.revision
	if st.drains, err = documentsBelow(ctx, client, s.opt.Map.Drains(), st.revision); err != nil {
		return err
	}
	if st.staging, err = s.readStaging(ctx, client, st.head, st.revision); err != nil {
		return err
	}
	st.stageRevision = st.revision
	st.stage, err = s.readStage(ctx, client, st.head, st.revision)
	return err
}

// maxIgnored is how many names of keys that are no documents are said.
const maxIgnored = 20

// ignore says once that a key is no document.
func (s *Source) ignore(name string) {
	if s.ignored == nil {
		s.ignored = make(map[string]bool)
	}
	if s.ignored[name] || len(s.ignored) >= maxIgnored {
		return
	}
	s.ignored[name] = true
	s.opt.Log("%s: the key %s%s is no document and ignored: the names of documents end in .yaml, .yml or .json", s.opt.Map, s.opt.Map.Documents(), name)
}

// readStaging reads the documents that a head is from.
func (s *Source) readStaging(ctx context.Context, client clientv3.KV, h fleet.Head, revision int64) (fleet.Documents, error) {
	prefix, is := h.StagingOf(s.opt.Map)
	if !is || h.Stage != "" {
		return nil, nil
	}
	return documentsBelow(ctx, client, prefix, revision)
}

// readStage reads the documents of the stage of this server, with those that the head is
// from if that is about the stage.
func (s *Source) readStage(ctx context.Context, client clientv3.KV, h fleet.Head, revision int64) (fleet.Documents, error) {
	if s.opt.Stage == "" {
		return nil, nil
	}
	stage, err := documentsBelow(ctx, client, s.opt.Map.Stage(s.opt.Stage), revision)
	if prefix, is := h.StagingOf(s.opt.Map); err == nil && is && h.Stage == s.opt.Stage {
		var staging fleet.Documents
		staging, err = documentsBelow(ctx, client, prefix, revision)
		stage = stage.Overlay(staging)
	}
	return stage, err
}

// documentsBelow lists the keys below a prefix, in pages.
func documentsBelow(ctx context.Context, client clientv3.KV, prefix string, revision int64) (fleet.Documents, error) {
	out := make(fleet.Documents)
	ask := func(from string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
		return get(ctx, client, from, append(opts, clientv3.WithRev(revision))...)
	}
	return out, fleet.Below(prefix, ask, func(name string, kv *mvccpb.KeyValue) {
		out[name] = fleet.Document{Value: kv.Value, Revision: kv.ModRevision, Removed: len(kv.Value) == 0}
	})
}

// get asks etcd, for as long as a page may take.
func get(ctx context.Context, client clientv3.KV, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	resp, err := client.Get(ctx, key, opts...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	return resp, nil
}
