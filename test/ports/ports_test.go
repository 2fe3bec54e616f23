package ports

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
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

// Another process gets none of the ports of this one.
func TestFree_OtherProcesses(t *testing.T) {
	if os.Getenv("ADDRESSMAP_PORTS_CHILD") != "" {
		for range 3 * block {
			port, err := Free()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Println("port", port)
		}
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("processes are kept apart on Linux alone")
	}
	if _, err := Free(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFree_OtherProcesses$")
	cmd.Env = append(os.Environ(), "ADDRESSMAP_PORTS_CHILD=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		port, ok := strings.CutPrefix(strings.TrimSpace(line), "port ")
		if !ok {
			continue
		}
		n++
		if number, _ := strconv.Atoi(port); slices.Contains(chosen.own, (number-first)/block) {
			t.Fatalf("another process gets %s, which is of a block of this one's", port)
		}
	}
	if n == 0 {
		t.Errorf("the other process got no port: %s", out)
	}
}
