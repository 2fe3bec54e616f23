package ports

import (
	"net"
	"strconv"
	"testing"
)

// Ports differ, and none is one that a client is given.
func TestFree(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		port, err := Free()
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := strconv.Atoi(port); n < 1024 || n >= 32768 || seen[port] {
			t.Fatalf("want a port that no client is given and that is new, got %s after %v", port, seen)
		}
		seen[port] = true
	}
}

// Whoever listens at one address, for UDP or TCP, has the port.
func TestFree_NotTaken(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for _, taken := range []net.Addr{tcp.Addr(), udp.LocalAddr()} {
		_, port, _ := net.SplitHostPort(taken.String())
		if isFree(":" + port) {
			t.Errorf("%s port %s is taken", taken.Network(), port)
		}
	}
}
