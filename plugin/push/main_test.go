package push

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// longest is how long one step may take on a busy machine: a deadline for giving up. What
// is many steps has one for each.
const longest = time.Minute

const testMap = fleet.Map("/test/map")

func TestMain(m *testing.M) {
	if os.Getenv(childEndpoint) != "" {
		child()
	}
	os.Exit(m.Run())
}

func open(t testing.TB, endpoints []string) *Store {
	t.Helper()
	s, err := Open(t.Context(), fleet.Connection{Endpoints: endpoints}, testMap)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// texts makes documents of their texts, by their names.
func texts(list map[string]string) fleet.Documents {
	out := make(fleet.Documents)
	for name, text := range list {
		out[name] = fleet.Document{Value: []byte(text)}
	}
	return out
}

// many makes so many documents of one text.
func many(n int, text string) fleet.Documents {
	out := make(fleet.Documents)
	for i := range n {
		out[fmt.Sprintf("d%04d.yaml", i)] = fleet.Document{Value: []byte(text)}
	}
	return out
}

var someone = Note{By: "someone@here", Message: "why", Keep: DefaultKeep}

// pushTo reads, makes a change and writes it.
func pushTo(ctx context.Context, s *Store, stage string, change func(*Contents) (*Change, error)) (*Written, error) {
	contents, err := s.ReadToWrite(ctx, stage)
	if err != nil {
		return nil, err
	}
	c, err := change(contents)
	if err != nil {
		return nil, err
	}
	return s.Write(ctx, c, someone)
}

// mustPush pushes documents, without those that are there beside them.
func mustPush(t testing.TB, s *Store, stage string, documents fleet.Documents) fleet.Head {
	t.Helper()
	w, err := pushTo(t.Context(), s, stage, func(c *Contents) (*Change, error) { return c.Push(documents, true) })
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Warnings) > 0 {
		t.Errorf("%q", w.Warnings)
	}
	return w.Head
}

// want compares everyone's documents with these.
func want(t testing.TB, s *Store, documents fleet.Documents) *Contents {
	t.Helper()
	c, err := s.Read(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if !c.Everyone.Equal(documents) {
		t.Fatalf("want %d documents, got others, %d", len(documents), len(c.Everyone))
	}
	return c
}

// wholeAlways replays all that was ever written, and checks that a reader which sees
// nothing but whole transactions has seen the documents of the head after each. It returns
// the number of transactions.
func wholeAlways(t testing.TB, client *clientv3.Client) (revisions int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	give := time.AfterFunc(longest, cancel)
	defer give.Stop()
	const end = string(testMap) + "/end"
	if _, err := client.Put(ctx, end, ""); err != nil {
		t.Fatal(err)
	}
	keys, newest, last := make(map[string]fleet.Document), int64(0), int64(0)
	for resp := range client.Watch(ctx, string(testMap)+"/", clientv3.WithPrefix(), clientv3.WithRev(1)) {
		give.Reset(longest)
		if resp.Err() != nil {
			t.Fatal(resp.Err())
		}
		for _, e := range resp.Events {
			if e.Kv.ModRevision != last {
				if h := isWhole(t, keys, last); h.Push < newest {
					t.Fatalf("push %d after push %d", h.Push, newest)
				} else {
					newest = h.Push
				}
				revisions, last = revisions+1, e.Kv.ModRevision
			}
			if e.Type == clientv3.EventTypeDelete {
				delete(keys, string(e.Kv.Key))
			} else {
				keys[string(e.Kv.Key)] = fleet.Document{Value: e.Kv.Value, Revision: e.Kv.ModRevision}
			}
			if string(e.Kv.Key) == end {
				return revisions
			}
		}
	}
	t.Fatal(ctx.Err())
	return 0
}

// isWhole checks the keys of one revision, as a server reads them, and returns the head.
func isWhole(t testing.TB, keys map[string]fleet.Document, revision int64) fleet.Head {
	t.Helper()
	value, is := keys[testMap.Head()]
	if !is {
		return fleet.Head{}
	}
	head, err := fleet.ParseHead(value.Value)
	if err != nil {
		t.Fatal(err)
	}
	below := func(prefix string) fleet.Documents {
		out := make(fleet.Documents)
		for key, doc := range keys {
			if name, ok := strings.CutPrefix(key, prefix); ok {
				doc.Removed = len(doc.Value) == 0 && prefix != testMap.Documents()
				out[name] = doc
			}
		}
		return out
	}
	documents := below(testMap.Documents())
	if prefix, ok := head.StagingOf(testMap); ok && head.Stage == "" {
		documents = documents.Overlay(below(prefix))
	}
	if got := documents.Digest(); got != head.Digest {
		t.Fatalf("revision %d, push %d: a reader sees other documents than the head's", revision, head.Push)
	}
	return head
}
