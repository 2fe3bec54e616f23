package fleet

import (
	"context"
	"flag"
	"fmt"
	golog "log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
	"github.com/addressmap/addressmap/test/server"
)

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	golog.SetOutput(said)
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // They wait for etcd, and compute little.
		panic(err)
	}
	os.Exit(m.Run())
}

// said is what all servers of this process have logged. Each has a map of its own, whose
// path stands in the lines about it.
var said = new(server.Log)

// worlds counts the maps.
var worlds atomic.Int64

// world is a server whose map is in etcd.
type world struct {
	t *testing.T
	*server.Server
	m       fleet.Map
	dir     string
	cluster *etcd.Cluster
	client  *clientv3.Client
	options []string
	through []string // the endpoints that the server has, if not those of the cluster
	metrics string   // port
	push    int64
	clients *clients
}

const zoneFile = "@ 60 IN SOA ns h 1 7200 3600 1209600 300\nwww 60 IN A 10.66.0.1\n"

// newWorld starts etcd with a version of the map; options are lines of the directive.
func newWorld(t *testing.T, options ...string) *world {
	t.Helper()
	return newWorldOn(t, etcd.Start(t, 1), options...)
}

func newWorldOn(t *testing.T, cluster *etcd.Cluster, options ...string) *world {
	t.Helper()
	w := &world{t: t, m: fleet.Map(fmt.Sprintf("/m%d", worlds.Add(1))), dir: t.TempDir(), cluster: cluster, options: options}
	w.client = w.cluster.Client()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(strings.Join(said.Lines(string(w.m)), "\n"))
		}
	})
	server.WriteFile(t, filepath.Join(w.dir, "db.example.org"), zoneFile)
	w.put("a.yaml", server.Version(1))
	return w
}

// corefile serves the map in etcd.
func (w *world) corefile() string {
	return fmt.Sprintf(`example.org {
	prometheus localhost:%s
	root %s
	addressmap %s {
		endpoint %s
		announce ns1
		%s
	}
	file db.example.org
}
`, w.metrics, w.dir, w.m, strings.Join(w.endpoints(), " "), strings.Join(w.options, "\n\t\t"))
}

func (w *world) endpoints() []string {
	if w.through != nil {
		return w.through
	}
	return w.cluster.Endpoints()
}

// start starts the server, which ends with the test or before.
func (w *world) start() {
	w.t.Helper()
	if err := w.tryStart(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tryStart() error {
	w.t.Helper()
	w.metrics = server.FreePort(w.t)
	s := &server.Server{Log: said}
	if err := s.Begin(w.corefile()); err != nil {
		return err
	}
	w.Server = s
	w.t.Cleanup(w.stop)
	return nil
}

// stop ends the server that runs.
func (w *world) stop() {
	if w.Server == nil {
		return
	}
	if err := w.Close(); err != nil {
		w.t.Error(err)
	}
	w.Server = nil
}

func (w *world) commit(ops ...clientv3.Op) {
	w.t.Helper()
	server.Eventually(w.t, "etcd takes a write", func() bool { // Twice the same is the same.
		ctx, cancel := context.WithTimeout(context.Background(), server.Patience)
		defer cancel()
		_, err := w.client.Txn(ctx).Then(ops...).Commit()
		return err == nil
	})
}

// op writes or removes a document.
func (w *world) op(name, value string) clientv3.Op {
	if value == "" {
		return clientv3.OpDelete(w.m.Documents() + name)
	}
	return clientv3.OpPut(w.m.Documents()+name, value)
}

// put writes a document, or removes it, without a head.
func (w *world) put(name, value string) { w.t.Helper(); w.commit(w.op(name, value)) }

// pushed writes the only document with a head.
func (w *world) pushed(name, value string) {
	w.t.Helper()
	w.push++
	h := fleet.Head{Push: w.push, Digest: fleet.Documents{name: {Value: []byte(value)}}.Digest()}
	w.commit(w.op(name, value), clientv3.OpPut(w.m.Head(), string(h.Encode())))
}

// answers waits until the server answers by a version.
func (w *world) answers(version int) {
	w.t.Helper()
	server.Eventually(w.t, fmt.Sprintf("version %d", version), func() bool {
		n, err := server.VersionOf(w.Lookup(w.t, "www.example.org.", dns.TypeA))
		if err != nil {
			w.t.Fatal(err)
		}
		return n == version
	})
}

// shows waits until a metric of the map has the value.
func (w *world) shows(metric string, value float64) {
	w.t.Helper()
	server.Eventually(w.t, fmt.Sprintf("%s %v", metric, value), func() bool {
		got, ok := server.Scrape(w.t, w.metrics, metric)[metric+`{map="`+w.m.String()+`"}`]
		return ok && got == value
	})
}

// logs waits until a line has been logged with the text.
func (w *world) logs(text string) {
	w.t.Helper()
	server.Eventually(w.t, "a log line with "+text, func() bool { return w.logged(text) > 0 })
}

// logged counts the lines about the map with the text.
func (w *world) logged(text string) int {
	n := 0
	for _, line := range said.Lines(text) {
		if regexp.MustCompile(regexp.QuoteMeta(w.m.String()) + `\b`).MatchString(line) {
			n++
		}
	}
	return n
}

// announced waits until the server has announced this.
func (w *world) announced(what string, ok func(fleet.Server) bool) {
	w.t.Helper()
	server.Eventually(w.t, what, func() bool {
		resp, err := w.client.Get(context.Background(), w.m.Servers()+"ns1")
		if err != nil || len(resp.Kvs) == 0 {
			return false
		}
		s, err := fleet.ParseServer(resp.Kvs[0].Value)
		return err == nil && ok(s)
	})
}

func TestFleet_Changes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.answers(1)
	w.put("a.yaml", server.Version(2))
	w.answers(2)
	w.pushed("a.yaml", server.Version(3))
	w.answers(3)
	w.shows("source_revision", 1)
	w.announced("push 1", func(s fleet.Server) bool { return s.Push == 1 && !s.Degraded })
	w.put("a.yaml", "anycast: [192.0.2.1]\nacounts: []\n")
	w.shows("degraded", 1)
	w.answers(3)
	w.logs(`/a.yaml is refused, its last good version stays in force`)
	w.announced("that it is degraded", func(s fleet.Server) bool { return s.Degraded && s.Why == "refused: a.yaml" })
	w.put("b.yaml", "accounts: []\n") // beside a refused one
	w.put("a.yaml", server.Version(4))
	w.answers(4)
	w.shows("degraded", 0)
}

// What was put by other means is judged by the server, what was pushed is not judged anew.
func TestFleet_P4_JudgedWhereItIsPushed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "guard 10%")
	two := server.Version(1) + "  - {id: other, zones: [{name: example.net, proxied: [www]}]}\n"
	w.put("a.yaml", two)
	w.start()
	w.put("a.yaml", server.Version(2)) // half of the zones go
	w.shows("degraded", 1)
	w.answers(1)
	w.pushed("a.yaml", server.Version(2))
	w.answers(2)
	w.shows("degraded", 0)
}

// A pushed head confirms what was refused before, also if no document changes.
func TestFleet_P4_HeadAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "guard 10%")
	w.put("a.yaml", server.Version(1)+"  - {id: other, zones: [{name: example.net, proxied: [www]}]}\n")
	w.start()
	w.put("a.yaml", server.Version(2))
	w.shows("degraded", 1)
	w.commit(clientv3.OpPut(w.m.Head(), string(fleet.Head{Push: 1, Digest: fleet.Documents{"a.yaml": {Value: []byte(server.Version(2))}}.Digest()}.Encode())))
	w.answers(2)
}

// An emptied store empties nothing.
func TestFleet_Emptied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.put("a.yaml", "")
	w.shows("degraded", 1)
	w.answers(1)
	w.put("b.yaml", server.Version(2))
	w.answers(2)
	w.shows("degraded", 0)
}

// What is removed by other means is waited for, as a file is: the one that takes its zones
// may come. What is pushed is whole.
func TestFleet_RemovedWithoutAPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("b.yaml", "accounts:\n  - {id: other, zones: [{name: example.net, proxied: [www]}]}\n")
	w.start()
	w.put("a.yaml", "")
	w.logs("a.yaml is gone: its last good version is answered until it has been away for 5s")
	w.answers(1)
	w.put("c.yaml", server.Version(2))
	w.answers(2)
	w.put("b.yaml", "")
	w.put("c.yaml", "") // Now none is left.
	w.shows("degraded", 1)
	w.put("d.yaml", "accounts:\n  - {id: other, zones: [{name: example.net, proxied: [www]}]}\n")
	w.logs("c.yaml is gone: its last good version is answered until it has been away for 5s")
	w.put("c.yaml", server.Version(3))
	w.answers(3)
}

func TestFleet_EtcdAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.shows("source_up", 1)
	w.cluster.Nodes[0].Kill()
	w.shows("source_up", 0)
	w.answers(1)
	w.shows("degraded", 0)
	if err := w.Restart(w.corefile()); err != nil {
		t.Fatal(err)
	}
	w.answers(1)
	w.cluster.Nodes[0].Start()
	w.shows("source_up", 1)
	w.put("a.yaml", server.Version(2))
	w.answers(2)
}

// Without etcd, a start takes what is in the state, and fails without one.
func TestFleet_StartWithoutEtcd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "state state")
	w.start()
	w.answers(1)
	w.stop()
	w.cluster.Nodes[0].Kill()
	w.start()
	w.answers(1)
	w.shows("degraded", 1)
	w.cluster.Nodes[0].Start()
	w.put("a.yaml", server.Version(2))
	w.answers(2)
	w.shows("degraded", 0)
	w.stop()
	w.cluster.Nodes[0].Kill()
	w.options = nil
	if err := w.tryStart(); err == nil || !strings.Contains(err.Error(), "etcd at http") {
		t.Errorf("%v", err)
	}
}

// A store that was restored from a backup shows itself and changes nothing.
func TestFleet_WentBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	node := w.cluster.Nodes[0]
	node.Stop()
	saved := node.Save()
	node.Start()
	w.cluster.Await()
	w.pushed("a.yaml", server.Version(2))
	w.start()
	w.answers(2)
	node.Kill()
	node.Restore(saved)
	node.Start()
	w.shows("degraded", 1)
	w.logs("the store went back")
	w.announced("why", func(s fleet.Server) bool { return s.Why == "store went back" })
	w.put("a.yaml", server.Version(3))
	w.answers(2)
	w.pushed("a.yaml", server.Version(3))
	w.answers(3)
	w.shows("degraded", 0)
}

func TestFleet_EmptyAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("a.yaml", "")
	if err := w.tryStart(); err == nil || !strings.Contains(err.Error(), "holds no documents: addressmap push DIR --to "+w.m.String()) {
		t.Errorf("%v", err)
	}
}

// A zone file of a document in etcd lies in a directory of zone_files.
func TestFleet_ZoneFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "zone_files zones")
	marked := "@ 60 IN SOA ns h 1 7200 3600 1209600 300\nwww 60 IN A 10.66.0.1 ; cf_tags=cf-proxied:true\n"
	server.WriteFile(t, filepath.Join(w.dir, "zones/db"), marked)
	doc := "anycast: [192.0.2.1, 198.51.100.1, 203.0.113.1]\naccounts:\n  - {id: acme, zones: [{name: example.org, zone_file: db}]}\n"
	w.put("a.yaml", doc)
	w.start()
	w.answers(1)
	w.announced("the digest of the documents", func(s fleet.Server) bool {
		return s.Documents == fleet.Documents{"a.yaml": {Value: []byte(doc)}}.Digest() && s.Digest != s.Documents
	})
	w.put("a.yaml", strings.ReplaceAll(doc, "zone_file: db", "zone_file: ../db.example.org"))
	w.logs("V17")
	w.answers(1)
}
