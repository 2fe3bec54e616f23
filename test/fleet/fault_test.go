package fleet

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
	"github.com/addressmap/addressmap/test/server"
)

// reload loads the Corefile again, as the signal SIGUSR1 does.
func (w *world) reload() {
	w.t.Helper()
	if err := w.Restart(w.corefile()); err != nil {
		w.t.Fatal(err)
	}
}

// leader returns the node that leads.
func (w *world) leader() *etcd.Node {
	w.t.Helper()
	for {
		for _, n := range w.cluster.Nodes {
			ctx, cancel := context.WithTimeout(context.Background(), server.Patience)
			resp, err := w.client.Status(ctx, n.Endpoint)
			cancel()
			if err != nil {
				w.t.Fatal(err)
			}
			if resp.Leader == resp.Header.MemberId {
				return n
			}
		}
	}
}

// Of three nodes, one may be down, paused or lose the lead. With two down, what is in force
// stays.
func TestFleet_ThreeNodes(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, etcd.Start(t, 3))
	w.start()
	w.ask(1)
	put := func(version int) func() { return func() { w.put("a.yaml", server.Version(version)) } }
	w.shows("source_up", 1)
	t.Log("the leader dies")
	leader := w.leader()
	leader.Kill()
	w.change(2, put(2))
	w.reload()
	w.change(3, put(3))
	leader.Start()
	w.cluster.Await()
	for i, n := range w.cluster.Nodes {
		t.Logf("node %d is paused", i)
		w.client = w.cluster.Client(w.cluster.Nodes[(i+1)%3], w.cluster.Nodes[(i+2)%3])
		n.Pause()
		w.change(10+i, put(10+i))
		w.reload()
		n.Resume()
		w.cluster.Await()
		w.client = w.cluster.Client()
	}
	t.Log("two nodes die")
	w.cluster.Nodes[0].Kill()
	w.cluster.Nodes[1].Kill()
	w.shows("source_up", 0)
	w.reload()
	w.answers(12)
	w.shows("degraded", 0)
	w.cluster.Nodes[0].Start()
	w.change(20, put(20))
	w.shows("source_up", 1)
	w.cluster.Nodes[1].Start()
	w.cluster.Await()
	w.change(21, put(21))
}

// What is written, compacted and restored while a server is cut off.
func TestFleet_CutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	node := w.cluster.Nodes[0]
	proxy := etcd.NewProxy(t, node)
	w.through = []string{proxy.Endpoint}
	w.pushed("a.yaml", server.Version(2))
	w.start()
	w.ask(2)

	t.Log("compacted while it is cut off")
	proxy.Cut()
	w.clients.allow(3)
	w.put("a.yaml", server.Version(99))
	w.put("a.yaml", server.Version(3))
	resp, err := w.client.Get(context.Background(), "x")
	if err == nil {
		_, err = w.client.Compact(context.Background(), resp.Header.Revision)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.shows("source_up", 0)
	w.reload()
	proxy.Mend()
	w.answers(3)
	w.clients.only(3)
	w.shows("source_up", 1)

	t.Log("paused")
	node.Pause()
	w.shows("source_up", 0)
	w.reload()
	w.answers(3)
	node.Resume()
	w.shows("source_up", 1)

	t.Log("restored while it is cut off, and written beyond what it has seen")
	node.Stop()
	saved := node.Save()
	node.Start()
	w.cluster.Await()
	w.change(4, func() { w.pushed("a.yaml", server.Version(4)) })
	w.announced("push 2", func(s fleet.Server) bool { return s.Push == 2 })
	proxy.Cut()
	w.shows("source_up", 0)
	node.Kill()
	node.Restore(saved)
	node.Start()
	w.cluster.Await()
	for range 20 {
		w.put("b.yaml", "accounts: []\n")
	}
	w.push = 1
	w.pushed("a.yaml", server.Version(98))
	w.reload()
	proxy.Mend()
	w.logs("the store went back")
	w.shows("degraded", 1)
	w.put("a.yaml", server.Version(97))
	w.reload()
	w.answers(4)
	w.put("b.yaml", "")
	w.change(5, func() { w.pushed("a.yaml", server.Version(5)) })
	w.shows("degraded", 0)

	t.Log("wiped")
	node.Kill()
	node.Restore("")
	node.Start()
	w.cluster.Await()
	w.shows("degraded", 1)
	w.reload()
	w.answers(5)
	w.push = 10
	w.change(6, func() { w.pushed("a.yaml", server.Version(6)) })
	w.shows("degraded", 0)
}

// Values that are no documents, and names that are of none.
func TestFleet_Values(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.ask(1)
	for _, value := range [][]byte{
		{}, []byte("\x00\xff"), []byte("anycast: [10.66.0.1"), bytes.Repeat([]byte("# 1 MiB\n"), fleet.MaxDocument/8),
		[]byte("[]"), []byte(`{"accounts": "` + strings.Repeat("x", 1<<10) + `"}`),
	} {
		ctx, cancel := context.WithTimeout(context.Background(), server.Patience)
		if _, err := w.client.Put(ctx, w.m.Documents()+"a.yaml", string(value)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if len(value) != fleet.MaxDocument { // Comments alone are a document of nothing.
			w.shows("degraded", 1)
		}
		w.answers(1)
	}
	w.reload()
	large := server.Version(2) + strings.Repeat("# 1 MiB\n", fleet.MaxDocument/8)
	w.change(2, func() { w.put("a.yaml", large[:fleet.MaxDocument]) })
	w.shows("degraded", 0)
	for _, name := range []string{"x.txt", "b.yaml/c.yaml", "/", ".hidden.yaml", "a.yaml~", "ü.yaml.gz"} {
		w.put(name, server.Version(99))
	}
	w.logs("x.txt is no document")
	w.reload()
	w.answers(2)
	w.change(3, func() { w.put("a.yaml", server.Version(3)) })
	w.shows("degraded", 0)
}

// Ten thousand changes at once, with transactions among them, are in force soon, in order,
// and never half. A document of its own has the anycast of a version, which no other can.
func TestFleet_ManyChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	c := w.ask(1)
	for v := 2; v < 200; v++ {
		c.allow(v)
	}
	// In each transaction one document loses the map and the other gets it.
	const none = "accounts: []\n"
	last := 0
	for n := range 100 {
		last = 2 + n
		var ops []clientv3.Op
		for i := range 98 {
			ops = append(ops, w.op(fmt.Sprintf("n%d.yaml", i), fmt.Sprintf("# %d\n%s", n, none)))
		}
		a, b := server.Version(last), none
		if n%2 == 1 {
			a, b = b, a
		}
		ops = append(ops, w.op("a.yaml", a), w.op("b.yaml", b))
		if n%10 == 9 {
			w.push++
			ops = append(ops, clientv3.OpPut(w.m.Head(), string(fleet.Head{Push: w.push, Digest: "of nobody"}.Encode())))
		}
		w.commit(ops...)
		if n == 50 {
			w.reload()
		}
	}
	w.answers(last)
	c.only(last)
	w.shows("degraded", 0)
}

// A restart on a store that was restored meanwhile starts from the state, and shows it.
func TestFleet_StateKnowsTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "state state")
	node := w.cluster.Nodes[0]
	node.Stop()
	saved := node.Save()
	node.Start()
	w.cluster.Await()
	w.put("b.yaml", "accounts: []\n")
	w.pushed("a.yaml", server.Version(2))
	w.start()
	w.answers(2)
	w.stop()
	node.Kill()
	node.Restore(saved)
	node.Start()
	w.cluster.Await()
	w.start()
	w.ask(2)
	w.shows("degraded", 1)
	w.logs("the store went back")
	w.put("a.yaml", server.Version(3))
	w.put("a.yaml", server.Version(4))
	w.reload()
	w.answers(2)
	w.change(5, func() { w.pushed("a.yaml", server.Version(5)) })
	w.shows("degraded", 0)
	w.clients.halt()
	w.stop()
	w.start() // on the store that it knows by now
	w.answers(5)
	w.shows("degraded", 0)
}

// A restart forgets neither that the store went back nor which store it was: a wiped one, and
// another etcd, open nothing by what is put there.
func TestFleet_WentBackAcrossRestarts(t *testing.T) {
	t.Parallel()
	for name, wipe := range map[string]func(*world){
		"wiped": func(w *world) {
			node := w.cluster.Nodes[0]
			node.Kill()
			node.Restore("")
			node.Start()
			w.cluster.Await()
		},
		"another etcd": func(w *world) {
			w.cluster = etcd.Start(w.t, 1)
			w.client = w.cluster.Client()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "state state")
			w.pushed("a.yaml", server.Version(2))
			w.start()
			w.answers(2)
			w.stop()
			wipe(w)
			for range 2 {
				w.start()
				w.shows("degraded", 1)
				w.put("b.yaml", "anycast: [192.0.2.9]\naccounts: []\n")
				w.put("a.yaml", server.Version(3))
				w.reload()
				w.answers(2)
				w.stop()
			}
			w.start()
			w.push = 8 // as a push is numbered, beyond what servers have
			w.put("b.yaml", "")
			w.pushed("a.yaml", server.Version(4))
			w.answers(4)
			w.shows("degraded", 0)
		})
	}
}

// A document that is removed while a server runs from its state goes once etcd is back, and
// one whose zone file changes meanwhile does not.
func TestFleet_RemovedWhileAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "state state", "zone_files zones")
	server.WriteFile(t, w.dir+"/zones/db.net", "@ 60 IN SOA ns h 1 7200 3600 1209600 300\n")
	w.put("b.yaml", "accounts:\n  - {id: other, zones: [{name: example.net, zone_file: db.net, proxied: [www]}]}\n")
	w.put("c.yaml", "accounts:\n  - {id: third, zones: [{name: example.com, proxied: [www]}]}\n")
	w.start()
	w.stop()
	proxy := etcd.NewProxy(t, w.cluster.Nodes[0])
	proxy.Cut()
	w.through = []string{proxy.Endpoint}
	w.start()
	w.ask(1)
	zones := func(want float64) {
		t.Helper()
		server.Eventually(t, fmt.Sprintf("%v zones", want), func() bool {
			return server.Scrape(t, w.metrics, "entries")[`entries{kind="zones",map="`+w.m.String()+`"}`] == want
		})
	}
	w.shows("degraded", 1)
	zones(3)
	before := w.logged("in force, sha256")
	server.WriteFile(t, w.dir+"/zones/db.net", "@ 60 IN SOA ns h 2 7200 3600 1209600 300\nwww 60 IN A 10.66.0.2\n")
	server.Eventually(t, "the new zone file", func() bool { return w.logged("in force, sha256") > before })
	zones(3)
	w.put("c.yaml", "")
	proxy.Mend()
	zones(2)
	w.shows("degraded", 0)
}
