package etcd

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// countingKV counts the requests for which etcd reads all documents.
type countingKV struct {
	*memory
	deep int
}

func (kv *countingKV) Txn(ctx context.Context) clientv3.Txn {
	return &countingTxn{Txn: kv.memory.Txn(ctx), kv: kv}
}

type countingTxn struct {
	clientv3.Txn
	kv *countingKV
}

func (t *countingTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	for _, op := range ops {
		if op.MinModRev() > 0 {
			t.kv.deep++
		}
	}
	return t.Txn.Then(ops...)
}

// A fleet whose connections were lost looks whether the store is the one of before, and has
// etcd read no document for it. The look of the interval finds a put that no watch brought.
func TestLook_ReadsNoDocumentAfterAReconnect(t *testing.T) {
	kv := &countingKV{memory: newMemory()}
	kv.write(map[string][]byte{testMap.Documents() + "a.yaml": []byte("1")})
	s := newSource(Options{Map: testMap, Look: time.Hour, Log: t.Logf})
	if err := s.list(t.Context(), kv); err != nil {
		t.Fatal(err)
	}
	s.planLook()
	kv.write(map[string][]byte{testMap.Documents() + "a.yaml": []byte("2")})
	for range 3 {
		s.connected(false)
		s.connected(true)
		if err := s.work(t.Context(), kv, time.Now()); err != nil || !s.verified {
			t.Fatalf("%v, verified %t", err, s.verified)
		}
	}
	if kv.deep > 0 || s.suspicious || !s.lookAt.Equal(s.deepAt) {
		t.Errorf("%d looks had etcd read all documents", kv.deep)
	}
	s.deepAt, s.lookAt = time.Now(), time.Now()
	if err := s.work(t.Context(), kv, time.Now()); err != nil || kv.deep != 1 || !s.suspicious {
		t.Errorf("%v, %d looks, suspicious %t", err, kv.deep, s.suspicious)
	}
}

// silentKV is a node that takes requests and does not answer.
type silentKV struct{ *memory }

func (kv silentKV) Txn(ctx context.Context) clientv3.Txn { return silentTxn{kv.memory.Txn(ctx), ctx} }

type silentTxn struct {
	clientv3.Txn
	ctx context.Context
}

func (t silentTxn) Then(...clientv3.Op) clientv3.Txn { return t }

func (t silentTxn) Commit() (*clientv3.TxnResponse, error) {
	<-t.ctx.Done()
	return nil, t.ctx.Err()
}

// A look that is not answered holds what the watch brings for seconds, not for as long as a
// page may take.
func TestLook_Unanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := newMemory()
		kv.write(map[string][]byte{testMap.Documents() + "a.yaml": []byte("1")})
		s := newSource(Options{Map: testMap, Log: t.Logf})
		if err := s.list(t.Context(), kv); err != nil {
			t.Fatal(err)
		}
		s.connected(true)
		begin := time.Now() // of the bubble: no time of the machine passes
		if err := s.work(t.Context(), silentKV{kv}, begin); err == nil || time.Since(begin) > lookTimeout {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}
