package lane

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// Reloads lose no query, neither one for the lane nor one that it leaves to CoreDNS.
func TestLane_ReloadLosesNothing(t *testing.T) {
	corefile := "example.org {\n    addressmap maps.yaml {\n        lane on\n    }\n    file db.example.org\n}\n"
	s := server.Start(t, corefile, world)
	addr := s.Addr("udp")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var asked, lost atomic.Int64
	for i, name := range []string{"www.example.org.", "plain.example.org.", "six.example.org.", "gone.example.org."} {
		wg.Go(func() {
			conn, err := net.Dial("udp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			lost.Add(int64(ask(conn, name, uint16(i), stop, &asked)))
		})
	}
	for i := range 10 {
		before := asked.Load()
		server.Eventually(t, "queries", func() bool { return asked.Load() > before+200 })
		if err := s.Restart(corefile + fmt.Sprintf("# %d\n", i)); err != nil {
			t.Errorf("%v\n%s", err, s.Log)
		}
	}
	close(stop)
	wg.Wait()
	t.Logf("%d queries", asked.Load())
	if n := lost.Load(); n > 0 {
		t.Errorf("%d of %d queries were lost", n, asked.Load())
	}
}

// ask asks for a name, some questions at a time, until stop is closed, and returns how
// many were not answered.
func ask(conn net.Conn, name string, id uint16, stop chan struct{}, asked *atomic.Int64) (lost int) {
	const atOnce = 16
	buf := make([]byte, dns.MaxMsgSize)
	for {
		select {
		case <-stop:
			return lost
		default:
		}
		m := new(dns.Msg).SetQuestion(name, dns.TypeA)
		m.Id = id
		wire, _ := m.Pack()
		for range atOnce {
			conn.Write(wire)
		}
		for range atOnce {
			conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := conn.Read(buf); err != nil {
				lost++
			}
			asked.Add(1)
		}
	}
}
