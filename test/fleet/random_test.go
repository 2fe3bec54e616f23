package fleet

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/etcd"
	"github.com/addressmap/addressmap/test/server"
)

var (
	flagSeed  = flag.Uint64("fleet.seed", 1, "of the first sequence; 0 is for another one each time")
	flagFor   = flag.Duration("fleet.for", 0, "for how long new sequences are begun; 0 is for two of them")
	flagSteps = flag.Int("fleet.steps", 8, "how many things happen in each sequence")
)

// random is a server, its etcd, and what the model knows of both.
type random struct {
	*world
	rng      *rand.Rand
	proxy    *etcd.Proxy
	saved    string // a backup of etcd; "" for none
	savedHas int    // the version in it
	savedAt  int    // next, as it was then: without a write since, the backup is what was seen
	next     int    // a version that was never written
	inForce  int    // the version that is
	stored   int    // the version in etcd, 0 if it is none that can be in force
	back     bool   // etcd went back, and nobody has pushed since
	states   int    // how many states there were
	total    *totals
	did      []string
}

// A step is something that happens, by its name. Each leaves etcd reachable.
var steps = map[string]func(*random){
	"put":         func(r *random) { r.write(false, r.puts) },
	"transaction": func(r *random) { r.write(false, r.transaction) },
	"push":        func(r *random) { r.write(true, func(v int) { r.pushed("a.yaml", server.Version(v)) }) },
	"large push":  func(r *random) { r.write(true, r.largePush) },
	"corrupt": func(r *random) { // After all before is in force: a head is, also if what follows is refused.
		r.settle()
		r.put("a.yaml", "anycast: [192.0.2.1\n")
		r.stored = 0
	},
	"empty": func(r *random) {
		r.settle()
		r.put("a.yaml", "")
		r.stored = 0
	},
	"kill": func(r *random) {
		r.cluster.Nodes[0].Kill()
		r.maybeReload()
		r.cluster.Nodes[0].Start()
		r.cluster.Await()
	},
	"pause": func(r *random) {
		r.cluster.Nodes[0].Pause()
		time.Sleep(time.Duration(r.rng.IntN(3)) * time.Second) // How long the fault lasts.
		r.maybeReload()
		r.cluster.Nodes[0].Resume()
	},
	"cut": func(r *random) {
		r.proxy.Cut()
		if r.rng.IntN(2) == 0 {
			r.shows("source_up", 0)
		}
		r.write(r.rng.IntN(2) == 0, nil)
		if r.rng.IntN(2) == 0 {
			r.compact()
		}
		r.maybeReload()
		r.proxy.Mend()
	},
	"compact": (*random).compact,
	"save": func(r *random) {
		node := r.cluster.Nodes[0]
		node.Stop()
		r.saved, r.savedHas, r.savedAt = node.Save(), r.stored, r.next
		node.Start()
		r.cluster.Await()
	},
	"restore": (*random).restore,
	"reload":  func(r *random) { r.reload() },
	"restart": (*random).restart,
}

// write writes the next version; how nil is a put or push.
func (r *random) write(push bool, how func(version int)) {
	r.next++
	v := r.next
	if how == nil {
		how = r.puts
		if push {
			how = func(v int) { r.pushed("a.yaml", server.Version(v)) }
		}
	}
	if push || !r.back {
		r.clients.allow(v)
	}
	how(v)
	r.stored = v
	r.back = r.back && !push
}

func (r *random) puts(v int) {
	if r.rng.IntN(2) == 0 { // A version that may be seen for a moment, or never.
		between := r.next + 1
		r.next++
		if !r.back {
			r.clients.allow(between)
		}
		r.put("a.yaml", server.Version(between))
	}
	r.put("a.yaml", server.Version(v))
}

func (r *random) transaction(v int) {
	r.commit(r.op("a.yaml", server.Version(v)), r.op("b.yaml", fmt.Sprintf("# %d\naccounts: []\n", v)))
}

// largePush writes a version by a staging, with other documents that all come with it.
func (r *random) largePush(v int) {
	r.push++
	from := r.m.Staging(r.push)
	r.commit(clientv3.OpPut(from+"a.yaml", server.Version(v)))
	h := fleet.Head{Push: r.push, Digest: fleet.Documents{"a.yaml": {Value: []byte(server.Version(v))}}.Digest(), From: fleet.FromStaging(r.push)}
	r.commit(clientv3.OpPut(r.m.Head(), string(h.Encode())))
	if r.rng.IntN(2) == 0 {
		r.maybeReload()
	}
	r.commit(r.op("a.yaml", server.Version(v)), clientv3.OpDelete(from+"a.yaml"))
}

func contextFor(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

func (r *random) compact() {
	server.Eventually(r.t, "a compaction", func() bool {
		ctx, cancel := contextFor(10 * time.Second)
		defer cancel()
		resp, err := r.client.Get(ctx, "x")
		if err == nil {
			_, err = r.client.Compact(ctx, resp.Header.Revision)
		}
		return err == nil || strings.Contains(err.Error(), "compacted")
	})
}

// restore gives etcd the backup, or nothing, and writes to it before the server sees it.
func (r *random) restore() {
	r.settle()
	saved, has := r.saved, r.savedHas
	if r.rng.IntN(2) == 0 || r.savedAt == r.next {
		saved, has = "", 0
	}
	node := r.cluster.Nodes[0]
	r.proxy.Cut()
	node.Kill()
	node.Restore(saved)
	node.Start()
	r.cluster.Await()
	r.stored, r.back = has, has != r.inForce
	for range r.rng.IntN(30) {
		r.next++
		r.put("a.yaml", server.Version(r.next)) // which nobody is to be answered by
		r.stored, r.back = r.next, true
	}
	r.maybeReload()
	r.proxy.Mend()
	if r.back {
		r.shows("degraded", 1)
		r.answers(r.inForce)
	}
	r.push += 100 // as a pusher does, who has seen what the servers have
	if r.rng.IntN(4) > 0 {
		r.write(true, nil)
	}
}

func (r *random) maybeReload() {
	if r.rng.IntN(3) == 0 {
		r.reload()
	}
}

// restart ends the server and starts it, from the state or with another one.
func (r *random) restart() {
	r.settle()
	if r.stored != r.inForce && !r.back { // What is refused: a start without state fails.
		r.write(true, nil)
		r.settle()
	}
	r.clients.halt()
	r.total.add(r.clients)
	r.stop()
	if r.rng.IntN(2) == 0 && r.stored > 0 {
		r.states++
		r.options = []string{fmt.Sprintf("state state%d", r.states)}
		r.inForce, r.back = r.stored, false // A cold start takes the store as it is.
	}
	r.start()
	r.ask(r.inForce)
}

// settle waits until the server has what it is to have.
func (r *random) settle() {
	r.t.Helper()
	if r.stored > 0 && !r.back {
		r.inForce = r.stored
	}
	r.answers(r.inForce)
	r.clients.only(r.inForce)
	if r.stored == r.inForce && !r.back {
		r.shows("degraded", 0)
		r.shows("source_up", 1)
	}
}

// totals are the figures of all sequences.
type totals struct {
	mu        sync.Mutex
	sequences int
	answers   int
	steps     map[string]int
}

func (f *totals) add(c *clients) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range c.asked {
		f.answers += n
	}
}

// Whatever happens to etcd, every answer comes wholly from a version that may be in force,
// none is lost, and in the end what was written last is in force.
func TestFleet_Random(t *testing.T) {
	t.Parallel()
	seed, begin := *flagSeed, time.Now()
	if seed == 0 {
		seed = uint64(begin.UnixNano())
	}
	f := &totals{steps: make(map[string]int)}
	for i := uint64(0); !t.Failed() && (*flagFor == 0 && i < 2 || time.Since(begin) < *flagFor); i++ {
		t.Run(fmt.Sprint(seed+i), func(t *testing.T) { sequence(t, seed+i, f) })
	}
	t.Logf("seed %d: %d sequences, %d answers, %v", seed, f.sequences, f.answers, f.steps)
}

func sequence(t *testing.T, seed uint64, f *totals) {
	r := &random{world: newWorld(t, "state state0"), rng: rand.New(rand.NewPCG(seed, 1)), next: 1, inForce: 1, stored: 1}
	r.total = f
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("-fleet.seed=%d: %s\n%s", seed, strings.Join(r.did, ", "), strings.Join(said.Lines(r.m.String()), "\n"))
		}
	})
	r.proxy = etcd.NewProxy(t, r.cluster.Nodes[0])
	r.through = []string{r.proxy.Endpoint}
	r.start()
	r.ask(1)
	names := slices.Sorted(maps.Keys(steps))
	for range *flagSteps {
		name := names[r.rng.IntN(len(names))]
		if r.next > 200 {
			break // A version is the last number of an address.
		}
		r.did = append(r.did, name)
		steps[name](r)
		if r.rng.IntN(2) == 0 {
			r.settle()
		}
		f.mu.Lock()
		f.steps[name]++
		f.mu.Unlock()
	}
	r.write(true, nil)
	r.settle()
	r.clients.halt()
	f.add(r.clients)
	f.mu.Lock()
	f.sequences++
	f.mu.Unlock()
}
