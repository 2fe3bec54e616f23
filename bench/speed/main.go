// Command speed measures how many queries a second servers answer, side by side
// on one machine: CoreDNS with a backend alone, with addressmap before it, with
// the plugins an operator could use instead, and servers of other makes.
//
//	go run ./bench/speed > table.md
//
// Each server has one core to itself and dnsperf another. Servers take turns,
// round by round, so that what else the machine does falls on all of them. What
// carries over to another machine are the ratios.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
)

// settings is the command line.
type settings struct {
	rounds    int
	seconds   int
	workloads string
	only      *regexp.Regexp
	coredns   string
	serverCPU string
	loadCPU   string
	profile   string
	keep      bool
	oneMap    bool
}

func main() {
	var s settings
	only := flag.String("only", "", "measure only the servers whose name matches this expression, and those they are compared to")
	flag.IntVar(&s.rounds, "rounds", 5, "how often each server has its turn")
	flag.IntVar(&s.seconds, "seconds", 10, "how long each turn is")
	flag.StringVar(&s.workloads, "workloads", "W1,W2,W1-first,W2-first,auto", "which workloads to run")
	flag.StringVar(&s.coredns, "coredns", "", "binary to measure; built if empty")
	flag.StringVar(&s.serverCPU, "server-cpu", "0", "core of the server")
	flag.StringVar(&s.loadCPU, "load-cpu", "1", "core of dnsperf")
	flag.StringVar(&s.profile, "profile", "", "folder to write CPU and allocation profiles of each CoreDNS to; slows them down")
	flag.BoolVar(&s.oneMap, "one-map", false, "name one map for all in each server block, instead of that of the zone's account")
	flag.BoolVar(&s.keep, "keep", false, "leave the zones and maps in place and say where")
	flag.Parse()
	s.only = regexp.MustCompile(*only)
	if err := run(&s); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func run(s *settings) error {
	if err := rig.Require(map[string]string{"dnsperf": "dnsperf", "taskset": "util-linux"}); err != nil {
		return err
	}
	shape := rig.Shape("dnsperf", "nsd", "dnsdist")
	dir, err := os.MkdirTemp("", "speed")
	if err != nil {
		return err
	}
	if s.keep {
		fmt.Fprintln(os.Stderr, "zones and maps are in", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	if s.coredns, err = rig.Binary(s.coredns, dir); err != nil {
		return err
	}
	loads, err := prepare(s, dir)
	if err != nil {
		return err
	}
	for round := range s.rounds {
		for _, w := range loads {
			w.round(s, round)
		}
	}
	fmt.Print(report(s, shape, loads))
	return nil
}

// prepare writes the files of the workloads that were asked for.
func prepare(s *settings, dir string) ([]*workload, error) {
	all := workloads(s.seconds)
	var chosen []*workload
	for name := range strings.SplitSeq(s.workloads, ",") {
		i := slices.IndexFunc(all, func(w *workload) bool { return w.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no workload is called %q", name)
		}
		w := all[i]
		w.choose(s.only)
		if len(w.contenders) == 0 {
			continue
		}
		if err := w.write(dir, s); err != nil {
			return nil, err
		}
		chosen = append(chosen, w)
	}
	if len(chosen) == 0 {
		return nil, errors.New("there is no such server")
	}
	return chosen, nil
}

// round gives each server of a workload its turn. One that cannot be measured is
// left out from then on, loudly.
func (w *workload) round(s *settings, round int) {
	for _, c := range w.contenders {
		if c.skipped != "" {
			continue
		}
		begin := time.Now()
		r, err := w.measure(s, c)
		if err != nil {
			c.skipped = reason(err)
			fmt.Fprintf(os.Stderr, "SKIPPED: %s, %s: %v\n", w.name, c.name, err)
			continue
		}
		c.results = append(c.results, r)
		fmt.Fprintf(os.Stderr, "round %d, %s, %s: %.0f/s, %.0f per CPU second, %d lost (%.0f s in all)\n",
			round+1, w.name, c.name, r.perClock(), r.perCPU(), r.lost, time.Since(begin).Seconds())
	}
}

// reason is the short form of an error, for the table.
func reason(err error) string {
	if errors.Is(err, rig.ErrRefused) {
		return rig.ErrRefused.Error()
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
