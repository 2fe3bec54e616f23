package etcd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
)

// A source that is closed leaves nothing behind, whatever etcd does: it runs, hangs, is
// down or was never there.
func TestSource_CloseLeavesNothing(t *testing.T) {
	w := newWorld(t, "a.yaml", "1")
	_ = w.client.Close()             // which would connect again, when etcd is down
	nobody := goleak.IgnoreCurrent() // also tests that are paused for others to run
	node := w.cluster.Nodes[0]
	for _, tc := range []struct {
		name       string
		meanwhile  func()
		credential string
		absent     bool
	}{
		{name: "runs", meanwhile: func() {}},
		{name: "hangs", meanwhile: node.Pause},
		{name: "hangs since before", absent: true},
		{name: "hangs before it is asked for a token", absent: true, credential: "x"},
		{name: "is down", meanwhile: node.Kill},
		{name: "is not there", absent: true, meanwhile: func() {}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := New(Options{Map: testMap, Stage: "canary", Announce: "ns1", Connection: fleet.Connection{Endpoints: w.cluster.Endpoints(), Username: tc.credential, Password: tc.credential}})
			if !tc.absent {
				if err := s.Await(time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
				s.Announce(fleet.Server{Push: 1})
				tc.meanwhile()
			}
			done := make(chan struct{})
			go func() { s.Close(); close(done) }()
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatal("Close hangs")
			}
			if strings.HasPrefix(tc.name, "hangs before") {
				node.Resume()
			}
			goleak.VerifyNone(t, nobody)
		})
	}
}

// Other options are used at once, also while the source waits before it tries again.
func TestSource_SetDuringAPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1")
	w.push(nil)
	w.source = New(Options{Map: testMap, Connection: fleet.Connection{Endpoints: []string{"http://127.0.0.1:1"}}, Log: w.logf})
	w.Cleanup(w.source.Close)
	w.logged("is lost")
	w.source.Set(Options{Connection: fleet.Connection{Endpoints: w.cluster.Endpoints()}})
	w.has("a.yaml=1")
}

// A push that is the first to be heard of after a connection was lost counts as judged.
func TestSource_PushedWhileAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "0")
	proxy := etcd.NewProxy(t, w.cluster.Nodes[0])
	w.open(func(o *Options) { o.Connection.Endpoints = []string{proxy.Endpoint} })
	for n := 1; n < 6; n++ {
		proxy.Cut()
		w.push(nil, "a.yaml", fmt.Sprint(n))
		proxy.Mend()
		w.has(fmt.Sprintf("a.yaml=%d", n))
		if !w.lastJudged() {
			t.Errorf("push %d does not count as judged", n)
		}
	}
}

// A head that is none is no store that went back.
func TestSource_BrokenHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1")
	w.push(nil)
	w.open(func(o *Options) { o.Look = 100 * time.Millisecond })
	w.commit(clientv3.OpPut(testMap.Head(), "{"), op(testMap.Documents()+"a.yaml", "2"))
	w.has("a.yaml=2")
	w.logged("the head is no JSON")
	w.commit(clientv3.OpDelete(testMap.Head()))
	w.put("a.yaml", "3")
	w.has("a.yaml=3")
	w.push(nil, "a.yaml", "4")
	w.has("a.yaml=4")
	if st := w.source.Status(); st.Back != nil {
		t.Error(st.Back)
	}
}

// Nobody takes for a while: what changes meanwhile waits in few offers, and all comes.
func TestSource_SlowTaker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "0")
	w.open(nil)
	w.push(nil, "a.yaml", "1")
	for n := range 300 {
		w.put(fmt.Sprintf("n%d.yaml", n%10), fmt.Sprint(n), "a.yaml", fmt.Sprint(n))
	}
	other := w.reopened(nil)
	w.push(nil, "a.yaml", "last")
	other.await("the push", func() bool { return other.source.Status().Push == 2 })
	w.await("the push", func() bool { return w.source.Status().Push == 2 })
	if w.content() != other.content() || len(w.taken) > 4 {
		t.Errorf("%d changes were taken, %s is not %s", len(w.taken), w.content(), other.content())
	}
}

// What an earlier run had is where the next one begins, and known by its position.
func TestSource_Position(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1", "b.yaml", "1")
	w.push(nil)
	w.open(nil)
	position := ParsePosition(w.source.Position().String())
	if position != w.source.Position() || position.Push != 1 {
		t.Fatalf("%+v", position)
	}
	w.put("b.yaml", "")
	docs := map[string][]byte{"a.yaml": []byte("1"), "b.yaml": []byte("1")}
	other := w.reopened(func(o *Options) { o.Documents, o.Position = docs, position })
	other.has("a.yaml=1")
	position.Cluster++
	other = w.reopened(func(o *Options) { o.Documents, o.Position = docs, position })
	other.has("a.yaml=1 b.yaml=1")
	if other.source.Status().Back == nil {
		t.Error("another cluster is taken for the same")
	}
	w.push(nil, "a.yaml", "2")
	w.push(nil, "a.yaml", "3")
	other.has("a.yaml=3")
	for _, s := range []string{"", "x", "cluster 1"} {
		if p := ParsePosition(s); p != (Position{}) {
			t.Errorf("%q is %+v", s, p)
		}
	}
}
