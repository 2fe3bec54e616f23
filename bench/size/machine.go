package main

import (
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/test/ports"
)

// machine takes the latencies of servers without a map under the same load: what is
// slow there is the machine's doing, or CoreDNS's. NSD collects no garbage.
func machine(s *settings, dir string) (string, error) {
	if err := rig.Require(map[string]string{"nsd": "nsd"}); err != nil {
		return "", err
	}
	t := &rig.Table{Head: []string{"latency", "p50", "p99", "p99.9", "slowest", "beyond 2 × p99", "queries", "lost"}}
	type row struct {
		name  string
		start func(s *settings, dir string) (*rig.Server, error)
		s     *settings
	}
	rows := []row{{"NSD", startNSD, s}}
	for _, b := range s.binaries() {
		rows = append(rows, row{filepath.Base(b.coredns) + ", `file` alone", startPlain, b})
	}
	for _, c := range rows {
		server, err := c.start(c.s, dir)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		l, err := newLoad(server.Addr, s, phases)
		if err != nil {
			server.Stop()
			return "", err
		}
		time.Sleep(time.Duration(s.seconds) * time.Second)
		p := l.end()[still]
		server.Stop()
		t.Add(c.name, milli(p.quantile(0.5)), milli(p.quantile(0.99)), milli(p.quantile(0.999)), milli(p.quantile(1)),
			fmt.Sprintf("%.2f %%", 100*p.beyond(2*p.quantile(0.99))), fmt.Sprint(p.sent), fmt.Sprint(p.lost()))
	}
	return fmt.Sprintf("The same load without a map: the backend's one wildcard, at %d queries/s.\n\n%s", s.rate, t), nil
}

func startNSD(s *settings, dir string) (*rig.Server, error) {
	path, err := rig.LookPath("nsd")
	if err != nil {
		return nil, err
	}
	return startOther(s, dir, path, []string{"-d", "-c", "nsd.conf"}, func(port string) error {
		return rig.WriteFile(dir, "nsd.conf", rig.NSD(dir, port, map[string]string{rig.TLD: "db"}))
	})
}

func startPlain(s *settings, dir string) (*rig.Server, error) {
	return startOther(s, dir, s.coredns, []string{"-conf", "Corefile"}, func(port string) error {
		corefile := fmt.Sprintf("%s:%s {\nbind 127.0.0.1\nerrors\nfile db\n}\n", rig.TLD, port)
		return rig.WriteFile(dir, "Corefile", []byte(corefile))
	})
}

func startOther(s *settings, dir, path string, args []string, configure func(port string) error) (*rig.Server, error) {
	port, err := ports.Free()
	if err != nil {
		return nil, err
	}
	if err := configure(port); err != nil {
		return nil, err
	}
	cmd := rig.Command{Path: path, Args: args, Dir: dir, CPU: s.serverCPU}
	return rig.Start(cmd, net.JoinHostPort("127.0.0.1", port), func(addr string) error {
		return rig.Answers(addr, s.fleet.Name(0, 0), backend)
	})
}
