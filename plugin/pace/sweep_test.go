package pace

import (
	"fmt"
	"net"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// stops returns how often the world was stopped for other things than collecting.
func stops() (n uint64) {
	s := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(s)
	for _, count := range s[0].Value.Float64Histogram().Counts {
		n += count
	}
	return n
}

// Garbage is collected once, and the network looked at all along while it is freed.
func TestWatch_OneProcessor(t *testing.T) {
	Watch()
	ballast := make([]byte, 32<<20)
	with(t, 1)
	before := stops()
	runtime.GC()
	for deadline := time.Now().Add(time.Minute); stops() < before+5; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the world was stopped %d times within a minute after garbage was collected, want 5", stops()-before)
		}
	}
	runtime.KeepAlive(ballast)
}

func TestWatch_SeveralProcessors(t *testing.T) {
	for n, want := range map[int]bool{1: true, 2: false} {
		with(t, n)
		if wanted() != want {
			t.Errorf("%d processors: the world is to be stopped: %t, want %t", n, !want, want)
		}
	}
}

// BenchmarkWatch reports how long the slowest of some questions over the network
// takes, on one processor, while garbage is collected of a heap of 64 MB or more.
func BenchmarkWatch(b *testing.B) {
	client, server := talk(b)
	go func() {
		var buf [16]byte
		for {
			n, from, err := server.ReadFrom(buf[:])
			if err != nil {
				return
			}
			_, _ = server.WriteTo(buf[:n], from)
		}
	}()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, watched := range []bool{false, true} {
		b.Run(fmt.Sprintf("watched=%t", watched), func(b *testing.B) {
			if watched {
				Watch()
			}
			live := small(32 << 20)
			var slowest time.Duration
			for b.Loop() {
				rubbish = small(1 << 13)
				begin := time.Now()
				var buf [16]byte
				if _, err := client.Write(buf[:]); err != nil {
					b.Fatal(err)
				}
				if _, err := client.Read(buf[:]); err != nil {
					b.Fatal(err)
				}
				slowest = max(slowest, time.Since(begin))
			}
			b.ReportMetric(float64(slowest)/1e6, "slowest-ms")
			runtime.KeepAlive(live)
		})
	}
}

func talk(b *testing.B) (client net.Conn, server net.PacketConn) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	if client, err = net.Dial("udp", server.LocalAddr().String()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

var rubbish [][]byte

// small returns that many octets as many small things.
func small(octets int) [][]byte {
	const size = 64
	out := make([][]byte, octets/size)
	for i := range out {
		out[i] = make([]byte, size)
	}
	return out
}
