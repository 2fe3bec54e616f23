// Command size measures what a big map costs: the memory it takes, the time to
// load it, and what clients feel of it being loaded again.
//
//	cd bench && go run ./size > table.md
//
// The server has one core to itself; this program, which is also the load, takes
// another.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
)

// settings is the command line.
type settings struct {
	fleet     rig.Fleet
	parts     string
	rounds    int
	seconds   int
	rate      int
	accounts  int
	whole     int
	slow      time.Duration
	coredns   string
	against   string
	serverCPU string
	loadCPU   string
}

func main() {
	var s settings
	flag.IntVar(&s.fleet.Zones, "zones", 100_000, "zones in the map, ten an account")
	flag.IntVar(&s.fleet.Hosts, "hosts", 10, "proxied names a zone")
	flag.StringVar(&s.parts, "parts", "cold,machine,account,whole", "what to measure: loading from cold (S6, S7), latencies without a map, reloads of one account (S8), reloads of the whole map (S9)")
	flag.IntVar(&s.rounds, "rounds", 5, "how often each form of the map is loaded from cold; with -against, in how many rounds reloads are measured too")
	flag.IntVar(&s.seconds, "seconds", 20, "how long latencies are measured without reloads")
	flag.IntVar(&s.rate, "rate", 5000, "queries a second meanwhile")
	flag.IntVar(&s.accounts, "account-reloads", 100, "how often one account is changed")
	flag.IntVar(&s.whole, "whole-reloads", 5, "how often the whole map is changed")
	flag.DurationVar(&s.slow, "slow", 0, "list answers that took longer, with the time since the server's start, as GODEBUG=gctrace=1 has it")
	flag.StringVar(&s.coredns, "coredns", "", "binary to measure; built if empty")
	flag.StringVar(&s.against, "against", "", "binary of another commit, to measure by turns with it")
	flag.StringVar(&s.serverCPU, "server-cpu", "0", "core of the server")
	flag.StringVar(&s.loadCPU, "load-cpu", "1", "core of the load")
	flag.Parse()
	if err := run(&s); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

// part measures something and returns its tables.
type part func(s *settings, dir string) (string, error)

var parts = map[string]part{"cold": cold, "machine": machine, "account": reloadAccount, "whole": reloadWhole}

func run(s *settings) error {
	if err := rig.Require(map[string]string{"taskset": "util-linux"}); err != nil {
		return err
	}
	shape := rig.Shape()
	dir, err := os.MkdirTemp("", "size")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.coredns, err = rig.Binary(s.coredns, dir); err != nil {
		return err
	}
	if s.against != "" {
		if s.against, err = rig.Binary(s.against, dir); err != nil {
			return err
		}
	}
	if err := write(s, dir); err != nil {
		return err
	}
	if err := stepAside(s.loadCPU); err != nil {
		return err
	}
	fmt.Print(shape)
	fmt.Printf("- %d proxied names in %d zones of %d accounts; server on core %s, load on core %s\n",
		s.fleet.Names(), s.fleet.Zones, s.fleet.Accounts(), s.serverCPU, s.loadCPU)
	for name := range strings.SplitSeq(s.parts, ",") {
		p, ok := parts[name]
		if !ok {
			return fmt.Errorf("there is no part %q: known are cold, machine, account and whole", name)
		}
		text, err := p(s, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Print("\n", text)
	}
	return nil
}

// binaries returns the settings for each binary: that which is measured, and that of
// -against.
func (s *settings) binaries() []*settings {
	all := []*settings{s}
	if s.against != "" {
		other := *s
		other.coredns = s.against
		all = append(all, &other)
	}
	return all
}

// tables puts the tables of a binary, the first or the second, under its name if there
// are two.
func (s *settings) tables(n int, text string) string {
	if s.against == "" {
		return text
	}
	return fmt.Sprintf("%s:\n\n%s\n", filepath.Base(s.binaries()[n].coredns), text)
}

// stepAside leaves the server's core alone, and keeps the garbage collector of
// the load from being measured as latency of the server.
func stepAside(cpu string) error {
	out, err := exec.Command("taskset", "-a", "-c", "-p", cpu, strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w\n%s", err, out)
	}
	debug.FreeOSMemory()
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(4 << 30)
	return nil
}

// The files in the folder.
const (
	emptyMap  = "empty.yaml"
	yamlMap   = "all.yaml"
	jsonMap   = "all.json"
	folderMap = "accounts"
)

// changedMap holds what yamlMap does at a turn.
func changedMap(turn int) string { return fmt.Sprintf("turn%d", turn%2) }

// zone is the backend: one wildcard that all names of the map are under, so that
// the server's memory and time are the map's.
const zone = rig.TLD + ` 300 IN SOA ns1 hostmaster 1 7200 3600 1209600 300
` + rig.TLD + ` 300 IN NS ns1.` + rig.TLD + `
ns1.` + rig.TLD + ` 300 IN A 192.0.2.53
*.` + rig.TLD + ` 300 IN A 10.0.0.1
*.` + rig.TLD + ` 300 IN AAAA 2001:db8:ffff::1
`

func write(s *settings, dir string) error {
	f := s.fleet
	files := map[string]func() []byte{
		"db":     func() []byte { return []byte(zone) },
		emptyMap: (&rig.Document{Anycast: []string{"192.0.2.1"}}).YAML,
		yamlMap:  f.Document(f.Proxied).YAML,
		jsonMap:  f.Document(f.Proxied).JSON,
	}
	for account := range f.Accounts() {
		files[accountFile(account)] = func() []byte { return accountDocument(f, account, 0) }
	}
	for turn := range 2 {
		files[changedMap(turn)] = f.DocumentAt(turn, f.Proxied).YAML
	}
	for name, content := range files {
		if err := rig.WriteFile(dir, name, content()); err != nil {
			return err
		}
	}
	return nil
}

func accountFile(account int) string { return fmt.Sprintf("%s/%05d.yaml", folderMap, account) }

func accountDocument(f rig.Fleet, account, turn int) []byte {
	return (&rig.Document{Accounts: []rig.Account{f.Account(account, turn, f.Proxied)}}).YAML()
}

// ratio prints what values are to others, each to that of the same round.
func ratio[T rig.Number](over, under []T) string {
	var ratios []float64
	for i := range min(len(over), len(under)) {
		ratios = append(ratios, float64(over[i])/float64(under[i]))
	}
	return rig.Spread(ratios)
}

// mega prints octets in millions.
func mega(octets float64) string { return fmt.Sprintf("%.0f MB", math.Round(octets/1e6)) }
