package main

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
)

// result is what one turn of a server came to.
type result struct {
	rate  float64 // queries answered a second
	lost  int     // queries without an answer
	wrong int     // answers with an rcode other than NOERROR

	completed int           // queries answered
	cpu       time.Duration // what the server used of its core
}

// perCPU is how many queries the server answered in a second of its own CPU time.
func (r result) perCPU() float64 { return float64(r.completed) / max(r.cpu.Seconds(), 0.01) }

// perClock is how many it answered in a second.
func (r result) perClock() float64 { return r.rate }

// The load: see dnsperf's manual.
const (
	clients     = 8
	outstanding = 200
	warmSeconds = 10 // at most, to ask every question once
)

// measure starts a server, lets it see every question if the workload wants that,
// loads it and stops it.
func (w *workload) measure(s *settings, c *contender) (result, error) {
	port, err := rig.FreePort()
	if err != nil {
		return result{}, err
	}
	p := newProfiler(s, w, c)
	cmd, err := c.command(w, s, port, p.corefile())
	if err != nil {
		return result{}, err
	}
	server, err := rig.Start(cmd, net.JoinHostPort("127.0.0.1", port), c.ready(w))
	if err != nil {
		return result{}, err
	}
	defer server.Stop()
	if !w.first {
		if _, err := w.dnsperf(s, port, allList, warmSeconds); err != nil {
			return result{}, err
		}
	}
	p.start()
	before, err := server.CPU()
	if err != nil {
		return result{}, err
	}
	r, err := w.dnsperf(s, port, randomList, s.seconds)
	if after, failed := server.CPU(); failed == nil {
		r.cpu = after - before
	}
	if err := p.stop(r); err != nil {
		return result{}, err
	}
	if err == nil && r.wrong > 0 {
		err = fmt.Errorf("%d answers have an error for rcode", r.wrong)
	}
	return r, err
}

// dnsperf asks the questions of a list for some seconds. A list without
// repetitions is gone through once at most.
func (w *workload) dnsperf(s *settings, port, list string, seconds int) (result, error) {
	args := []string{"-c", s.loadCPU, "dnsperf", "-s", "127.0.0.1", "-p", port, "-d", w.path(list),
		"-c", strconv.Itoa(clients), "-q", strconv.Itoa(outstanding), "-l", strconv.Itoa(seconds)}
	if list == allList || w.first {
		args = append(args, "-n", "1")
	}
	var out, stderr bytes.Buffer
	cmd := exec.Command("taskset", args...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return result{}, fmt.Errorf("dnsperf: %w\n%s", err, stderr.Bytes())
	}
	return parse(out.String())
}

var field = regexp.MustCompile(`(?m)^ *(Queries per second|Queries completed|Queries lost|Response codes): +(.*)$`)

// parse reads what dnsperf prints at its end.
func parse(out string) (result, error) {
	values := make(map[string]string)
	for _, m := range field.FindAllStringSubmatch(out, -1) {
		values[m[1]] = m[2]
	}
	var r result
	var err error
	if r.rate, err = strconv.ParseFloat(values["Queries per second"], 64); err != nil {
		return r, fmt.Errorf("dnsperf printed no rate:\n%s", out)
	}
	fmt.Sscan(values["Queries lost"], &r.lost)
	fmt.Sscan(values["Queries completed"], &r.completed)
	var good int
	for code := range strings.SplitSeq(values["Response codes"], ", ") {
		fmt.Sscanf(code, "NOERROR %d", &good)
	}
	r.wrong = r.completed - good
	return r, nil
}
