package etcd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// planLook plans the next look at the revisions of all documents, which a fleet does not do
// at one moment: etcd reads every document for it.
func (s *Source) planLook() {
	s.deepAt = time.Time{}
	if s.opt.Look > 0 {
		s.deepAt = time.Now().Add(s.opt.Look*3/4 + rand.N(s.opt.Look/2))
	}
	s.lookAt = s.deepAt
}

// look compares the store with what the watch has brought. After a connection has come to
// be again, nothing is handed over before: the store may be another one. The documents are
// not gone through then: the watch goes on where it was, and brings what has changed.
func (s *Source) look(ctx context.Context, client clientv3.KV) error {
	same, err := s.isSameHistory(ctx, client)
	if err != nil {
		return err
	}
	deep := !s.deepAt.IsZero() && !time.Now().Before(s.deepAt)
	now, differs, err := s.compare(ctx, client, 0, deep)
	if err != nil {
		return err
	}
	if !same || s.wentBack(now) {
		return errAnew
	}
	s.seen = max(s.seen, now.revision)
	if differs && s.suspicious {
		return errAnew
	}
	if err := s.readDrains(ctx, client, now.revision); err != nil {
		return err
	}
	s.verified = true
	s.suspicious = differs
	switch {
	case differs:
		s.lookAt = time.Now().Add(again)
	case deep:
		s.planLook()
	default:
		s.lookAt = s.deepAt
	}
	return nil
}

// compare compares the store at a revision, 0 for the newest, with what the watch has
// brought, without sending a document. A deep one compares the revisions of all documents,
// which may take as long as a page.
func (s *Source) compare(ctx context.Context, client clientv3.KV, revision int64, deep bool) (now *store, differs bool, err error) {
	timeout := lookTimeout
	if deep {
		timeout = pageTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	prefix, at := s.opt.Map.Documents(), clientv3.WithRev(revision)
	ops := []clientv3.Op{
		clientv3.OpGet(s.opt.Map.Head(), at),
		clientv3.OpGet(prefix, clientv3.WithPrefix(), clientv3.WithCountOnly(), at),
	}
	if deep {
		ops = append(ops, clientv3.OpGet(prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithLimit(1), clientv3.WithMinModRev(s.store.revision+1), at))
	}
	resp, err := client.Txn(ctx).Then(ops...).Commit()
	if err != nil {
		return nil, false, fmt.Errorf("looking at %s: %w", prefix, err)
	}
	now = &store{cluster: resp.Header.ClusterId, revision: resp.Header.Revision}
	now.headRevision, _ = lastOf(resp.Responses[0])
	differs = now.headRevision != s.store.headRevision || int(resp.Responses[1].GetResponseRange().Count) != s.store.count() ||
		deep && len(resp.Responses[2].GetResponseRange().Kvs) > 0
	return now, differs, nil
}

// isSameHistory reports whether the store was, at the revision up to which it was seen, as
// it was seen then. Of one that is compacted nobody can tell, and it counts as such.
func (s *Source) isSameHistory(ctx context.Context, client clientv3.KV) (bool, error) {
	if s.store == nil {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	prefix, at := s.opt.Map.Documents(), clientv3.WithRev(s.store.revision)
	newest := s.store.newest()
	ops := []clientv3.Op{
		clientv3.OpGet(s.opt.Map.Head(), at),
		clientv3.OpGet(prefix, clientv3.WithPrefix(), clientv3.WithCountOnly(), at),
	}
	names := slices.Sorted(maps.Keys(newest))
	for _, name := range names {
		ops = append(ops, clientv3.OpGet(prefix+name, at))
	}
	resp, err := client.Txn(ctx).Then(ops...).Commit()
	switch {
	case errors.Is(err, rpctypes.ErrCompacted):
		return true, nil
	case errors.Is(err, rpctypes.ErrFutureRev):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking at %s: %w", prefix, err)
	}
	head, value := lastOf(resp.Responses[0])
	if !s.isListed { // Of a position, no more is known.
		h, err := fleet.ParseHead(value)
		return head == s.store.headRevision && (err != nil || h.Push == s.store.head.Push && h.Digest == s.store.head.Digest), nil
	}
	for i, name := range names {
		revision, text := lastOf(resp.Responses[2+i])
		if revision != newest[name].Revision || !bytes.Equal(text, newest[name].Value) {
			return false, nil
		}
	}
	return head == s.store.headRevision && bytes.Equal(value, s.store.headValue) &&
		int(resp.Responses[1].GetResponseRange().Count) == s.store.count(), nil
}

// lastOf returns the revision that wrote the only key of a range, and its value.
func lastOf(r *etcdserverpb.ResponseOp) (int64, []byte) {
	if kvs := r.GetResponseRange().Kvs; len(kvs) > 0 {
		return kvs[0].ModRevision, kvs[0].Value
	}
	return 0, nil
}
