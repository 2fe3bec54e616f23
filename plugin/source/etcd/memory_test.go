package etcd

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// memory is a store of keys in memory, with all its revisions. It answers what a source
// asks, and no more.
type memory struct {
	clientv3.KV
	cluster   uint64
	revisions []map[string]*mvccpb.KeyValue // :: revision → key → value
	events    [][]*clientv3.Event           // :: revision → what it changed
	compacted int64
}

func newMemory() *memory {
	return &memory{cluster: 1, revisions: []map[string]*mvccpb.KeyValue{nil, {}}, events: make([][]*clientv3.Event, 2)}
}

func (m *memory) revision() int64 { return int64(len(m.revisions) - 1) }

// write is one transaction. A value of nil deletes a key.
func (m *memory) write(values map[string][]byte) {
	next := make(map[string]*mvccpb.KeyValue)
	for key, kv := range m.revisions[m.revision()] {
		next[key] = kv
	}
	var events []*clientv3.Event
	at := m.revision() + 1
	for key, value := range values {
		kv := &mvccpb.KeyValue{Key: []byte(key), Value: value, ModRevision: at}
		if value != nil {
			next[key] = kv
			events = append(events, &clientv3.Event{Type: clientv3.EventTypePut, Kv: kv})
		} else if _, is := next[key]; is {
			delete(next, key)
			events = append(events, &clientv3.Event{Type: clientv3.EventTypeDelete, Kv: kv})
		}
	}
	if len(events) > 0 {
		m.revisions, m.events = append(m.revisions, next), append(m.events, events)
	}
}

// restored is the store as it was, which goes on from there.
func (m *memory) restored(revision int64) *memory {
	return &memory{cluster: m.cluster, revisions: slices.Clone(m.revisions[:revision+1]), events: slices.Clone(m.events[:revision+1])}
}

func (m *memory) Get(_ context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	resp, err := m.get(clientv3.OpGet(key, opts...))
	return (*clientv3.GetResponse)(resp), err
}

func (m *memory) get(op clientv3.Op) (*etcdserverpb.RangeResponse, error) {
	at := op.Rev()
	if at == 0 {
		at = m.revision()
	}
	if at < m.compacted {
		return nil, rpctypes.ErrCompacted
	}
	if at > m.revision() {
		return nil, rpctypes.ErrFutureRev
	}
	resp := &etcdserverpb.RangeResponse{Header: m.header()}
	for key, kv := range m.revisions[at] {
		is := key == string(op.KeyBytes())
		if end := string(op.RangeBytes()); end != "" {
			is = key >= string(op.KeyBytes()) && key < end
		}
		if is {
			resp.Count++
			if !op.IsCountOnly() && kv.ModRevision >= op.MinModRev() {
				resp.Kvs = append(resp.Kvs, kv)
			}
		}
	}
	slices.SortFunc(resp.Kvs, func(a, b *mvccpb.KeyValue) int { return bytes.Compare(a.Key, b.Key) })
	if n := op.Limit(); n > 0 && int64(len(resp.Kvs)) > n {
		resp.Kvs, resp.More = resp.Kvs[:n], true
	}
	return resp, nil
}

func (m *memory) header() *etcdserverpb.ResponseHeader {
	return &etcdserverpb.ResponseHeader{ClusterId: m.cluster, Revision: m.revision()}
}

// memoryTxn is a transaction that reads.
type memoryTxn struct {
	clientv3.Txn
	m   *memory
	ops []clientv3.Op
}

func (m *memory) Txn(context.Context) clientv3.Txn { return &memoryTxn{m: m} }

func (t *memoryTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	t.ops = ops
	return t
}

func (t *memoryTxn) Commit() (*clientv3.TxnResponse, error) {
	out := &clientv3.TxnResponse{Header: t.m.header(), Succeeded: true}
	for _, op := range t.ops {
		resp, err := t.m.get(op)
		if err != nil {
			return nil, err
		}
		out.Responses = append(out.Responses, &etcdserverpb.ResponseOp{Response: &etcdserverpb.ResponseOp_ResponseRange{ResponseRange: resp}})
	}
	return out, nil
}

// view is the documents that a server of a stage has at a revision, by their names.
func (m *memory) view(revision int64, stage string) string {
	keys := m.revisions[revision]
	below := func(prefix string) fleet.Documents {
		out := make(fleet.Documents)
		for key, kv := range keys {
			if name, is := strings.CutPrefix(key, prefix); is {
				out[name] = fleet.Document{Value: kv.Value, Revision: kv.ModRevision, Removed: len(kv.Value) == 0}
			}
		}
		return out
	}
	docs := below(testMap.Documents())
	for name, doc := range docs {
		doc.Removed = false
		docs[name] = doc
	}
	var own fleet.Documents
	if stage != "" {
		own = below(testMap.Stage(stage))
	}
	for r := revision; r > 0; r-- {
		kv := m.revisions[r][testMap.Head()]
		if kv == nil {
			break
		}
		if h, err := fleet.ParseHead(kv.Value); err == nil {
			if prefix, from := h.StagingOf(testMap); from {
				docs = docs.Overlay(below(prefix))
			}
			break
		}
	}
	return written(docs.Replace(own))
}

// digest is that of everyone's documents at the newest revision, after a write.
func (m *memory) digest(values map[string][]byte) string {
	docs := make(fleet.Documents)
	for key, kv := range m.revisions[m.revision()] {
		if name, is := strings.CutPrefix(key, testMap.Documents()); is && isDocument(name) {
			docs[name] = fleet.Document{Value: kv.Value}
		}
	}
	for key, value := range values {
		if name, is := strings.CutPrefix(key, testMap.Documents()); is && isDocument(name) {
			docs[name] = fleet.Document{Value: value, Removed: value == nil}
		}
	}
	return docs.Digest()
}

// written is documents as one text.
func written(docs fleet.Documents) string {
	var out []string
	for name, doc := range docs.Present() {
		if isDocument(name) {
			out = append(out, fmt.Sprintf("%s=%s", name, doc.Value))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
