package push

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// claimTTL is for how many seconds the claim of a process that was killed keeps others from
// pushing as much.
const claimTTL = 15

// claim is the right of one process to write the staging of a push.
type claim struct {
	key      string
	revision int64 // that wrote the key
	lease    clientv3.LeaseID
	stop     context.CancelFunc
}

// large pushes what is more than one transaction: documents to the staging, and the head
// last.
func (w *writing) large(ctx context.Context) (err error) {
	cl, err := w.claim(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.discard(ctx, cl)
		}
		w.release(ctx, cl)
	}()
	m := w.store.at
	var puts []keyValue
	for i, p := range w.pieces {
		puts = append(puts, keyValue{pieceKey(m, w.head.Push, i+1), p})
	}
	for _, name := range slices.Sorted(maps.Keys(w.write)) {
		puts = append(puts, keyValue{m.Staging(w.head.Push) + name, w.write[name].Value}) // empty if removed
	}
	if w.ends == "" {
		for _, name := range w.back { // As everyone's are now is what the stage can say here.
			puts = append(puts, keyValue{m.Staging(w.head.Push) + name, w.read.Everyone[name].Value})
		}
	}
	if err := w.stageAll(ctx, cl, puts); err != nil {
		return err
	}
	if len(w.write)+len(w.back) > 0 {
		w.head.From = fleet.FromStaging(w.head.Push)
	}
	t, err := w.conclusion()
	if err != nil {
		return err
	}
	w.guard(t, cl)
	return w.push(ctx, t)
}

type keyValue struct {
	key   string
	value []byte
}

// guard compares that the claim holds, and that nobody else has pushed.
func (w *writing) guard(t *transaction, cl *claim) {
	t.unchanged(cl.key, cl.revision)
	if len(t.ifs) == 1 {
		t.unchanged(w.store.at.Head(), w.read.head)
	}
}

// stageAll writes keys that nobody reads yet, in as few transactions as there can be.
func (w *writing) stageAll(ctx context.Context, cl *claim, puts []keyValue) error {
	for len(puts) > 0 {
		t := &transaction{}
		w.guard(t, cl)
		for len(puts) > 0 {
			next := *t
			next.put(puts[0].key, puts[0].value)
			if !next.fits() && len(t.ops) > 0 {
				break
			}
			*t, puts = next, puts[1:]
		}
		resp, err := w.store.commit(ctx, t.ifs, t.ops...)
		if err != nil {
			return err
		}
		if !resp.Succeeded {
			return fmt.Errorf("%w, or this push took longer than its claim lasts", ErrChanged)
		}
	}
	return nil
}

// claim gets the right to write the staging of the push, and deletes what a dead process
// has left there. While another one has it, claim waits: that one may be dead.
func (w *writing) claim(ctx context.Context) (*claim, error) {
	m, client := w.store.at, w.store.client
	begin, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	lease, err := client.Grant(begin, claimTTL)
	if err != nil {
		return nil, w.store.failed("write", err)
	}
	alive, stop := context.WithCancel(ctx)
	beats, err := client.KeepAlive(alive, lease.ID)
	if err != nil {
		stop()
		return nil, w.store.failed("write", err)
	}
	go func() {
		for range beats { // A claim that could not be kept alive fails the next transaction.
		}
	}()
	cl := &claim{key: m.StagingClaim(w.head.Push), lease: lease.ID, stop: stop}
	for {
		t := &transaction{}
		t.unchanged(cl.key, 0)
		t.unchanged(m.Head(), w.read.head)
		t.put(cl.key, []byte(w.head.By), clientv3.WithLease(lease.ID))
		t.drop(m.Staging(w.head.Push), clientv3.WithPrefix())
		t.drop(m.History(w.head.Push), clientv3.WithPrefix())
		resp, err := w.store.commit(ctx, t.ifs, t.ops...)
		if err != nil {
			w.release(ctx, cl)
			return nil, err
		}
		if resp.Succeeded {
			cl.revision = resp.Header.Revision
			return cl, nil
		}
		if err := w.await(ctx, cl); err != nil {
			w.release(ctx, cl)
			return nil, err
		}
	}
}

// await waits until the claim of another process is gone. It is an ErrChanged if the head
// has changed.
func (w *writing) await(ctx context.Context, cl *claim) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := w.store.commit(ctx, nil, clientv3.OpGet(w.store.at.Head(), clientv3.WithKeysOnly()), clientv3.OpGet(cl.key))
		if err != nil {
			return err
		}
		head, other := resp.Responses[0].GetResponseRange().Kvs, resp.Responses[1].GetResponseRange().Kvs
		switch {
		case len(head) == 0 && w.read.head != 0, len(head) > 0 && head[0].ModRevision != w.read.head:
			return ErrChanged
		case len(other) == 0:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is pushing: %w", other[0].Value, ctx.Err())
		case <-tick.C:
		}
	}
}

// discard deletes what nobody reads of a push that has failed. If that fails too, whoever
// pushes next does it. The claim goes with it, so that a head which etcd may have yet to
// write cannot come after it.
func (w *writing) discard(ctx context.Context, cl *claim) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), firstPatience)
	defer cancel()
	m, t := w.store.at, &transaction{}
	w.guard(t, cl)
	t.drop(cl.key)
	t.drop(m.Staging(w.head.Push), clientv3.WithPrefix())
	t.drop(m.History(w.head.Push), clientv3.WithPrefix())
	_, _ = w.store.commit(ctx, t.ifs, t.ops...)
}

// release gives the claim back. If that fails, it goes with its lease.
func (w *writing) release(ctx context.Context, cl *claim) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), firstPatience)
	defer cancel()
	cl.stop()
	_, _ = w.store.client.Revoke(ctx, cl.lease)
}
