package addressmap

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
)

// version is a map that answers www.example.org with three addresses, which tell
// the number of the version.
func version(n int) string {
	return fmt.Sprintf(`
anycast: [192.0.2.%[1]d, 198.51.100.%[1]d, 203.0.113.%[1]d]
accounts:
  - {id: acme, zones: [{name: example.org, proxied: [www]}]}
`, n)
}

// versionOf returns the number of the version that an answer is wholly from.
func versionOf(m *dns.Msg) (int, error) {
	n := 0
	for i, rr := range m.Answer {
		a, ok := rr.(*dns.A)
		if !ok || a.A[0] == 10 || i > 0 && int(a.A[3]) != n {
			return 0, fmt.Errorf("mixed or foreign:\n%v", m)
		}
		n = int(a.A[3])
	}
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) != 3 {
		return 0, fmt.Errorf("no whole answer:\n%v", m)
	}
	return n, nil
}

const reloadCorefile = `example.org {
	addressmap maps.yaml {
		reload 100ms
	}
	file db.example.org
}
`

var reloadFiles = map[string]string{
	"maps.yaml":      version(1),
	"db.example.org": "@ 60 IN SOA ns h 1 7200 3600 1209600 300\nwww 60 IN A 10.66.0.1\n",
}

// A new version is in force while clients ask: each answer comes wholly from one
// version, none is lost, and none is older than one before.
func TestReload_UnderQueries(t *testing.T) {
	c := start(t, reloadCorefile, reloadFiles)
	var seen, asked atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		conn, err := dns.Dial("udp", c.addr("udp"))
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		client := dns.Client{Timeout: patience}
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
			n, err := versionOf(m)
			if err != nil || int64(n) < seen.Load() {
				t.Errorf("query %d, version %d after %d: %v", asked.Load(), n, seen.Load(), err)
				return
			}
			seen.Store(int64(n))
			asked.Add(1)
		}
	}()
	for n := 2; n <= 20; n++ {
		write(t, "maps.yaml", version(n))
		eventually(t, fmt.Sprintf("version %d is answered", n), func() bool { return t.Failed() || seen.Load() == int64(n) })
	}
	close(stop)
	<-stopped
	if asked.Load() == 0 {
		t.Error("nothing was asked")
	}
}

// A broken edit is logged, and changes no answer.
func TestReload_BrokenEdit(t *testing.T) {
	c := start(t, reloadCorefile, reloadFiles)
	for i, broken := range []string{"anycast: [192.0.2.2", "accounts: 5\n", "", "anycast: [192.0.2.3]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www, www]}]}]\n"} {
		complaints := len(c.log.lines("[ERROR] plugin/addressmap: maps.yaml "))
		write(t, "maps.yaml", broken)
		eventually(t, fmt.Sprintf("edit %d is refused", i), func() bool {
			return len(c.log.lines("[ERROR] plugin/addressmap: maps.yaml ")) > complaints
		})
		if n, err := versionOf(c.lookup(t, "www.example.org.", dns.TypeA)); n != 1 || err != nil {
			t.Errorf("after edit %d: version %d, %v", i, n, err)
		}
	}
	write(t, "maps.yaml", version(2))
	eventually(t, "the repaired map is answered", func() bool {
		n, err := versionOf(c.lookup(t, "www.example.org.", dns.TypeA))
		return n == 2 && err == nil
	})
}

// A hundred reloads of the Corefile, of which every fourth fails, leave nothing
// behind, and lose no query.
func TestReload_CorefileLeavesNothing(t *testing.T) {
	corefile := strings.ReplaceAll(reloadCorefile, "reload 100ms", "state kept")
	c := start(t, corefile, reloadFiles)
	restart := func(i int) {
		write(t, "maps.yaml", version(1+i%100))
		text, fails := corefile, i%4 == 3
		if fails {
			text = failing(corefile)
		}
		if err := c.restart(text); (err != nil) != fails {
			t.Fatalf("reload %d: %v\n%s", i, err, c.log)
		}
		eventually(t, "the new map is answered", func() bool {
			n, err := versionOf(c.lookup(t, "www.example.org.", dns.TypeA))
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
	eventually(t, "nothing is left behind", func() bool {
		return runtime.NumGoroutine() <= goroutines+others && descriptors(t) <= files+others
	})
}

// What a Corefile had set up that fails to load instead of the one that is loaded is
// closed without waiting to be forgotten: it watches and keeps the same map.
func TestReload_FailedReloadIsClosed(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	corefile := strings.ReplaceAll(reloadCorefile, "reload 100ms", "state kept")
	c := start(t, corefile, reloadFiles)
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
	eventually(t, "all watch", func() bool {
		if n := watchers(); n != before {
			before, same = n, 0
		}
		same++
		return before > 0 && same > 20
	})
	for what, text := range map[string]string{
		"set up":  failing(corefile),
		"started": corefile + "other.example:" + strconv.Itoa(taken.Addr().(*net.TCPAddr).Port) + " {\n\tbind 127.0.0.1\n}\n",
	} {
		if err := c.restart(text); err == nil {
			t.Fatalf("%s: it loads", what)
		}
		eventually(t, "what was "+what+" is gone", func() bool { return watchers() <= before })
	}
	write(t, "maps.yaml", version(2))
	eventually(t, "the server goes on", func() bool {
		n, err := versionOf(c.lookup(t, "www.example.org.", dns.TypeA))
		return n == 2 && err == nil
	})
}

// A Corefile that fails to load after our directive was set up leaves nothing
// behind either, although nobody tells the plugin. (The list of instances that
// CoreDNS keeps holds on to the last one that failed, until the next is loaded.)
func TestReload_FailedStartLeavesNothing(t *testing.T) {
	if _, err := tryStart(t, failing(reloadCorefile), reloadFiles); err == nil {
		t.Fatal("it starts")
	}
	if _, err := tryStart(t, "example.org {\n\tnonsense\n}\n", nil); err == nil {
		t.Fatal("it starts")
	}
	eventually(t, "nothing is left behind", func() bool {
		runtime.GC()
		buf := make([]byte, 1<<20)
		return !strings.Contains(string(buf[:runtime.Stack(buf, true)]), "addressmap/plugin/")
	})
}

// failing returns a Corefile that fails to load once our directive was set up.
func failing(corefile string) string {
	return strings.Replace(corefile, "file db.example.org", "file db.example.org {\n\tnonsense\n}", 1)
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("counts descriptors in /proc")
	}
	return len(fds)
}
