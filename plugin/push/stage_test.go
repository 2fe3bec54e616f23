package push

import (
	"errors"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
)

// wantStage compares the documents of the servers of a stage with these.
func wantStage(t *testing.T, s *Store, documents fleet.Documents) *Contents {
	t.Helper()
	c, err := s.Read(t.Context(), "canary")
	if err != nil {
		t.Fatal(err)
	}
	if !c.Staged().Equal(documents) {
		t.Fatalf("want %d documents in the stage, got others, %d", len(documents), len(c.Staged()))
	}
	return c
}

// stageKeys counts the keys of the stage.
func stageKeys(t *testing.T, s *Store) int64 {
	t.Helper()
	resp, err := s.get(t.Context(), s.at.Stages(), clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return resp.Count
}

func TestStage(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s, client := open(t, cluster.Endpoints()), cluster.Client()
	for _, size := range []int{5, 300} { // one transaction, and more
		everyone, staged := many(size, "everyone"), many(size, "staged")
		staged["new.yaml"] = fleet.Document{Value: []byte("new")}
		delete(staged, "d0001.yaml")
		mustPush(t, s, "", everyone)
		if h := mustPush(t, s, "canary", staged); h.Stage != "canary" || h.Digest != everyone.Digest() {
			t.Errorf("%+v", h)
		}
		want(t, s, everyone)
		wantStage(t, s, staged)

		// The stage is pushed again, partly as everyone has it.
		staged["d0002.yaml"] = everyone["d0002.yaml"]
		staged["d0001.yaml"] = fleet.Document{Value: []byte("back")}
		mustPush(t, s, "canary", staged)
		wantStage(t, s, staged)

		// All of it as everyone has it: the stage has nothing left.
		mustPush(t, s, "canary", everyone)
		wantStage(t, s, everyone)

		// Abandoned.
		mustPush(t, s, "canary", staged)
		if _, err := pushTo(t.Context(), s, "canary", (*Contents).Abandon); err != nil {
			t.Fatal(err)
		}
		wantStage(t, s, everyone)
		if n := stageKeys(t, s); n > 0 {
			t.Errorf("%d keys are left", n)
		}
		if _, err := pushTo(t.Context(), s, "canary", (*Contents).Abandon); err == nil {
			t.Error("a stage that is not there is abandoned")
		}

		// Everyone's have moved.
		mustPush(t, s, "canary", staged)
		moved := everyone.Replace(texts(map[string]string{"d0003.yaml": "moved"}))
		mustPush(t, s, "", moved)
		if _, err := pushTo(t.Context(), s, "canary", (*Contents).Promote); !errors.Is(err, ErrChanged) {
			t.Errorf("promoted over a change: %v", err)
		}
		want(t, s, moved)

		// Staged again, and promoted.
		mustPush(t, s, "canary", staged)
		if _, err := pushTo(t.Context(), s, "canary", (*Contents).Promote); err != nil {
			t.Fatal(err)
		}
		want(t, s, staged)
		if n := stageKeys(t, s); n > 0 {
			t.Errorf("%d keys are left", n)
		}
	}
	// A document that was put into the stage by other means is based on nothing.
	if _, err := client.Put(t.Context(), testMap.Stage("canary")+"put.yaml", "put"); err != nil {
		t.Fatal(err)
	}
	if _, err := pushTo(t.Context(), s, "canary", (*Contents).Promote); !errors.Is(err, ErrChanged) {
		t.Errorf("promoted: %v", err)
	}
	t.Logf("%d transactions", wholeAlways(t, client))
}
