package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/addressmap/addressmap/bench/rig"
)

// contender is one server in one configuration.
type contender struct {
	name string // the row of the table
	base string // the name of the server that it is compared to, itself if it is that

	// One of these says how it is configured.
	block   func(z zone) string                                                       // CoreDNS: what a zone's server block holds
	whole   string                                                                    // CoreDNS: what the only server block holds
	outside func(w *workload, port string) (program string, args []string, err error) // another make

	answers answers
	oneMap  bool       // see settings
	like    *contender // if the binary is that of -against: the one with the other binary

	results []result
	against []result // of its base, measured beside it
	skipped string   // why there are no more results
}

// zone is what a server block is about.
type zone struct {
	name          string
	mapOf, others string // documents: the zone's hosts are marked, or other names
}

// answers is what the right answers are.
type answers int

const (
	hidden answers = iota // what the zone file holds
	edge                  // what the map says
	none                  // any
)

// The servers of W1 and W2, those side by side that are compared most. To change
// nothing in an answer is what `file` alone does: it is what all are compared to, but
// those that count queries.
func contenders() []*contender {
	mapped := func(options string) func(z zone) string {
		return func(z zone) string { return "addressmap " + z.mapOf + options + "\n" + file(z) }
	}
	return []*contender{
		{name: "file", base: "file", block: file},
		{name: "addressmap + file (S1)", base: "file", answers: edge, block: mapped("")},
		{name: "NSD, edge addresses in the zones", base: "file", answers: edge, outside: nsd},
		{name: "dnsdist, edge addresses in a CDB file", base: "file", answers: edge, outside: dnsdist},
		{name: "addressmap + file, lane off (S1b)", base: "file", answers: edge, block: mapped(laneOff)},
		{name: "addressmap + file, names not proxied (S3)", base: "file",
			block: func(z zone) string { return "addressmap " + z.others + "\n" + file(z) }},
		{name: "addressmap + file, names not proxied, lane off (S3)", base: "file",
			block: func(z zone) string { return "addressmap " + z.others + laneOff + "\n" + file(z) }},
		{name: "hosts + file", base: "file", answers: edge,
			block: func(z zone) string { return "hosts " + hostFile(z.name) + " {\n ttl 300\n fallthrough\n}\n" + file(z) }},
		{name: "addressmap + file, presence off", base: "file", answers: edge, block: mapped(" {\n presence off\n}")},
		{name: "cache + file", base: "file",
			block: func(z zone) string { return "cache {\n success 262144\n}\n" + file(z) }},
		{name: "whoami", base: "file", answers: none, whole: "whoami\n"},
		{name: "whoami in each block", base: "file", answers: none, block: func(zone) string { return "whoami\n" }},
		{name: "file + prometheus", base: "file + prometheus",
			block: func(z zone) string { return prometheus + file(z) }},
		{name: "whoami + prometheus in each block", base: "file + prometheus", answers: none,
			block: func(zone) string { return prometheus + "whoami\n" }},
		{name: "addressmap + file + prometheus (S11)", base: "file + prometheus", answers: edge,
			block: func(z zone) string { return prometheus + mapped("")(z) }},
	}
}

// newcomers are the servers of the workloads in which no name is asked for twice.
func newcomers() []*contender {
	all := contenders()
	all[1].name = "addressmap + file (S2)"
	return all[:2]
}

// autos are the servers with all zones in one server block.
func autos() []*contender {
	const auto = "auto {\n directory zones\n}\n"
	return []*contender{
		{name: "auto", base: "auto", whole: auto},
		{name: "addressmap + auto (S10)", base: "auto", answers: edge, whole: "addressmap " + oneMap + "\n" + auto},
	}
}

func file(z zone) string { return "file " + zoneFile(z.name) + "\n" }

const laneOff = " {\n lane off\n}"

// prometheus is for a place of a Corefile where the port of the metrics comes in.
const prometheus = "prometheus 127.0.0.1:METRICS\n"

// corefile returns the Corefile of a CoreDNS on a port of 127.0.0.1. The extra
// lines go into the first server block.
func (c *contender) corefile(f rig.Fleet, port, extra string) string {
	var b strings.Builder
	block := func(name, body string) {
		fmt.Fprintf(&b, "%s:%s {\nbind 127.0.0.1\n%s%s}\n", name, port, extra, body)
		extra = ""
	}
	if c.whole != "" {
		block(".", c.whole)
		return b.String()
	}
	for i := range f.Zones {
		z := zone{name: f.Zone(i), mapOf: mapOf("maps", f.AccountOf(i)), others: mapOf("others", f.AccountOf(i))}
		if c.oneMap {
			z.mapOf, z.others = oneMap, noMap
		}
		block(z.name, c.block(z))
	}
	return b.String()
}

// command writes the configuration and returns how to start the server.
func (c *contender) command(w *workload, s *settings, port, metrics, extra string) (rig.Command, error) {
	cmd := rig.Command{Path: s.coredns, Args: []string{"-conf", "Corefile"}, Dir: w.dir, CPU: s.serverCPU}
	if c.like != nil {
		cmd.Path = s.against
	}
	if c.outside == nil {
		corefile := strings.ReplaceAll(c.corefile(w.fleet, port, extra), "METRICS", metrics)
		return cmd, rig.WriteFile(w.dir, "Corefile", []byte(corefile))
	}
	program, args, err := c.outside(w, port)
	if err != nil {
		return cmd, err
	}
	if cmd.Path, err = rig.LookPath(program); err != nil {
		return cmd, fmt.Errorf("%s is not installed: apt-get install %[1]s", program)
	}
	cmd.Args = args
	return cmd, nil
}

// ready returns what tells that a server of the workload answers, and rightly.
func (c *contender) ready(w *workload) func(addr string) error {
	last := w.fleet.Zones - 1
	host := w.fleet.Hosts - 1
	return func(addr string) error {
		switch c.answers {
		case none:
			_, err := rig.Ask(addr, w.fleet.Name(last, host), 1)
			return err
		case edge:
			return rig.Answers(addr, w.fleet.Name(last, host), w.fleet.Edge(last))
		}
		return rig.Answers(addr, w.fleet.Name(last, host), w.fleet.Hidden(last, host))
	}
}

// path returns a file of the workload.
func (w *workload) path(name string) string { return filepath.Join(w.dir, name) }
