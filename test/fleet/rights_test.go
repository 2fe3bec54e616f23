package fleet

import (
	"context"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/server"
)

// right is a permission of a role: from a key, or a range of keys, on.
type right struct {
	from, end string
	kind      clientv3.PermissionType
}

var (
	read      = clientv3.PermissionType(clientv3.PermRead)
	readwrite = clientv3.PermissionType(clientv3.PermReadWrite)

	// The rights of a server, as docs/fleet.md has them.
	rightOfDocuments = right{"/documents/", "/head0", read}
	rightOfStaging   = right{"/staging/", "/staging0", read}
	rightOfStages    = right{"/stages/", "/stages0", read}
	rightOfServers   = right{"/servers/", "/servers0", readwrite}
)

// must does one thing to etcd, which has a minute of its own.
func (w *world) must(do func(context.Context) (any, error)) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), server.Patience)
	defer cancel()
	if _, err := do(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// restrict has etcd ask who somebody is: the server is the user ns with these rights and no
// others, and the test is root.
func (w *world) restrict(rights ...right) {
	w.t.Helper()
	for _, user := range []string{"root", "ns"} {
		w.must(func(ctx context.Context) (any, error) { return w.client.RoleAdd(ctx, user) })
		w.must(func(ctx context.Context) (any, error) { return w.client.UserAdd(ctx, user, "secret") })
		w.must(func(ctx context.Context) (any, error) { return w.client.UserGrantRole(ctx, user, user) })
	}
	for _, r := range rights {
		end := r.end
		if end != "" {
			end = string(w.m) + end
		}
		w.must(func(ctx context.Context) (any, error) {
			return w.client.RoleGrantPermission(ctx, "ns", string(w.m)+r.from, end, r.kind)
		})
	}
	w.must(func(ctx context.Context) (any, error) { return w.client.AuthEnable(ctx) })
	var err error
	w.client, err = clientv3.New(clientv3.Config{Endpoints: w.cluster.Endpoints(), Username: "root", Password: "secret"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.client.Close() })
	w.options = append(w.options, "credentials ns secret", "reload 1s")
}

// pushedLarge writes the only document with a head by way of the staging.
func (w *world) pushedLarge(name, value string) {
	w.t.Helper()
	w.push++
	w.commit(clientv3.OpPut(w.m.Staging(w.push)+name, value))
	h := fleet.Head{Push: w.push, Digest: fleet.Documents{name: {Value: []byte(value)}}.Digest(), From: fleet.FromStaging(w.push)}
	w.commit(clientv3.OpPut(w.m.Head(), string(h.Encode())))
}

// With the rights of docs/fleet.md a server of a stage does all that servers do.
func TestRights_Enough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "stage canary")
	w.restrict(rightOfDocuments, rightOfStaging, rightOfStages, rightOfServers)
	w.start()
	w.answers(1)
	w.pushed("a.yaml", server.Version(2))
	w.answers(2)
	w.pushedLarge("a.yaml", server.Version(3))
	w.answers(3)
	w.commit(clientv3.OpPut(w.m.Stage("canary")+"a.yaml", server.Version(4)))
	w.answers(4)
	w.announced("push 2", func(s fleet.Server) bool { return s.Push == 2 && s.Stage == "canary" })
	w.commit(clientv3.OpPut(w.m.Drains()+"ana.yaml", "drains: [{addresses: [203.0.113.0/24], reason: T1234, until: 2925-11-29T04:14:00Z}]"))
	w.logs("drain in force until 2925-11-29T04:14:00Z: ")
}

// Without any one of them something does not work, and the log says what.
func TestRights_Least(t *testing.T) {
	t.Parallel()
	t.Run("documents and head", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.restrict(rightOfStaging, rightOfServers)
		if err := w.tryStart(); err == nil || !strings.Contains(err.Error(), "reading "+string(w.m)+"/head: etcdserver: permission denied") {
			t.Error(err)
		}
	})
	t.Run("what lies between documents and head", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.restrict(right{"/documents/", "/documents0", read}, right{"/drains/", "/drains0", read}, right{"/head", "", read}, rightOfStaging, rightOfServers)
		w.start()
		w.logs("watching " + string(w.m) + "/documents/: rpc error: code = PermissionDenied")
		w.put("a.yaml", server.Version(2))
		w.answers(2) // listed whenever it is tried again
		w.shows("source_up", 0)
		if w.logged(w.cluster.Nodes[0].Endpoint+" is back") > 0 {
			t.Error("etcd is said to be back, and refuses to be watched\n" + w.Log.String())
		}
	})
	t.Run("staging", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.restrict(rightOfDocuments, rightOfServers)
		w.start()
		w.pushed("a.yaml", server.Version(2))
		w.answers(2)
		w.pushedLarge("a.yaml", server.Version(3))
		w.logs("reading " + string(w.m) + "/staging/2/: etcdserver: permission denied")
		w.answers(2)
		w.shows("source_up", 0)
	})
	t.Run("stages", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, "stage canary")
		w.restrict(rightOfDocuments, rightOfStaging, rightOfServers)
		if err := w.tryStart(); err == nil || !strings.Contains(err.Error(), "reading "+string(w.m)+"/stages/canary/documents/: etcdserver: permission denied") {
			t.Error(err)
		}
	})
	t.Run("to write servers", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.restrict(rightOfDocuments, rightOfStaging, right{"/servers/", "/servers0", read})
		w.start()
		w.logs("this server may not read and write below " + w.m.Servers())
		w.pushed("a.yaml", server.Version(2))
		w.answers(2)
		w.shows("degraded", 0)
	})
	t.Run("to read servers", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.restrict(rightOfDocuments, rightOfStaging, right{"/servers/", "/servers0", clientv3.PermissionType(clientv3.PermWrite)})
		w.start()
		w.logs("this server may not read and write below " + w.m.Servers())
		w.answers(1)
	})
}
