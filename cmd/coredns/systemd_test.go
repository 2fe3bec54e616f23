//go:build unix

package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/test/server"
)

// asCoredns in the environment makes the test binary the server.
const asCoredns = "ADDRESSMAP_TEST_COREDNS"

func TestMain(m *testing.M) {
	if os.Getenv(asCoredns) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The service manager is told once the server answers from the map, and the watchdog all
// the time from then on.
func TestSystemd_Ready(t *testing.T) {
	dir, port := t.TempDir(), server.FreePort(t)
	for name, text := range map[string]string{
		"Corefile":  "example.org:" + port + " {\nbind 127.0.0.1\naddressmap maps.yaml\nfile db\n}\n",
		"maps.yaml": "anycast: [192.0.2.1]\naccounts: [{id: a, zones: [{name: example.org, proxied: [www]}]}]\n",
		"db":        "$ORIGIN example.org.\n@ 300 IN SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nwww A 10.66.0.1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "notify")})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCoredns+"=1", "NOTIFY_SOCKET="+filepath.Join(dir, "notify"), "WATCHDOG_USEC=100000")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	told := func(want string) {
		t.Helper()
		if err := manager.SetReadDeadline(time.Now().Add(server.Patience)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		n, err := manager.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Fatalf("want %s, got %q, %v", want, buf[:n], err)
		}
	}
	told("READY=1")
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	r, _, err := (&dns.Client{Timeout: server.Patience}).Exchange(m, "127.0.0.1:"+port)
	if err != nil || len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.1" {
		t.Errorf("ready, and the answer is %v, %v", r, err)
	}
	for range 3 {
		told("WATCHDOG=1")
	}
}
