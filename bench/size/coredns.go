package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/test/ports"
)

// coredns is a running server with a map.
type coredns struct {
	*rig.Server
	pprof string        // where the pprof plugin listens
	took  time.Duration // from its start to its first answer
}

// start starts a server with one of the maps on the cores given. It is ready
// when a name is answered with the addresses wanted.
func start(s *settings, dir, mapName, cpu string, want rig.Addresses) (*coredns, error) {
	port, err := ports.Free()
	if err != nil {
		return nil, err
	}
	pprof, err := ports.Free()
	if err != nil {
		return nil, err
	}
	c := &coredns{pprof: "127.0.0.1:" + pprof}
	corefile := fmt.Sprintf("%s:%s {\nbind 127.0.0.1\npprof %s\nerrors\naddressmap %s\nfile db\n}\n", rig.TLD, port, c.pprof, mapName)
	if err := rig.WriteFile(dir, "Corefile", []byte(corefile)); err != nil {
		return nil, err
	}
	cmd := rig.Command{Path: s.coredns, Args: []string{"-conf", "Corefile"}, Dir: dir, CPU: cpu}
	c.Server, err = rig.Start(cmd, net.JoinHostPort("127.0.0.1", port), func(addr string) error {
		return rig.Answers(addr, s.fleet.Name(0, 0), want)
	})
	if err != nil {
		return nil, err
	}
	c.took = time.Since(c.Started)
	return c, nil
}

// footprint is the memory of a server at rest, in octets.
type footprint struct {
	resident, peak, heap float64
}

// settled collects the server's garbage and waits until it has given back to the
// system what it does not need.
func (c *coredns) settled() (footprint, error) {
	const patience, quiet = 3 * time.Minute, 5 * time.Second
	var f footprint
	least, since := int64(1<<62), time.Now()
	for begin := time.Now(); ; time.Sleep(500 * time.Millisecond) {
		m, err := c.Memory()
		if err != nil {
			return f, err
		}
		if m.Resident < least-1<<20 {
			least, since = m.Resident, time.Now()
		}
		f.resident, f.peak = float64(least), float64(m.Peak)
		if time.Since(since) > quiet {
			return f, nil
		}
		if time.Since(begin) > patience {
			return f, errors.New("the server's memory does not come to rest")
		}
		if f.heap, err = c.heap(); err != nil {
			return f, err
		}
	}
}

var heapAlloc = regexp.MustCompile(`(?m)^# HeapAlloc = ([0-9]+)$`)

// heap collects the garbage and returns the octets that are left.
func (c *coredns) heap() (float64, error) {
	resp, err := http.Get("http://" + c.pprof + "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	m := heapAlloc.FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("the pprof plugin said %s and no size of the heap", resp.Status)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
