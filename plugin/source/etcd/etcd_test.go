package etcd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
)

const (
	testMap  = fleet.Map("/m")
	patience = time.Minute
)

// world is an etcd, a client of it, and a source that follows it.
type world struct {
	*testing.T
	cluster *etcd.Cluster
	client  *clientv3.Client
	source  *Source
	taken   []Change // all so far
	pushes  int64

	mu  sync.Mutex
	log []string
}

// newWorld starts etcd with documents, name and value in turn.
func newWorld(t *testing.T, documents ...string) *world {
	t.Helper()
	w := &world{T: t, cluster: etcd.Start(t, 1)}
	w.client = w.cluster.Client()
	w.put(documents...)
	return w
}

// open starts a source and takes what there is at first.
func (w *world) open(change func(*Options)) {
	w.Helper()
	opt := Options{Map: testMap, Connection: fleet.Connection{Endpoints: w.cluster.Endpoints()}, Log: w.logf}
	if change != nil {
		change(&opt)
	}
	w.source = New(opt)
	w.Cleanup(w.source.Close)
	if err := w.source.Await(time.Now().Add(patience)); err != nil {
		w.Fatal(err)
	}
	w.take()
}

func (w *world) logf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// logged waits for a log line with the text.
func (w *world) logged(text string) {
	w.Helper()
	w.await("a log line with "+text, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return slices.ContainsFunc(w.log, func(line string) bool { return strings.Contains(line, text) })
	})
}

// put writes documents without a head, each by itself, and removes those without a value.
func (w *world) put(documents ...string) {
	w.Helper()
	for i := 0; i < len(documents); i += 2 {
		w.commit(op(testMap.Documents()+documents[i], documents[i+1]))
	}
}

// op writes or removes a key.
func op(key, value string) clientv3.Op {
	if value == "" {
		return clientv3.OpDelete(key)
	}
	return clientv3.OpPut(key, value)
}

func (w *world) commit(ops ...clientv3.Op) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := w.client.Txn(ctx).Then(ops...).Commit(); err != nil {
		w.Fatal(err)
	}
}

// push writes documents and a head with the digest of all of them, in one transaction.
func (w *world) push(change func(*fleet.Head), documents ...string) {
	w.Helper()
	var ops []clientv3.Op
	all := w.documents()
	for i := 0; i < len(documents); i += 2 {
		ops = append(ops, op(testMap.Documents()+documents[i], documents[i+1]))
		all[documents[i]] = fleet.Document{Value: []byte(documents[i+1]), Removed: documents[i+1] == ""}
	}
	w.pushes++
	h := fleet.Head{Push: w.pushes, Digest: all.Digest()}
	if change != nil {
		change(&h)
	}
	w.commit(append(ops, clientv3.OpPut(testMap.Head(), string(h.Encode())))...)
}

// documents returns everyone's documents as etcd has them.
func (w *world) documents() fleet.Documents {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := documentsBelow(ctx, w.client, testMap.Documents(), 0)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// take takes what there is to take, if there is anything.
func (w *world) take() {
	if c := w.source.Take(); len(c.Paths) > 0 {
		w.taken = append(w.taken, c)
	}
}

// await takes until the condition holds.
func (w *world) await(what string, condition func() bool) {
	w.Helper()
	for deadline := time.Now().Add(patience); !condition(); {
		if time.Now().After(deadline) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.Fatalf("waited in vain for %s; it has %v, log:\n%s", what, w.content(), strings.Join(w.log, "\n"))
		}
		select {
		case <-w.source.Changes():
		case <-time.After(20 * time.Millisecond):
		}
		w.take()
	}
}

// content returns all documents of the source as one text.
func (w *world) content() string {
	var out []string
	for _, path := range w.source.List() {
		value, err := w.source.Read(path)
		if err != nil {
			w.Fatal(err)
		}
		out = append(out, strings.TrimPrefix(path, "etcd:/m/")+"="+string(value))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// has waits until the source has exactly these documents.
func (w *world) has(want string) {
	w.Helper()
	w.await(want, func() bool { return w.content() == want })
}

// lastJudged reports whether the last change that was taken was judged.
func (w *world) lastJudged() bool { return len(w.taken) > 0 && w.taken[len(w.taken)-1].Judged }

func TestSource_Changes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1", "b.yaml", "1", "notes.txt", "x")
	w.open(nil)
	w.has("a.yaml=1 b.yaml=1")
	w.logged("/m/documents/notes.txt is no document")
	w.put("a.yaml", "2", "b.yaml", "", "c.json", "3")
	w.has("a.yaml=2 c.json=3")
	if w.lastJudged() {
		t.Error("what was put without a head counts as judged")
	}
	w.push(nil, "a.yaml", "4", "c.json", "")
	w.has("a.yaml=4")
	if !w.lastJudged() {
		t.Error("what was pushed does not count as judged")
	}
	if got := w.source.Status(); got != (Status{Up: true, Push: 1}) {
		t.Errorf("%+v", got)
	}
	if _, err := w.source.Read("etcd:/m/c.json"); err == nil {
		t.Error("a removed document is read")
	}
}

// What was put since the last push comes after it where a version of an earlier run is in
// force, and at once where none is.
func TestSource_PutSinceThePush(t *testing.T) {
	w := newWorld(t)
	w.push(nil, "a.yaml", "1")
	w.put("b.yaml", "1")
	w.open(func(o *Options) { o.Documents = map[string][]byte{} })
	if got := w.content(); got != "a.yaml=1" || !w.lastJudged() {
		t.Errorf("first %s", got)
	}
	w.has("a.yaml=1 b.yaml=1")
	if w.lastJudged() {
		t.Error("what was put since counts as judged")
	}
	if got := w.reopened(nil).content(); got != "a.yaml=1 b.yaml=1" {
		t.Errorf("at a cold start %s", got)
	}
}

// A transaction is handed over whole, also among others.
func TestSource_TransactionsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "0", "b.yaml", "0")
	w.open(nil)
	last := ""
	for n := range 40 {
		last = fmt.Sprint(n)
		if n%3 == 0 {
			w.push(nil, "a.yaml", last, "b.yaml", last)
		} else {
			w.commit(op(testMap.Documents()+"a.yaml", last), op(testMap.Documents()+"b.yaml", last))
		}
		w.take()
		if a, b, _ := strings.Cut(w.content(), " "); a[len("a.yaml="):] != b[len("b.yaml="):] {
			t.Fatalf("half a transaction: %s %s", a, b)
		}
	}
	w.has("a.yaml=" + last + " b.yaml=" + last)
}

// A push that does not fit a transaction counts from its head on, moved or not.
func TestSource_Staging(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1", "b.yaml", "1")
	w.open(nil)
	staging := testMap.Staging(9)
	w.commit(op(staging+"a.yaml", "2"))
	w.commit(clientv3.OpPut(staging+"b.yaml", ""))
	w.commit(op(staging+"c.yaml", "2"))
	after := fleet.Documents{"a.yaml": {Value: []byte("2")}, "c.yaml": {Value: []byte("2")}}
	w.push(func(h *fleet.Head) { h.From, h.Digest = fleet.FromStaging(9), after.Digest() })
	w.has("a.yaml=2 c.yaml=2")
	seen := len(w.taken)
	w.commit(op(testMap.Documents()+"a.yaml", "2"), op(staging+"a.yaml", ""))
	w.commit(op(testMap.Documents()+"b.yaml", ""), op(staging+"b.yaml", ""))
	other := w.reopened(nil)
	if got := other.content(); got != "a.yaml=2 c.yaml=2" {
		t.Errorf("a server that starts meanwhile has %s", got)
	}
	w.commit(op(testMap.Documents()+"c.yaml", "2"), op(staging+"c.yaml", ""))
	w.put("d.yaml", "1")
	w.has("a.yaml=2 c.yaml=2 d.yaml=1")
	if got := len(w.taken) - seen; got != 1 {
		t.Errorf("moving has changed something: %d changes", got)
	}
}

// reopened returns another source on the same etcd.
func (w *world) reopened(change func(*Options)) *world {
	other := &world{T: w.T, cluster: w.cluster, client: w.client}
	other.open(change)
	return other
}

func TestSource_Stage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1", "b.yaml", "1")
	w.push(nil)
	w.open(func(o *Options) { o.Stage = "canary" })
	everyone := w.reopened(nil)
	stage := testMap.Stage("canary")
	w.commit(op(stage+"a.yaml", "2"), clientv3.OpPut(stage+"b.yaml", ""), clientv3.OpPut(testMap.Head(), string(fleet.Head{Push: 2, Digest: w.documents().Digest(), Stage: "canary"}.Encode())))
	w.has("a.yaml=2")
	if !w.lastJudged() {
		t.Error("the push of a stage does not count as judged")
	}
	everyone.await("push 2", func() bool { return everyone.source.Status().Push == 2 })
	everyone.has("a.yaml=1 b.yaml=1")
	w.put("c.yaml", "1")
	w.has("a.yaml=2 c.yaml=1")
	w.commit(op(stage+"a.yaml", ""), op(stage+"b.yaml", ""))
	w.has("a.yaml=1 b.yaml=1 c.yaml=1")
	if !w.lastJudged() {
		t.Error("everyone's documents do not count as judged after the stage")
	}
}

// A watch that falls behind a compaction lists everything anew.
func TestSource_Compacted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1")
	w.push(nil, "b.yaml", "1")
	w.open(nil)
	w.cluster.Nodes[0].Pause()
	w.cluster.Nodes[0].Resume()
	for n := range 20 {
		w.put("a.yaml", fmt.Sprint(n))
	}
	w.compact()
	other := w.reopened(nil)
	other.has("a.yaml=19 b.yaml=1")
	w.has("a.yaml=19 b.yaml=1")
}

// compact compacts everything but the last revision.
func (w *world) compact() {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, err := w.client.Get(ctx, "x")
	if err == nil {
		_, err = w.client.Compact(ctx, resp.Header.Revision)
	}
	if err != nil {
		w.Fatal(err)
	}
}

func TestSource_EtcdAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.yaml", "1")
	w.open(nil)
	node := w.cluster.Nodes[0]
	node.Kill()
	w.await("the loss", func() bool { return !w.source.Status().Up })
	w.has("a.yaml=1")
	node.Start()
	w.cluster.Await()
	w.put("a.yaml", "2")
	w.has("a.yaml=2")
	w.await("the recovery", func() bool { return w.source.Status().Up })
	w.logged("is back")
}
