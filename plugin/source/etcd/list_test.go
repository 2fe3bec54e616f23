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

// slowKV is a store of which a page comes when the test lets it come.
type slowKV struct {
	*memory
	asked, answer chan struct{}
	err           error // comes in place of the page
}

func (kv *slowKV) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if key == testMap.Documents() {
		close(kv.asked)
		<-kv.answer
		if kv.err != nil {
			return nil, kv.err
		}
	}
	return kv.memory.Get(ctx, key, opts...)
}

// A store whose listing takes longer than etcd may take to answer is listed to its end,
// unless there is something to begin with meanwhile.
func TestAwait_WhilePagesCome(t *testing.T) {
	for _, tc := range []struct {
		name    string
		resumed map[string][]byte
		err     error
		want    string
	}{
		{name: "comes"},
		{name: "lost", err: errors.New("lost"), want: "etcd at http://localhost:2379: reading /m/documents/: lost"},
		{name: "resumed", resumed: map[string][]byte{"a.yaml": nil}, want: "etcd at http://localhost:2379 does not answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			kv := &slowKV{memory: newMemory(), asked: make(chan struct{}), answer: make(chan struct{}), err: tc.err}
			kv.write(map[string][]byte{testMap.Documents() + "a.yaml": []byte("1")})
			s := newSource(Options{Map: testMap, Documents: tc.resumed})
			s.opt.Log = t.Logf
			listed, awaited := make(chan struct{}), make(chan error, 1)
			go func() {
				defer close(listed)
				if err := s.list(context.Background(), kv); err != nil {
					s.down(err)
				}
			}()
			<-kv.asked
			go func() { awaited <- s.Await(time.Time{}) }()
			if tc.resumed == nil {
				select {
				case err := <-awaited:
					t.Fatalf("a page is awaited, and Await has ended: %v", err)
				case <-time.After(50 * time.Millisecond):
				}
				close(kv.answer)
			}
			err := <-awaited
			if tc.resumed != nil {
				close(kv.answer)
			}
			<-listed
			if err == nil && tc.want != "" || err != nil && err.Error() != tc.want {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}
