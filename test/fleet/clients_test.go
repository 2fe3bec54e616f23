package fleet

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// clients ask a server all the time. Each answer is to be wholly of a version that may be
// in force, and none is to be lost.
type clients struct {
	t    *testing.T
	stop chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex
	may   map[int]bool // :: version
	era   int          // counts what was taken out of may
	asked map[int]int  // :: version → how often it was answered
	wrong error        // the first
}

// ask begins to ask; these versions may be answered.
func (w *world) ask(versions ...int) *clients {
	w.t.Helper()
	c := &clients{t: w.t, stop: make(chan struct{}), may: make(map[int]bool), asked: make(map[int]int)}
	c.allow(versions...)
	addr := w.Addr("udp")
	for range 2 {
		conn, err := net.Dial("udp", addr)
		if err != nil {
			w.t.Fatal(err)
		}
		c.wg.Go(func() {
			defer conn.Close()
			for c.exchange(&dns.Conn{Conn: conn}) {
				time.Sleep(time.Millisecond) // which the server may use, too
			}
		})
	}
	w.t.Cleanup(c.halt)
	w.clients = c
	return c
}

// allow lets these versions be answered, too, and only has no other be any more.
func (c *clients) allow(versions ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range versions {
		c.may[v] = true
	}
}

func (c *clients) only(versions ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.may = make(map[int]bool)
	c.era++
	for _, v := range versions {
		c.may[v] = true
	}
}

// exchange asks once, and reports whether to go on.
func (c *clients) exchange(conn *dns.Conn) bool {
	select {
	case <-c.stop:
		return false
	default:
	}
	c.mu.Lock()
	before, era := maps.Clone(c.may), c.era
	c.mu.Unlock()
	m, _, err := (&dns.Client{Timeout: server.Patience}).ExchangeWithConn(new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA), conn)
	version := 0
	if err == nil {
		version, err = server.VersionOf(m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && !c.may[version] && !before[version] {
		err = fmt.Errorf("version %d is answered, where %v may be (era %d to %d)", version, slices.Sorted(maps.Keys(c.may)), era, c.era)
	}
	c.asked[version]++
	if err != nil && c.wrong == nil {
		c.wrong = err
	}
	return err == nil
}

// halt ends the clients, and fails the test if an answer was wrong or lost.
func (c *clients) halt() {
	c.t.Helper()
	if c.stop == nil {
		return
	}
	close(c.stop)
	c.wg.Wait()
	c.stop = nil
	if c.wrong != nil {
		c.t.Errorf("wrong or lost: %v", c.wrong)
	}
	sum := 0
	for _, n := range c.asked {
		sum += n
	}
	if sum == 0 {
		c.t.Error("nothing was asked")
	}
	c.t.Logf("%d answers, none wrong or lost, if nothing else is said; by version: %v", sum, c.asked)
}

// change puts a version in force by what writes it, while the clients ask.
func (w *world) change(version int, write func()) {
	w.t.Helper()
	w.clients.allow(version)
	write()
	w.answers(version)
	w.clients.only(version)
}
