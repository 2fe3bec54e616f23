package push

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
)

func TestPush(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s, client := open(t, cluster.Endpoints()), cluster.Client()
	first := texts(map[string]string{"a.yaml": "1", "b.yaml": "1"})
	if h := mustPush(t, s, "", first); h.Push != 1 || h.Digest != first.Digest() || h.From != "" {
		t.Errorf("%+v", h)
	}
	want(t, s, first)

	t.Run("nothing to do", func(t *testing.T) {
		c, err := want(t, s, first).Push(first, true)
		if err != nil || !c.Empty() {
			t.Errorf("%+v, %v", c, err)
		}
		c.Anew()
		if c.Empty() {
			t.Errorf("%+v", c)
		}
	})
	t.Run("a store that went back", func(t *testing.T) {
		server := fleet.Server{Push: 41}
		for name, value := range map[string]string{"ns1": string(server.Encode()), "ns2": "nonsense", "ns3": `{"push":9223372036854775807}`} {
			if _, err := client.Put(t.Context(), testMap.Servers()+name, value); err != nil {
				t.Fatal(err)
			}
		}
		w, err := pushTo(t.Context(), s, "", func(c *Contents) (*Change, error) {
			change, err := c.Push(first, true)
			change.Anew()
			return change, err
		})
		if err != nil || w.Head.Push != 42 {
			t.Errorf("%+v, %v", w, err)
		}
	})
	t.Run("an emptied directory", func(t *testing.T) {
		if _, err := want(t, s, first).Push(nil, true); err == nil {
			t.Error("the store is emptied")
		}
	})
	t.Run("without prune", func(t *testing.T) {
		c, err := want(t, s, first).Push(texts(map[string]string{"b.yaml": "1"}), false)
		if err != nil || !c.Empty() || len(c.Unpruned) != 1 {
			t.Errorf("%+v, %v", c, err)
		}
	})
	t.Run("somebody else", func(t *testing.T) {
		second := texts(map[string]string{"a.yaml": "2", "b.yaml": "1"})
		for what, write := range map[string]func() error{
			"pushed":                  func() error { mustPush(t, s, "", texts(map[string]string{"c.yaml": "1"})); return nil },
			"put another document":    func() error { _, err := client.Put(t.Context(), testMap.Documents()+"x.yaml", "x"); return err },
			"put the same document":   func() error { _, err := client.Put(t.Context(), testMap.Documents()+"a.yaml", "x"); return err },
			"deleted the same":        func() error { _, err := client.Delete(t.Context(), testMap.Documents()+"a.yaml"); return err },
			"put what is no document": func() error { _, err := client.Put(t.Context(), testMap.Documents()+"x", "x"); return err },
		} {
			mustPush(t, s, "", texts(map[string]string{"a.yaml": what, "b.yaml": what}))
			_, err := pushTo(t.Context(), s, "", func(c *Contents) (*Change, error) {
				if err := write(); err != nil {
					t.Fatal(err)
				}
				return c.Push(second, true)
			})
			if !errors.Is(err, ErrChanged) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	t.Run("somebody else removed another document", func(t *testing.T) {
		mustPush(t, s, "", first)
		w, err := pushTo(t.Context(), s, "", func(c *Contents) (*Change, error) {
			if _, err := client.Delete(t.Context(), testMap.Documents()+"b.yaml"); err != nil {
				t.Fatal(err)
			}
			return c.Push(texts(map[string]string{"a.yaml": "3"}), false)
		})
		if err != nil || len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], "removed") {
			t.Errorf("%+v, %v", w, err)
		}
	})
	t.Run("a head that nobody can read", func(t *testing.T) {
		mustPush(t, s, "", first)
		before := want(t, s, first).Head.Push
		if _, err := client.Put(t.Context(), testMap.Head(), "{"); err != nil {
			t.Fatal(err)
		}
		if h := mustPush(t, s, "", texts(map[string]string{"a.yaml": "4"})); h.Push != before+1 {
			t.Errorf("push %d after push %d", h.Push, before)
		}
	})
	t.Run("a head of a later version", func(t *testing.T) {
		const later = `{"push":100,"digest":"d","split":2}`
		if _, err := client.Put(t.Context(), testMap.Head(), later); err != nil {
			t.Fatal(err)
		}
		_, err := pushTo(t.Context(), s, "", func(c *Contents) (*Change, error) { return c.Push(first, true) })
		if !errors.Is(err, fleet.ErrLaterVersion) || !strings.Contains(err.Error(), testMap.String()) {
			t.Errorf("want it refused, got %v", err)
		}
		if resp, err := client.Get(t.Context(), testMap.Head()); err != nil || string(resp.Kvs[0].Value) != later {
			t.Errorf("want the head as it was, got %v, %v", resp, err)
		}
	})
}

// More than one transaction can have: documents by number, by size, and a history.
func TestPush_Large(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s := open(t, cluster.Endpoints())
	random := strings.Repeat(fmt.Sprint(time.Now()), 1<<20/len(fmt.Sprint(time.Now())))
	for i, documents := range []fleet.Documents{
		many(300, "1"), many(300, "2"), many(20, "2"), many(5, random), many(5, "small"), many(400, "3"),
		texts(map[string]string{"one.yaml": strings.Repeat("x", fleet.MaxDocument)}),
	} {
		if h := mustPush(t, s, "", documents); h.Push != int64(i+1) {
			t.Errorf("%+v", h)
		}
		c := want(t, s, documents)
		if c.unmoved {
			t.Error("the staging is not moved")
		}
	}
	resp, err := s.get(t.Context(), s.at.Stagings(), clientv3.WithPrefix())
	if err != nil || len(resp.Kvs) > 0 {
		t.Errorf("%d keys are left in the staging: %v", len(resp.Kvs), err)
	}
	c, _, err := s.Rollback(t.Context(), want(t, s, texts(map[string]string{"one.yaml": strings.Repeat("x", fleet.MaxDocument)})), 4)
	if err != nil || !c.Next.Equal(many(5, random)) {
		t.Errorf("%v", err)
	}
	t.Logf("%d transactions", wholeAlways(t, cluster.Client()))
}

// A large push that fails at its end leaves nothing.
func TestPush_LargeFails(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s, client := open(t, cluster.Endpoints()), cluster.Client()
	mustPush(t, s, "", many(300, "1"))
	_, err := pushTo(t.Context(), s, "", func(c *Contents) (*Change, error) {
		if _, err := client.Put(t.Context(), testMap.Documents()+"x.yaml", "x"); err != nil {
			t.Fatal(err)
		}
		return c.Push(many(300, "2"), false)
	})
	if !errors.Is(err, ErrChanged) {
		t.Errorf("%v", err)
	}
	for _, prefix := range []string{testMap.Stagings(), testMap.History(2)} {
		if resp, err := client.Get(t.Context(), prefix, clientv3.WithPrefix()); err != nil || len(resp.Kvs) > 0 {
			t.Errorf("%d keys are left below %s: %v", len(resp.Kvs), prefix, err)
		}
	}
	want(t, s, many(300, "1").Replace(texts(map[string]string{"x.yaml": "x"})))
}

// What a push that was killed has left is ended by the next one, and a put in between
// stays.
func TestPush_Unmoved(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s, client := open(t, cluster.Endpoints()), cluster.Client()
	mustPush(t, s, "", many(10, "1"))
	staging := many(9, "2")
	for name, doc := range staging {
		if _, err := client.Put(t.Context(), testMap.Staging(2)+name, string(doc.Value)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{testMap.Staging(2) + "d0009.yaml", testMap.Staging(1) + "dead.yaml", testMap.StagingClaim(1)} { // the first is removed
		if _, err := client.Put(t.Context(), key, ""); err != nil {
			t.Fatal(err)
		}
	}
	head := fleet.Head{Push: 2, Digest: staging.Digest(), When: time.Now(), By: "killed", From: fleet.FromStaging(2)}
	if _, err := client.Put(t.Context(), testMap.Head(), string(head.Encode())); err != nil {
		t.Fatal(err)
	}
	want(t, s, staging)
	if _, err := client.Put(t.Context(), testMap.Documents()+"d0003.yaml", "later"); err != nil {
		t.Fatal(err)
	}
	staging["d0003.yaml"] = fleet.Document{Value: []byte("later")}
	want(t, s, staging)
	c, err := s.ReadToWrite(t.Context(), "")
	if err != nil || !c.Everyone.Equal(staging) || c.unmoved {
		t.Errorf("%v", err)
	}
	want(t, s, staging)
	resp, err := s.get(t.Context(), s.at.Stagings(), clientv3.WithPrefix())
	if err != nil || len(resp.Kvs) > 0 {
		t.Errorf("%d keys are left in the staging: %v", len(resp.Kvs), err)
	}
}

// Two large pushes of the same number do not share a staging, and a dead one keeps nobody
// out for longer than its claim lasts.
func TestPush_Claims(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s := open(t, cluster.Endpoints())
	read, err := s.ReadToWrite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	results := make([]error, 4)
	for i := range results {
		done.Go(func() {
			c, err := read.Push(many(300, fmt.Sprint(i)), true)
			if err == nil {
				_, err = s.Write(t.Context(), c, someone)
			}
			results[i] = err
		})
	}
	done.Wait()
	won := -1
	for i, err := range results {
		switch {
		case err == nil && won < 0:
			won = i
		case !errors.Is(err, ErrChanged):
			t.Errorf("%d: %v", i, err)
		}
	}
	want(t, s, many(300, fmt.Sprint(won)))

	dead, err := s.client.Grant(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Put(t.Context(), testMap.StagingClaim(2), "dead", clientv3.WithLease(dead.ID)); err != nil {
		t.Fatal(err)
	}
	mustPush(t, s, "", many(300, "after"))
	wholeAlways(t, cluster.Client())
}

// A push of which etcd has not said whether it is done is looked for.
func TestPush_Outcome(t *testing.T) {
	t.Parallel()
	cluster := etcd.Start(t, 1)
	s, client := open(t, cluster.Endpoints()), cluster.Client()
	c, err := want(t, s, nil).Push(texts(map[string]string{"a.yaml": "1"}), false)
	if err != nil {
		t.Fatal(err)
	}
	w := &writing{store: s, Change: c, head: fleet.Head{Push: 1, By: "me"}}
	lost := errors.New("the connection is lost")
	if err := w.outcome(t.Context(), lost); !errors.Is(err, lost) || errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "is not known") {
		t.Errorf("not there: %v", err)
	}
	entry, err := c.entry(w.head, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]error{string(entry): nil, strings.Replace(string(entry), "me", "you", 1): ErrChanged} {
		if _, err := client.Put(t.Context(), pieceKey(testMap, 1, 0), value); err != nil {
			t.Fatal(err)
		}
		if err := w.outcome(t.Context(), lost); !errors.Is(err, want) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

var pushers = flag.Int("pushers", 20, "how many push at once")

// Many processes push at once, each its own document and one that all change: no change is
// lost.
func TestPush_Race(t *testing.T) {
	cluster := etcd.Start(t, 1)
	mustPush(t, open(t, cluster.Endpoints()), "", texts(map[string]string{"all.yaml": ""}))
	var done sync.WaitGroup
	for i := range *pushers {
		s := open(t, cluster.Endpoints())
		done.Go(func() {
			for { // One of all is written in each round.
				_, err := pushTo(t.Context(), s, "", func(c *Contents) (*Change, error) {
					all := string(c.Everyone["all.yaml"].Value) + fmt.Sprintf("%d ", i)
					return c.Push(texts(map[string]string{fmt.Sprintf("p%d.yaml", i): "mine", "all.yaml": all}), false)
				})
				if err == nil {
					return
				}
				if !errors.Is(err, ErrChanged) {
					t.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
	c, err := open(t, cluster.Endpoints()).Read(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(strings.Fields(string(c.Everyone["all.yaml"].Value))); got != *pushers || len(c.Everyone) != *pushers+1 || c.Head.Push != int64(*pushers)+1 {
		t.Errorf("%d of %d changes are there, and %d documents, after push %d", got, *pushers, len(c.Everyone), c.Head.Push)
	}
	wholeAlways(t, cluster.Client())
}
