package rules

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// A new version is in force while clients ask: each answer comes wholly from one
// version, none is lost, and none is older than one before.
func TestReload_UnderQueries(t *testing.T) {
	c := server.Start(t, server.ReloadCorefile, server.ReloadFiles)
	var seen, asked atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		conn, err := dns.Dial("udp", c.Addr("udp"))
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		client := dns.Client{Timeout: server.Patience}
		for {
			select {
			case <-stop:
				return
			default:
			}
			m, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA), conn)
			if err != nil {
				t.Errorf("query %d: %v", asked.Load(), err)
				return
			}
			n, err := server.VersionOf(m)
			if err != nil || int64(n) < seen.Load() {
				t.Errorf("query %d, version %d after %d: %v", asked.Load(), n, seen.Load(), err)
				return
			}
			seen.Store(int64(n))
			asked.Add(1)
		}
	}()
	for n := 2; n <= 20; n++ {
		server.WriteFile(t, "maps.yaml", server.Version(n))
		server.Eventually(t, fmt.Sprintf("version %d is answered", n), func() bool { return t.Failed() || seen.Load() == int64(n) })
	}
	close(stop)
	<-stopped
	if asked.Load() == 0 {
		t.Error("nothing was asked")
	}
}

// A broken edit is logged, and changes no answer.
func TestReload_BrokenEdit(t *testing.T) {
	c := server.Start(t, server.ReloadCorefile, server.ReloadFiles)
	for i, broken := range []string{"anycast: [192.0.2.2", "accounts: 5\n", "", "anycast: [192.0.2.3]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www, www]}]}]\n"} {
		complaints := len(c.Log.Lines("[ERROR] plugin/addressmap: maps.yaml "))
		server.WriteFile(t, "maps.yaml", broken)
		server.Eventually(t, fmt.Sprintf("edit %d is refused", i), func() bool {
			return len(c.Log.Lines("[ERROR] plugin/addressmap: maps.yaml ")) > complaints
		})
		if n, err := server.VersionOf(c.Lookup(t, "www.example.org.", dns.TypeA)); n != 1 || err != nil {
			t.Errorf("after edit %d: version %d, %v", i, n, err)
		}
	}
	server.WriteFile(t, "maps.yaml", server.Version(2))
	server.Eventually(t, "the repaired map is answered", func() bool {
		n, err := server.VersionOf(c.Lookup(t, "www.example.org.", dns.TypeA))
		return n == 2 && err == nil
	})
}

// A hundred reloads of the Corefile, of which every fourth fails, leave nothing
// behind, and lose no query.
func TestReload_CorefileLeavesNothing(t *testing.T) {
	corefile := strings.ReplaceAll(server.ReloadCorefile, "reload 100ms", "state kept")
	c := server.Start(t, corefile, server.ReloadFiles)
	restart := func(i int) {
		server.WriteFile(t, "maps.yaml", server.Version(1+i%100))
		text, fails := corefile, i%4 == 3
		if fails {
			text = server.Failing(corefile)
		}
		if err := c.Restart(text); (err != nil) != fails {
			t.Fatalf("reload %d: %v\n%s", i, err, c.Log)
		}
		server.Eventually(t, "the new map is answered", func() bool {
			n, err := server.VersionOf(c.Lookup(t, "www.example.org.", dns.TypeA))
			if err != nil {
				t.Fatal(err)
			}
			return n == 1+i%100
		})
	}
	restart(0) // what a first reload leaves behind is not ours to judge
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for i := 1; i <= 100; i++ {
		restart(i)
	}
	// What a reload leaves behind is there a hundred times, or 25 times; what other tests
	// of the process have running comes and goes by ones.
	const others = 8
	server.Eventually(t, "nothing is left behind", func() bool {
		return runtime.NumGoroutine() <= goroutines+others && descriptors(t) <= files+others
	})
}

// What a Corefile had set up that fails to load instead of the one that is loaded is
// closed without waiting to be forgotten: it watches and keeps the same map.
func TestReload_FailedReloadIsClosed(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	corefile := strings.ReplaceAll(server.ReloadCorefile, "reload 100ms", "state kept")
	c := server.Start(t, corefile, server.ReloadFiles)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	watchers := func() (n int) {
		buf := make([]byte, 1<<20)
		for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(stack, "addressmap/plugin/") {
				n++
			}
		}
		return n
	}
	before, same := 0, 0
	server.Eventually(t, "all watch", func() bool {
		if n := watchers(); n != before {
			before, same = n, 0
		}
		same++
		return before > 0 && same > 20
	})
	for what, text := range map[string]string{
		"set up":  server.Failing(corefile),
		"started": corefile + "other.example:" + strconv.Itoa(taken.Addr().(*net.TCPAddr).Port) + " {\n\tbind 127.0.0.1\n}\n",
	} {
		if err := c.Restart(text); err == nil {
			t.Fatalf("%s: it loads", what)
		}
		server.Eventually(t, "what was "+what+" is gone", func() bool { return watchers() <= before })
	}
	server.WriteFile(t, "maps.yaml", server.Version(2))
	server.Eventually(t, "the server goes on", func() bool {
		n, err := server.VersionOf(c.Lookup(t, "www.example.org.", dns.TypeA))
		return n == 2 && err == nil
	})
}

// A Corefile that fails to load after our directive was set up leaves nothing
// behind either, although nobody tells the plugin. (The list of instances that
// CoreDNS keeps holds on to the last one that failed, until the next is loaded.)
func TestReload_FailedStartLeavesNothing(t *testing.T) {
	if _, err := server.TryStart(t, server.Failing(server.ReloadCorefile), server.ReloadFiles); err == nil {
		t.Fatal("it starts")
	}
	if _, err := server.TryStart(t, "example.org {\n\tnonsense\n}\n", nil); err == nil {
		t.Fatal("it starts")
	}
	server.Eventually(t, "nothing is left behind", func() bool {
		runtime.GC()
		buf := make([]byte, 1<<20)
		return !strings.Contains(string(buf[:runtime.Stack(buf, true)]), "addressmap/plugin/")
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("counts descriptors in /proc")
	}
	return len(fds)
}
