package etcd

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// patientKV answers two pages, and notes how long each may take.
type patientKV struct {
	clientv3.KV
	may []time.Duration
}

func (kv *patientKV) Get(ctx context.Context, key string, _ ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	deadline, _ := ctx.Deadline()
	kv.may = append(kv.may, time.Until(deadline))
	return &clientv3.GetResponse{More: len(kv.may) == 1, Kvs: []*mvccpb.KeyValue{{Key: []byte(key + "a.yaml")}}}, nil
}

// Txn notes the same of a transaction, which fails.
func (kv *patientKV) Txn(ctx context.Context) clientv3.Txn {
	deadline, _ := ctx.Deadline()
	kv.may = append(kv.may, time.Until(deadline))
	return failedTxn{}
}

type failedTxn struct{ clientv3.Txn }

func (t failedTxn) Then(...clientv3.Op) clientv3.Txn       { return t }
func (t failedTxn) Commit() (*clientv3.TxnResponse, error) { return nil, errors.New("failed") }

// Where a fleet starts at once, a page waits for those of all others: to give up sooner and
// to begin anew would make it wait for ever.
func TestDocumentsBelow_WaitsForTheFleet(t *testing.T) {
	kv := new(patientKV)
	_, err := documentsBelow(t.Context(), &clientv3.Client{KV: kv}, fleet.Map("/m").Documents(), 1)
	if err != nil || len(kv.may) != 2 || min(kv.may[0], kv.may[1]) < 5*requestTimeout {
		t.Errorf("%v, %v", kv.may, err)
	}
}

// When etcd is back, all servers look at once, and who gives up lists everything anew.
func TestLook_WaitsForTheFleet(t *testing.T) {
	kv := new(patientKV)
	s := &Source{opt: Options{Map: "/m"}, follower: follower{store: &store{}}}
	err := s.look(t.Context(), &clientv3.Client{KV: kv})
	if err == nil || len(kv.may) != 1 || kv.may[0] < 5*requestTimeout {
		t.Errorf("%v, %v", kv.may, err)
	}
}
