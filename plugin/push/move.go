package push

import (
	"context"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// finish moves to their place the documents that the last push has left in the staging,
// and deletes the staging of pushes that never came. Several processes may do it at once.
func (s *Store) finish(ctx context.Context) error {
	for {
		resp, err := s.get(ctx, s.at.Head())
		if err != nil || len(resp.Kvs) == 0 {
			return err
		}
		head, err := fleet.ParseHead(resp.Kvs[0].Value)
		if err != nil {
			return nil // Of a head that nobody can read nothing is known; the next one replaces it.
		}
		revision := resp.Kvs[0].ModRevision
		prefix, ok := head.StagingOf(s.at)
		if !ok {
			return s.deleteDead(ctx, head, revision)
		}
		resp, err = s.get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithLimit(maxOps/2-1))
		if err != nil {
			return err
		}
		if len(resp.Kvs) == 0 {
			return s.deleteDead(ctx, head, revision)
		}
		if err := s.move(ctx, head, revision, prefix, resp); err != nil {
			return err
		}
	}
}

// move moves some documents of the staging to their place, as long as the head and they
// are as they were read. What was written there later stays.
func (s *Store) move(ctx context.Context, head fleet.Head, revision int64, prefix string, staged *clientv3.GetResponse) error {
	to := target(s.at, head.Stage)
	var looks []clientv3.Op
	for _, kv := range staged.Kvs {
		looks = append(looks, clientv3.OpGet(to+strings.TrimPrefix(string(kv.Key), prefix), clientv3.WithKeysOnly()))
	}
	there, err := s.commit(ctx, nil, looks...)
	if err != nil {
		return err
	}
	t := &transaction{}
	t.unchanged(s.at.Head(), revision)
	for i, kv := range staged.Kvs {
		next, name, was := *t, strings.TrimPrefix(string(kv.Key), prefix), int64(0)
		if kvs := there.Responses[i].GetResponseRange().Kvs; len(kvs) > 0 {
			was = kvs[0].ModRevision
		}
		next.unchanged(string(kv.Key), kv.ModRevision)
		next.unchanged(to+name, was)
		next.drop(string(kv.Key))
		switch {
		case was > kv.ModRevision || !isDocument(name):
		case len(kv.Value) == 0 && head.Stage == "":
			next.drop(to + name)
		default:
			next.put(to+name, kv.Value)
		}
		if !next.fits() && len(t.ops) > 0 {
			break
		}
		t = &next
	}
	_, err = s.commit(ctx, t.ifs, t.ops...)
	return err // Where the comparisons failed, all is read again.
}

// deleteDead deletes the staging of pushes that can never come any more: the head has
// passed their numbers.
func (s *Store) deleteDead(ctx context.Context, head fleet.Head, revision int64) error {
	dead := make(map[int64]bool)
	err := s.below(ctx, s.at.Stagings(), 0, func(name string, _ *mvccpb.KeyValue) {
		number, _, _ := strings.Cut(name, "/")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && n <= head.Push && fleet.FromStaging(n) != head.From {
			dead[n] = true
		}
	}, clientv3.WithKeysOnly())
	if err != nil {
		return err
	}
	for n := range dead {
		t := &transaction{}
		t.unchanged(s.at.Head(), revision)
		t.drop(s.at.Staging(n), clientv3.WithPrefix())
		t.drop(s.at.StagingClaim(n))
		if _, err := s.commit(ctx, t.ifs, t.ops...); err != nil {
			return err
		}
	}
	return nil
}
