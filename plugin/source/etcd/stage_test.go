package etcd

import (
	"slices"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A stage whose keys somebody deletes gives its servers the documents that were pushed, as
// judged. What was put since is judged where it is taken.
func TestSource_StageGivenUpByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.push(nil, "a.yaml", "1", "b.yaml", "1", "c.yaml", "1")
	stage := testMap.Stage("canary")
	w.commit(op(stage+"a.yaml", "2"), op(stage+"b.yaml", "2"), op(stage+"c.yaml", "2"))
	w.open(func(o *Options) { o.Stage = "canary" })
	w.has("a.yaml=2 b.yaml=2 c.yaml=2")
	w.put("b.yaml", "put", "d.yaml", "put") // of which the stage hides the first
	w.has("a.yaml=2 b.yaml=2 c.yaml=2 d.yaml=put")
	w.commit(clientv3.OpDelete(testMap.StageKeys("canary"), clientv3.WithPrefix()))
	w.has("a.yaml=1 b.yaml=put c.yaml=1 d.yaml=put")
	for name, judged := range map[string]bool{"a.yaml": true, "b.yaml": false, "c.yaml": true} {
		for _, c := range w.taken[len(w.taken)-2:] {
			if slices.Contains(c.Paths, w.source.Path(name)) && (c.Judged != judged || c.Alone != judged) {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
}
