package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/test/ports"
)

// profiler takes profiles of a CoreDNS while it is loaded: of its CPU time, and of
// what it allocates. One without an address does nothing.
type profiler struct {
	addr    string // where the pprof plugin listens
	path    string // of the profiles to write, without what they end in
	seconds int

	before counts
	done   chan error
}

// counts is what a Go program has allocated since its start.
type counts struct {
	objects, bytes float64
}

func newProfiler(s *settings, w *workload, c *contender) *profiler {
	if s.profile == "" || c.outside != nil {
		return &profiler{}
	}
	port, err := ports.Free()
	if err != nil {
		return &profiler{}
	}
	name := regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(w.name+" "+c.name, "-")
	return &profiler{addr: "127.0.0.1:" + port, path: filepath.Join(s.profile, name), seconds: max(s.seconds-1, 1)}
}

// corefile returns the lines for the first server block.
func (p *profiler) corefile() string {
	if p.addr == "" {
		return ""
	}
	return "pprof " + p.addr + "\n"
}

func (p *profiler) start() {
	if p.addr == "" {
		return
	}
	p.before, _ = p.counts() // an error comes up again in stop
	p.done = make(chan error, 2)
	for suffix, what := range map[string]string{".cpu.pprof": "profile", ".allocs.pprof": "allocs"} {
		go func() {
			profile, err := p.get(fmt.Sprintf("%s?seconds=%d", what, p.seconds))
			if err == nil {
				err = rig.WriteFile(filepath.Dir(p.path), filepath.Base(p.path)+suffix, profile)
			}
			p.done <- err
		}()
	}
}

// stop waits for the profiles and prints what a query cost.
func (p *profiler) stop(r result) error {
	if p.addr == "" {
		return nil
	}
	if err := errors.Join(<-p.done, <-p.done); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	after, err := p.counts()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %.1f allocations of %.0f octets in all per query\n", filepath.Base(p.path),
		(after.objects-p.before.objects)/float64(r.completed), (after.bytes-p.before.bytes)/float64(r.completed))
	return nil
}

var memStat = regexp.MustCompile(`(?m)^# (Mallocs|TotalAlloc) = ([0-9]+)$`)

// counts reads the memory statistics that end a heap profile in text.
func (p *profiler) counts() (counts, error) {
	text, err := p.get("heap?debug=1")
	if err != nil {
		return counts{}, err
	}
	var c counts
	for _, m := range memStat.FindAllSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(string(m[2]), 64)
		if string(m[1]) == "Mallocs" {
			c.objects = n
		} else {
			c.bytes = n
		}
	}
	return c, nil
}

func (p *profiler) get(what string) ([]byte, error) {
	resp, err := http.Get("http://" + p.addr + "/debug/pprof/" + what)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", what, resp.Status)
	}
	return io.ReadAll(resp.Body)
}
