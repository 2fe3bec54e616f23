package fleet

import (
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/test/server"
)

// A document that was put and refused stays refused when a stage is given up by hand, on a
// server of the stage as well.
func TestFleet_P4_StageGivenUpByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "guard 10%", "stage canary")
	const other = "accounts:\n  - {id: other, zones: [{name: example.net, proxied: [www]}]}\n"
	w.pushed("a.yaml", server.Version(1))
	w.commit(w.op("b.yaml", other), clientv3.OpPut(w.m.Stage("canary")+"a.yaml", server.Version(2)))
	w.start()
	w.answers(2)
	w.put("b.yaml", "accounts: []\n") // half of the zones go
	w.shows("degraded", 1)
	w.commit(clientv3.OpDelete(w.m.StageKeys("canary"), clientv3.WithPrefix()))
	w.answers(1)
	w.shows("degraded", 1)
	w.put("b.yaml", other)
	w.shows("degraded", 0)
}
