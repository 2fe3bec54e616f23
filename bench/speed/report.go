package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/addressmap/addressmap/bench/rig"
)

// report is the outcome in Markdown: a table for each workload, and one of what
// is to be reached.
func report(s *settings, shape string, loads []*workload) string {
	var b strings.Builder
	b.WriteString(shape)
	fmt.Fprintf(&b, "- %d rounds of %d turns of %d s (one turn where names are asked for once), medians; server on core %s, dnsperf on core %s with %d clients and %d outstanding queries, A and AAAA mixed\n",
		s.rounds, s.turns, s.seconds, s.serverCPU, s.loadCPU, clients, outstanding)
	b.WriteString("- kernel: the part of the server's CPU time in kernel mode; a read: how many packets the lane answered of a read of the socket, where prometheus counts both\n")
	if s.profile != "" {
		b.WriteString("- profiles were taken meanwhile: the figures are too low\n")
	}
	for _, w := range loads {
		fmt.Fprintf(&b, "\n%s: %s\n\n%s", w.name, w.title, w.table())
		if s.against != "" {
			fmt.Fprintf(&b, "\n%s", w.likes(s.against))
		}
	}
	fmt.Fprintf(&b, "\n%s", goals(loads))
	return b.String()
}

func (w *workload) table() *rig.Table {
	t := &rig.Table{Head: []string{w.name, "queries/s", "ratio", "least and most", "per CPU second", "ratio", "compared to", "kernel", "a read", "lost"}}
	for _, c := range w.contenders {
		if len(c.results) == 0 {
			t.Add(c.name, "–", "–", "", "–", "–", "", "", "", "skipped: "+c.skipped)
			continue
		}
		var clock, cpu, kernel, batch []float64
		lost := 0
		for _, r := range c.results {
			clock, cpu, lost = append(clock, r.perClock()), append(cpu, r.perCPU()), lost+r.lost
			kernel, batch = append(kernel, r.kernel()), append(batch, r.batch)
		}
		read := ""
		if b := rig.Median(batch); b > 0 {
			read = fmt.Sprintf("%.1f", b)
		}
		byClock, byCPU := w.ratios(c.name, c.base, result.perClock), w.ratios(c.name, c.base, result.perCPU)
		t.Add(c.name,
			fmt.Sprintf("%.0f", rig.Median(clock)), fmt.Sprintf("%.2f", rig.Median(byClock)),
			fmt.Sprintf("%.2f–%.2f", slices.Min(byClock), slices.Max(byClock)),
			fmt.Sprintf("%.0f", rig.Median(cpu)), fmt.Sprintf("%.2f", rig.Median(byCPU)),
			c.base, fmt.Sprintf("%.0f %%", 100*rig.Median(kernel)), read, fmt.Sprint(lost))
	}
	return t
}

// likes compares the binary that is measured to that of -against.
func (w *workload) likes(against string) *rig.Table {
	t := &rig.Table{Head: []string{w.name + ", to " + filepath.Base(against), "ratio", "by CPU time"}}
	for _, c := range w.contenders {
		if c.like != nil {
			t.Add(c.like.name, rig.Spread(w.ratios(c.like.name, c.name, result.perClock)),
				rig.Spread(w.ratios(c.like.name, c.name, result.perCPU)))
		}
	}
	return t
}

// ratios returns the rate of one server over that of another: of its base as it was
// measured beside it, of any other in the same round.
func (w *workload) ratios(name, base string, rate func(result) float64) []float64 {
	over, under := w.results(name), w.results(base)
	for _, c := range w.contenders {
		if c.name == name && c.base == base {
			under = c.against
		}
	}
	var ratios []float64
	for i := range min(len(over), len(under)) {
		ratios = append(ratios, rate(over[i])/rate(under[i]))
	}
	return ratios
}

func (w *workload) results(name string) []result {
	for _, c := range w.contenders {
		if c.name == name {
			return c.results
		}
	}
	return nil
}

// goal is a ratio to reach.
type goal struct {
	number   string
	what     string
	workload string
	name     string
	base     string
	least    float64
}

const (
	s1  = "addressmap + file (S1)"
	s11 = "addressmap + file + prometheus (S11)"
)

var allGoals = []goal{
	{"S1", "names asked before, against `file`", "W1", s1, "file", 3.2},
	{"S1", "names asked before, against `file`", "W2", s1, "file", 3.8},
	{"S1b", "the same with the lane off", "W1", "addressmap + file, lane off (S1b)", "file", 1.3},
	{"S1b", "the same with the lane off", "W2", "addressmap + file, lane off (S1b)", "file", 1.3},
	{"S2", "names asked for the first time, against `file`", "W1-first", "addressmap + file (S2)", "file", 0.95},
	{"S2", "names asked for the first time, against `file`", "W2-first", "addressmap + file (S2)", "file", 0.95},
	{"S3", "names not proxied, against `file`", "W1", "addressmap + file, names not proxied (S3)", "file", 1.0},
	{"S3", "names not proxied, against `file`", "W2", "addressmap + file, names not proxied (S3)", "file", 1.0},
	{"S3", "the same with the lane off", "W1", "addressmap + file, names not proxied, lane off (S3)", "file", 0.95},
	{"S3", "the same with the lane off", "W2", "addressmap + file, names not proxied, lane off (S3)", "file", 0.95},
	{"S4", "S1 against dnsdist", "W1", s1, "dnsdist, edge addresses in a CDB file", 1.3},
	{"S4", "S1 against dnsdist", "W2", s1, "dnsdist, edge addresses in a CDB file", 1.3},
	{"S4", "S1 against NSD", "W1", s1, "NSD, edge addresses in the zones", 0.95},
	{"S4", "S1 against NSD", "W2", s1, "NSD, edge addresses in the zones", 0.95},
	{"S10", "10,000 zones behind `auto`, against `auto`", "auto", "addressmap + auto (S10)", "auto", 60},
	{"S11", "S1 with `prometheus` on both sides", "W1", s11, "file + prometheus", 3.0},
	{"S11", "S1 with `prometheus` on both sides", "W2", s11, "file + prometheus", 3.0},
}

// goals says of each goal that was measured whether it is reached: by the clock,
// for that is what clients see.
func goals(loads []*workload) *rig.Table {
	t := &rig.Table{Head: []string{"goal", "workload", "ratio", "by CPU time", "to reach", "reached"}}
	for _, g := range allGoals {
		for _, w := range loads {
			byClock, byCPU := w.ratios(g.name, g.base, result.perClock), w.ratios(g.name, g.base, result.perCPU)
			if w.name != g.workload || len(byClock) == 0 {
				continue
			}
			reached := "no"
			if rig.Median(byClock) >= g.least {
				reached = "yes"
			}
			t.Add(g.number+" "+g.what, w.name, fmt.Sprintf("%.2f", rig.Median(byClock)),
				fmt.Sprintf("%.2f", rig.Median(byCPU)), fmt.Sprintf("%.2f", g.least), reached)
		}
	}
	return t
}
