package push

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"

	follower "github.com/addressmap/addressmap/plugin/source/etcd"
)

// The source of a server, which follows meanwhile, hands over whole pushes and nothing
// else, in their order, whatever their size.
func TestPush_Followed(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s := open(t, cluster.Endpoints())
	mustPush(t, s, "", many(100, "1"))
	source := follower.New(follower.Options{Map: testMap, Connection: fleet.Connection{Endpoints: cluster.Endpoints()}, Log: t.Logf})
	defer source.Close()
	if err := source.Await(time.Now().Add(longest)); err != nil {
		t.Fatal(err)
	}
	const last = 12
	pushed := make(chan error, 1)
	go func() {
		for i := 2; i <= last; i++ {
			size := 100 + i%3*200
			if _, err := pushTo(t.Context(), s, "", func(c *Contents) (*Change, error) { return c.Push(many(size, fmt.Sprint(i)), true) }); err != nil {
				pushed <- err
				return
			}
		}
		pushed <- nil
	}()
	versions := 0
	for newest := int64(0); newest < last; {
		select {
		case <-source.Changes():
		case err := <-pushed:
			if err != nil {
				t.Fatal(err)
			}
			continue
		case <-time.After(longest):
			t.Fatalf("push %d is the newest that has come", newest)
		}
		source.Take()
		push := source.Status().Push
		if push < newest {
			t.Fatalf("push %d after push %d", push, newest)
		}
		newest = push
		versions++
		if err := isPush(source, push); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d versions", versions)
}

// isPush checks that a source has handed over the documents of a push and no others.
func isPush(source *follower.Source, push int64) error {
	if want, got := 100+push%3*200, len(source.List()); push > 1 && int64(got) != want {
		return fmt.Errorf("push %d: %d documents, not %d", push, got, want)
	}
	for _, path := range source.List() {
		text, err := source.Read(path)
		if err != nil || !bytes.Equal(text, fmt.Append(nil, push)) {
			return errors.Join(err, fmt.Errorf("push %d: a document of push %s", push, text))
		}
	}
	return nil
}

// The servers of a stage follow it, and the others do not, whatever its size.
func TestStage_Followed(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s := open(t, cluster.Endpoints())
	start := func(stage string) *follower.Source {
		source := follower.New(follower.Options{Map: testMap, Stage: stage, Connection: fleet.Connection{Endpoints: cluster.Endpoints()}, Log: t.Logf})
		t.Cleanup(func() { source.Close() })
		return source
	}
	everyone, canary := start(""), start("canary")
	for _, size := range []int{5, 300} {
		old, next := many(size, "old"), many(size, "next")
		next["new.yaml"] = fleet.Document{Value: []byte("new")}
		delete(next, "d0001.yaml")
		h := mustPush(t, s, "", old)
		wantFollowed(t, everyone, h.Push, old)
		wantFollowed(t, canary, h.Push, old)
		h = mustPush(t, s, "canary", next)
		wantFollowed(t, everyone, h.Push, old)
		wantFollowed(t, canary, h.Push, next)
		w, err := pushTo(t.Context(), s, "canary", (*Contents).Abandon)
		if err != nil {
			t.Fatal(err)
		}
		wantFollowed(t, everyone, w.Head.Push, old)
		wantFollowed(t, canary, w.Head.Push, old)
		mustPush(t, s, "canary", next)
		if w, err = pushTo(t.Context(), s, "canary", (*Contents).Promote); err != nil {
			t.Fatal(err)
		}
		wantFollowed(t, everyone, w.Head.Push, next)
		wantFollowed(t, canary, w.Head.Push, next)
	}
}

// Servers of a store that went back take what is pushed then, also if that is what they
// had before: the number is beyond what they have seen.
func TestPush_AfterRestore(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s, node := open(t, cluster.Endpoints()), cluster.Nodes[0]
	mustPush(t, s, "", many(3, "old"))
	node.Kill()
	saved := node.Save()
	again := func() *Store {
		node.Start()
		cluster.Await()
		// The client of before waits a while after a refusal, and fails meanwhile.
		return open(t, cluster.Endpoints())
	}
	s = again()
	for i := range 5 {
		mustPush(t, s, "", many(3, fmt.Sprint(i)))
	}
	newest := many(3, "newest")
	h := mustPush(t, s, "", newest)
	source := follower.New(follower.Options{Map: testMap, Announce: "ns1", Connection: fleet.Connection{Endpoints: cluster.Endpoints()}, Log: t.Logf})
	defer source.Close()
	wantFollowed(t, source, h.Push, newest)
	source.Announce(fleet.Server{Push: h.Push})

	node.Kill()
	node.Restore(saved)
	s = again()
	await(t, "the store went back", func() bool {
		source.Take()
		servers, _, err := s.Servers(t.Context())
		return err == nil && source.Status().Back != nil && len(servers) == 1 && servers[0].Push == h.Push
	})
	wantFollowed(t, source, h.Push, newest)
	mustPush(t, s, "", newest)
	await(t, "the push is taken", func() bool {
		source.Take()
		return source.Status().Back == nil && source.Status().Push > h.Push
	})
	wantFollowed(t, source, h.Push, newest)
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(longest); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", longest, what)
		}
	}
}

// wantFollowed waits until a source has handed over a push, and wants these documents then.
func wantFollowed(t *testing.T, source *follower.Source, push int64, documents fleet.Documents) {
	t.Helper()
	for source.Status().Push < push {
		select {
		case <-source.Changes():
			source.Take()
		case <-time.After(longest):
			t.Fatalf("push %d does not come: %+v", push, source.Status())
		}
	}
	got := make(fleet.Documents)
	for _, path := range source.List() {
		text, err := source.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		got[path[len(source.Path("")):]] = fleet.Document{Value: text}
	}
	if !got.Equal(documents) {
		t.Fatalf("push %d: want %d documents, got others, %d", push, len(documents), len(got))
	}
}
