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
	"github.com/addressmap/addressmap/test/ports"
)

// result is what the turns of a server in a round came to.
type result struct {
	rate  float64 // queries answered a second
	lost  int     // queries without an answer
	wrong int     // answers with an rcode other than NOERROR

	completed int           // queries answered
	cpu       rig.Usage     // what the server used of its core
	latency   time.Duration // the mean
	batch     float64       // packets that the lane answered a read; 0 if the server tells of none
}

// plus is what two turns came to.
func (r result) plus(o result) result {
	sum := result{lost: r.lost + o.lost, wrong: r.wrong + o.wrong, completed: r.completed + o.completed, cpu: r.cpu.Add(o.cpu), batch: max(r.batch, o.batch)}
	if sum.completed > 0 {
		sum.latency = (r.latency*time.Duration(r.completed) + o.latency*time.Duration(o.completed)) / time.Duration(sum.completed)
	}
	var seconds float64
	for _, part := range [...]result{r, o} {
		if part.rate > 0 {
			seconds += float64(part.completed) / part.rate
		}
	}
	if seconds > 0 {
		sum.rate = float64(sum.completed) / seconds
	}
	return sum
}

// perCPU is how many queries the server answered in a second of its own CPU time.
func (r result) perCPU() float64 { return float64(r.completed) / max(r.cpu.All.Seconds(), 0.01) }

// kernel is the part of that time which the kernel used.
func (r result) kernel() float64 { return r.cpu.Kernel.Seconds() / max(r.cpu.All.Seconds(), 0.01) }

// perClock is how many it answered in a second.
func (r result) perClock() float64 { return r.rate }

// The load: see dnsperf's manual.
const (
	clients     = 8
	outstanding = 200
	warmSeconds = 10 // at most, to ask every question once
)

// entrant is a server in a round.
type entrant struct {
	*contender
	server   *rig.Server
	port     string
	metrics  string // the port of its metrics
	profiler *profiler
	turns    int
	sum      result
}

// enter starts a server. It must be stopped.
func (w *workload) enter(s *settings, c *contender) (*entrant, error) {
	port, err := ports.Free()
	if err != nil {
		return nil, err
	}
	metrics, err := ports.Free()
	if err != nil {
		return nil, err
	}
	p := newProfiler(s, w, c)
	cmd, err := c.command(w, s, port, metrics, p.corefile())
	if err != nil {
		return nil, err
	}
	server, err := rig.Start(cmd, net.JoinHostPort("127.0.0.1", port), c.ready(w))
	if err != nil {
		return nil, err
	}
	return &entrant{contender: c, server: server, port: port, metrics: metrics, profiler: p}, nil
}

// turn lets a server see every question, if the workload wants that, and loads it. What
// is profiled is the first turn.
func (w *workload) turn(s *settings, e *entrant) error {
	if !w.first {
		if _, err := w.dnsperf(s, e.port, allList, warmSeconds); err != nil {
			return err
		}
	}
	if e.turns == 0 {
		e.profiler.start()
	}
	before, err := e.server.CPU()
	if err != nil {
		return err
	}
	r, err := w.dnsperf(s, e.port, randomList, s.seconds)
	if after, failed := e.server.CPU(); failed == nil {
		r.cpu = after.Sub(before)
	}
	r.batch = e.batch()
	if e.turns == 0 {
		if err := e.profiler.stop(r); err != nil {
			return err
		}
	}
	if err == nil && r.wrong > 0 {
		err = fmt.Errorf("%d answers have an error for rcode", r.wrong)
	}
	e.turns++
	e.sum = e.sum.plus(r)
	return err
}

// dnsperf asks the questions of a list for some seconds. A list without
// repetitions is gone through once at most.
func (w *workload) dnsperf(s *settings, port, list string, seconds int) (result, error) {
	args := []string{"-c", s.loadCPU, "dnsperf", "-s", "127.0.0.1", "-p", port, "-d", w.path(list),
		"-c", strconv.Itoa(clients), "-q", strconv.Itoa(outstanding), "-l", strconv.Itoa(seconds)}
	if list == allList || w.first {
		args = append(args, "-n", "1")
	}
	if s.rate > 0 && list != allList {
		args = append(args, "-Q", strconv.Itoa(s.rate))
	}
	var out, stderr bytes.Buffer
	cmd := exec.Command("taskset", args...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return result{}, fmt.Errorf("dnsperf: %w\n%s", err, stderr.Bytes())
	}
	return parse(out.String())
}

var field = regexp.MustCompile(`(?m)^ *(Queries per second|Queries completed|Queries lost|Response codes|Average Latency \(s\)): +(.*)$`)

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
	var mean float64
	fmt.Sscan(values["Average Latency (s)"], &mean)
	r.latency = time.Duration(mean * float64(time.Second))
	fmt.Sscan(values["Queries completed"], &r.completed)
	var good int
	for code := range strings.SplitSeq(values["Response codes"], ", ") {
		fmt.Sscanf(code, "NOERROR %d", &good)
	}
	r.wrong = r.completed - good
	return r, nil
}
