package etcd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// planLook plans the next look, which a fleet does not do at one moment.
func (s *Source) planLook() {
	s.lookAt = time.Time{}
	if s.opt.Look > 0 {
		s.lookAt = time.Now().Add(s.opt.Look*3/4 + rand.N(s.opt.Look/2))
	}
}

// look compares the store with what the watch has brought. After a connection has come to
// be again, nothing is handed over before: the store may be another one.
func (s *Source) look(ctx context.Context, client clientv3.KV) error {
	now, differs, err := s.compare(ctx, client, 0)
	if err != nil {
		return err
	}
	if s.wentBack(now) {
		return errAnew
	}
	s.seen = max(s.seen, now.revision)
	if differs && s.suspicious {
		return errAnew
	}
	s.verified = true
	s.suspicious = differs
	s.planLook()
	if differs {
		s.lookAt = time.Now().Add(again)
	}
	return nil
}

// compare compares the store at a revision, 0 for the newest, with what the watch has
// brought, without reading a document. The document that was written last must be there as
// it was or newer: else the store has another history, and compare returns errAnew.
func (s *Source) compare(ctx context.Context, client clientv3.KV, revision int64) (now *store, differs bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	prefix, at := s.opt.Map.Documents(), clientv3.WithRev(revision)
	name, written := s.store.newest()
	resp, err := client.Txn(ctx).Then(
		clientv3.OpGet(s.opt.Map.Head(), at),
		clientv3.OpGet(prefix, clientv3.WithPrefix(), clientv3.WithCountOnly(), at),
		clientv3.OpGet(prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithLimit(1), clientv3.WithMinModRev(s.store.revision+1), at),
		clientv3.OpGet(prefix+name, clientv3.WithKeysOnly(), at),
	).Commit()
	if err != nil {
		return nil, false, fmt.Errorf("looking at %s: %w", prefix, err)
	}
	now = &store{cluster: resp.Header.ClusterId, revision: resp.Header.Revision}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		now.headRevision = kvs[0].ModRevision
	}
	if kvs := resp.Responses[3].GetResponseRange().Kvs; len(kvs) > 0 && kvs[0].ModRevision < written {
		return nil, false, errAnew
	}
	differs = now.headRevision != s.store.headRevision ||
		int(resp.Responses[1].GetResponseRange().Count) != s.store.count() ||
		len(resp.Responses[2].GetResponseRange().Kvs) > 0
	return now, differs, nil
}
