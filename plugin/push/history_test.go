package push

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s, client := open(t, cluster.Endpoints()), cluster.Client()
	versions := []string{"1", "2", "3", "4", "5"}
	for _, v := range versions {
		mustPush(t, s, "", texts(map[string]string{"a.yaml": v, "v" + v + ".yaml": v}))
	}
	entries, err := s.History(t.Context())
	if err != nil || len(entries) != 5 || entries[0].Head.Push != 5 || entries[0].Replaced != 3 || entries[4].Before.Push != 0 || entries[0].Head.Message != "why" {
		t.Fatalf("%+v, %v", entries, err)
	}

	t.Run("rollback", func(t *testing.T) {
		for i, v := range versions {
			then := texts(map[string]string{"a.yaml": v, "v" + v + ".yaml": v})
			c, err := s.Read(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			change, warning, err := s.Rollback(t.Context(), c, int64(i+1))
			if err != nil || warning != "" || !change.Next.Equal(then) {
				t.Errorf("push %d: %v %s, %v", i+1, change, warning, err)
			}
		}
		for _, n := range []int64{-1, 0, 6} {
			if _, _, err := s.Rollback(t.Context(), want(t, s, texts(map[string]string{"a.yaml": "5", "v5.yaml": "5"})), n); err == nil {
				t.Errorf("there is a push %d", n)
			}
		}
	})
	t.Run("of a push that never came", func(t *testing.T) {
		if _, err := client.Put(t.Context(), pieceKey(testMap, 6, 1), "garbage"); err != nil {
			t.Fatal(err)
		}
		if all, err := s.History(t.Context()); err != nil || len(all) != 5 {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := client.Put(t.Context(), pieceKey(testMap, 6, 2), "garbage"); err != nil {
			t.Fatal(err)
		}
		mustPush(t, s, "", texts(map[string]string{"a.yaml": "6"}))
		if resp, err := client.Get(t.Context(), pieceKey(testMap, 6, 2)); err != nil || len(resp.Kvs) > 0 {
			t.Errorf("garbage stays: %v", err)
		}
		c := want(t, s, texts(map[string]string{"a.yaml": "6"}))
		if change, _, err := s.Rollback(t.Context(), c, 5); err != nil || len(change.Next) != 2 {
			t.Errorf("%v", err)
		}
	})
	t.Run("changed without a push", func(t *testing.T) {
		if _, err := client.Put(t.Context(), testMap.Documents()+"other.yaml", "x"); err != nil {
			t.Fatal(err)
		}
		c := want(t, s, texts(map[string]string{"a.yaml": "6", "other.yaml": "x"}))
		change, warning, err := s.Rollback(t.Context(), c, 5)
		if err != nil || !strings.Contains(warning, "without a push") || len(change.Next) != 3 {
			t.Errorf("%q, %v", warning, err)
		}
	})
	t.Run("bounded", func(t *testing.T) {
		c := want(t, s, texts(map[string]string{"a.yaml": "6", "other.yaml": "x"}))
		change, err := c.Push(texts(map[string]string{"a.yaml": "7"}), true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(t.Context(), change, Note{By: "me", Keep: 2}); err != nil {
			t.Fatal(err)
		}
		all, err := s.History(t.Context())
		if err != nil || len(all) != 2 || all[1].Head.Push != 6 {
			t.Errorf("%+v, %v", all, err)
		}
		if _, _, err := s.Rollback(t.Context(), want(t, s, texts(map[string]string{"a.yaml": "7"})), 2); err == nil || !strings.Contains(err.Error(), "does not go back") {
			t.Errorf("%v", err)
		}
	})
	t.Run("bounded by size", func(t *testing.T) {
		for push := range int64(3) {
			entry, err := json.Marshal(Entry{Head: fleet.Head{Push: push + 1}, Bytes: maxHistoryBytes / 2})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Put(t.Context(), pieceKey(testMap, push+1, 0), string(entry)); err != nil {
				t.Fatal(err)
			}
		}
		mustPush(t, s, "", texts(map[string]string{"a.yaml": "8"}))
		all, err := s.History(t.Context())
		if err != nil || len(all) != 4 || all[3].Head.Push != 3 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
