// Command speed measures how many queries a second servers answer, side by side
// on one machine: CoreDNS with a backend alone, with addressmap before it, with
// the plugins an operator could use instead, and servers of other makes.
//
//	cd bench && go run ./speed > table.md
//
// The server has one core to itself and dnsperf another. A few servers run side by side
// and take turns, so that what else the machine does falls on all of them. What carries
// over to another machine are the ratios.
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
	turns     int
	seconds   int
	rate      int
	workloads string
	only      *regexp.Regexp
	coredns   string
	against   string
	serverCPU string
	loadCPU   string
	profile   string
	keep      bool
	oneMap    bool
}

func main() {
	var s settings
	only := flag.String("only", "", "measure only the servers whose name matches this expression, and those they are compared to")
	flag.IntVar(&s.rounds, "rounds", 5, "how often all servers are started")
	flag.IntVar(&s.turns, "turns", 3, "how often each has its turn in a round")
	flag.IntVar(&s.seconds, "seconds", 3, "how long each turn is")
	flag.IntVar(&s.rate, "rate", 0, "how many queries a second are asked, if not as many as get through: then the mean latency, and the queries per CPU second, are what to compare")
	flag.StringVar(&s.workloads, "workloads", "W1,W2,W1-first,W2-first,auto", "which workloads to run")
	flag.StringVar(&s.coredns, "coredns", "", "binary to measure; built if empty")
	flag.StringVar(&s.against, "against", "", "binary of another commit, to measure beside it in each configuration with addressmap")
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
	if s.against != "" {
		if s.against, err = rig.Binary(s.against, dir); err != nil {
			return err
		}
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
		if s.against != "" {
			w.double()
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

// round measures every server of a workload once.
func (w *workload) round(s *settings, round int) {
	begin := time.Now()
	for _, group := range w.groups() {
		w.sideBySide(s, group, round)
	}
	for _, c := range w.contenders {
		if c.skipped == "" {
			r := c.results[len(c.results)-1]
			fmt.Fprintf(os.Stderr, "round %d, %s, %s: %.0f/s, %.0f per CPU second, mean latency %.3f ms, %d lost\n",
				round+1, w.name, c.name, r.perClock(), r.perCPU(), 1000*r.latency.Seconds(), r.lost)
		}
	}
	fmt.Fprintf(os.Stderr, "round %d, %s: %.0f s in all\n", round+1, w.name, time.Since(begin).Seconds())
}

// atOnce is how many servers are up beside the one that they are compared to. More
// would be in each other's way: ten thousand zone files are looked at every minute.
const atOnce = 3

// groups returns the servers that are measured side by side, the one that they are
// compared to before the others. One of -against stands beside its like.
func (w *workload) groups() [][]*contender {
	var out [][]*contender
	for _, base := range w.contenders {
		if base.name != base.base {
			continue
		}
		var others []*contender
		for _, c := range w.contenders {
			if c.base == base.name && c != base && c.skipped == "" {
				others = append(others, c)
			}
		}
		if len(others) == 0 && base.skipped == "" {
			out = append(out, []*contender{base})
		}
		for len(others) > 0 {
			n := min(atOnce, len(others))
			if n < len(others) && others[n].like == others[n-1] {
				n--
			}
			out = append(out, append([]*contender{base}, others[:n]...))
			others = others[n:]
		}
	}
	return out
}

// sideBySide starts servers and loads one at a time, some times over and from both
// ends, so that what else the machine does falls on all of them; with one turn, from the
// other end in every second round: who comes later is up to an eighth faster. One that
// cannot be measured is left out from then on, loudly.
func (w *workload) sideBySide(s *settings, group []*contender, round int) {
	var all []*entrant
	for _, c := range group {
		e, err := w.enter(s, c)
		if err != nil {
			w.skip(c, err)
			continue
		}
		defer e.server.Stop()
		all = append(all, e)
	}
	turns := s.turns
	if w.first {
		turns = 1 // then every name has been asked for
	}
	if round%2 == 1 {
		slices.Reverse(all)
	}
	for range turns {
		for _, e := range all {
			if e.skipped != "" {
				continue
			}
			if err := w.turn(s, e); err != nil {
				w.skip(e.contender, err)
			}
		}
		slices.Reverse(all)
	}
	base := slices.IndexFunc(all, func(e *entrant) bool { return e.contender == group[0] })
	for _, e := range all {
		if base < 0 || group[0].skipped != "" {
			w.skip(e.contender, errors.New("there is nothing to compare it to"))
		} else if e.skipped == "" {
			e.results = append(e.results, e.sum)
			e.against = append(e.against, all[base].sum)
		}
	}
}

// skip leaves a server out.
func (w *workload) skip(c *contender, err error) {
	c.skipped = reason(err)
	fmt.Fprintf(os.Stderr, "SKIPPED: %s, %s: %v\n", w.name, c.name, err)
}

// reason is the short form of an error, for the table.
func reason(err error) string {
	if errors.Is(err, rig.ErrRefused) {
		return rig.ErrRefused.Error()
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
