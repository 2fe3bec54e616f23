package etcd

import (
	"context"
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

// Where a fleet starts at once, a page waits for those of all others: to give up sooner and
// to begin anew would make it wait for ever.
func TestDocumentsBelow_WaitsForTheFleet(t *testing.T) {
	kv := new(patientKV)
	_, err := documentsBelow(t.Context(), &clientv3.Client{KV: kv}, fleet.Map("/m").Documents(), 1)
	if err != nil || len(kv.may) != 2 || min(kv.may[0], kv.may[1]) < 5*requestTimeout {
		t.Errorf("%v, %v", kv.may, err)
	}
}
