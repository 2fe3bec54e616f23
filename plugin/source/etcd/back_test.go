package etcd

import (
	"testing"

	"github.com/addressmap/addressmap/plugin/fleet"
)

// A store that went back changes nothing before somebody pushes.
func TestSource_WentBack(t *testing.T) {
	for name, restored := range map[string]bool{"restored": true, "wiped": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "a.yaml", "1")
			w.push(nil)
			node := w.cluster.Nodes[0]
			saved := ""
			if restored {
				node.Stop()
				saved = node.Save()
				node.Start()
				w.cluster.Await()
			}
			w.push(nil, "a.yaml", "2", "b.yaml", "2")
			w.open(nil)
			w.has("a.yaml=2 b.yaml=2")
			node.Kill()
			node.Restore(saved)
			node.Start()
			w.cluster.Await()
			w.await("that it went back", func() bool { return w.source.Status().Back != nil })
			w.put("c.yaml", "3")
			w.put("c.yaml", "4")
			if got := w.content(); got != "a.yaml=2 b.yaml=2" {
				t.Fatalf("handed over: %s", got)
			}
			w.push(func(h *fleet.Head) { h.Push = 2 })
			want := "c.yaml=4"
			if restored {
				want = "a.yaml=1 c.yaml=4"
			}
			w.has(want)
			if w.source.Status().Back != nil {
				t.Error("it is said still")
			}
		})
	}
}

// Who was away while the store was restored and pushed to takes what was pushed.
func TestSource_WentBackAndPushed(t *testing.T) {
	w := newWorld(t, "a.yaml", "1")
	node := w.cluster.Nodes[0]
	node.Stop()
	saved := node.Save()
	node.Start()
	w.cluster.Await()
	w.push(nil, "a.yaml", "2")
	w.push(nil, "a.yaml", "3")
	w.open(nil)
	w.has("a.yaml=3")
	node.Kill()
	w.await("the loss", func() bool { return !w.source.Status().Up })
	position, documents := w.source.Position(), map[string][]byte{"a.yaml": []byte("3")}
	w.source.Close()
	node.Restore(saved)
	node.Start()
	w.cluster.Await()
	resume := func(o *Options) { o.Position, o.Documents = position, documents }
	away := w.reopened(resume)
	away.has("a.yaml=3")
	if away.source.Status().Back == nil {
		t.Error("it does not say that the store went back")
	}
	w.push(nil, "a.yaml", "4")
	away.has("a.yaml=4")
	w.reopened(resume).has("a.yaml=4")
}
