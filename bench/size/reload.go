package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/bench/rig"
)

// backend is what the wildcard of the backend answers with.
var backend = rig.Addresses{
	V4: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
	V6: []netip.Addr{netip.MustParseAddr("2001:db8:ffff::1")},
}

// The phases of a load.
const (
	still   = iota // nothing changes
	changes        // reloads go on
	phases
)

// accountLimit is S8: from rename to the first new answer.
const accountLimit = 60 * time.Millisecond

// p99Limit is S9 on one core.
const p99Limit = 50 * time.Millisecond

// edit is a change of the map, to be made by renaming a file over another: that
// needs no settling, and takes no time of its own.
type edit struct {
	from, to string
	name     string       // a name that is answered differently
	want     []netip.Addr // its new IPv4 addresses
}

// edits are changes of a map, one after the other.
type edits struct {
	mapName string
	n       int           // how many there are to be for each binary
	pause   time.Duration // after each, to let what it leaves behind be seen
	next    func() (edit, error)
	first   func() rig.Addresses // what the first name is answered with by now
}

// reloadAccount changes one account after the other of a directory (S8).
func reloadAccount(s *settings, dir string) (string, error) {
	f := s.fleet
	rng := rand.New(rand.NewPCG(9, 10))
	turns := make(map[int]int) // :: account → how often it was changed
	next := func() (edit, error) {
		account := rng.IntN(f.Accounts())
		turns[account]++
		zone := f.FirstOf(account)
		e := edit{from: "next", to: accountFile(account), name: f.Name(zone, 0), want: f.EdgeAt(zone, turns[account]).V4}
		return e, rig.WriteFile(dir, e.from, accountDocument(f, account, turns[account]))
	}
	first := func() rig.Addresses { return f.EdgeAt(0, turns[0]) }
	text, err := byTurns(s, dir, edits{folderMap, s.accounts, 200 * time.Millisecond, next, first}, accountGoals)
	return fmt.Sprintf("One account of %d in a directory changed, %d times, at %d queries/s.\n\n%s",
		f.Accounts(), s.accounts, s.rate, text), err
}

func accountGoals(took []time.Duration, ps []*phase) *rig.Table {
	t := goalTable()
	t.Add("S8 from rename to the first new answer, median", milli(rig.Median(took)), "≤ "+milli(accountLimit), yes(rig.Median(took) <= accountLimit))
	t.Add("S8 queries lost", fmt.Sprint(ps[changes].lost()), "0", yes(ps[changes].lost() == 0))
	return t
}

// reloadWhole changes every address of the map in one document (S9).
func reloadWhole(s *settings, dir string) (string, error) {
	rng := rand.New(rand.NewPCG(11, 12))
	turn := 0
	next := func() (edit, error) {
		turn++
		zone := rng.IntN(s.fleet.Zones)
		e := edit{from: "next", to: yamlMap, name: s.fleet.Name(zone, 0), want: s.fleet.EdgeAt(zone, turn).V4}
		return e, os.Link(filepath.Join(dir, changedMap(turn)), filepath.Join(dir, e.from))
	}
	first := func() rig.Addresses { return s.fleet.EdgeAt(0, turn) }
	text, err := byTurns(s, dir, edits{yamlMap, s.whole, 2 * time.Second, next, first}, wholeGoals)
	return fmt.Sprintf("The whole map in one YAML document changed, %d times, at %d queries/s.\n\n%s", s.whole, s.rate, text), err
}

func wholeGoals(took []time.Duration, ps []*phase) *rig.Table {
	t := goalTable()
	t.Add("S9 queries lost", fmt.Sprint(ps[changes].lost()), "0", yes(ps[changes].lost() == 0))
	t.Add("S9 p99, on one core", milli(ps[changes].quantile(0.99)), "≤ "+milli(p99Limit), yes(ps[changes].quantile(0.99) <= p99Limit))
	t.Add("from rename to the first new answer, median", milli(rig.Median(took)))
	return t
}

// outcome is what came of some changes.
type outcome struct {
	took   []time.Duration // until each was answered
	phases []*phase
}

// byTurns makes changes and returns the tables of what came of them. With two binaries
// each has its share of the changes in every round, with a server freshly started.
func byTurns(s *settings, dir string, e edits, goals func([]time.Duration, []*phase) *rig.Table) (string, error) {
	binaries, rounds := s.binaries(), 1
	if s.against != "" {
		rounds = min(s.rounds, e.n)
	}
	of := make([][]outcome, len(binaries)) // by binary and round
	for round := range rounds {
		for n, b := range binaries {
			share := *b
			share.seconds = max(s.seconds/rounds, 1)
			o, err := reloads(&share, dir, e, e.n*(round+1)/rounds-e.n*round/rounds)
			if err != nil {
				return "", err
			}
			of[n] = append(of[n], o)
			fmt.Fprintf(os.Stderr, "round %d, %s, %s: %s until the first new answer, p99 %s, %d lost\n", round+1, filepath.Base(b.coredns), e.mapName,
				milli(rig.Median(o.took)), milli(o.phases[changes].quantile(0.99)), o.phases[changes].lost())
		}
	}
	var text strings.Builder
	for n := range binaries {
		all := sum(of[n])
		text.WriteString(s.tables(n, fmt.Sprintf("%s\n%s", phaseTable(all.phases), goals(all.took, all.phases))))
	}
	if s.against != "" {
		text.WriteString(reloadRatios(s.against, of[0], of[1]).String())
	}
	return text.String(), nil
}

// sum is what came of the changes of all rounds.
func sum(rounds []outcome) outcome {
	all := outcome{phases: []*phase{{}, {}}}
	for _, o := range rounds {
		all.took = append(all.took, o.took...)
		for i, p := range o.phases {
			a := all.phases[i]
			a.sent, a.wrong, a.answers = a.sent+p.sent, a.wrong+p.wrong, append(a.answers, p.answers...)
		}
	}
	for _, p := range all.phases {
		slices.Sort(p.answers)
	}
	return all
}

// reloadRatios compares the rounds of the binary that is measured to those of -against.
func reloadRatios(against string, rounds, others []outcome) *rig.Table {
	t := &rig.Table{Head: []string{"to " + filepath.Base(against), "ratio"}}
	for _, row := range []struct {
		name string
		of   func(o outcome) time.Duration
	}{
		{"from rename to the first new answer, median", func(o outcome) time.Duration { return rig.Median(o.took) }},
		{"p99 without reloads", func(o outcome) time.Duration { return o.phases[still].quantile(0.99) }},
		{"p99 with reloads", func(o outcome) time.Duration { return o.phases[changes].quantile(0.99) }},
		{"slowest with reloads", func(o outcome) time.Duration { return o.phases[changes].quantile(1) }},
	} {
		var over, under []time.Duration
		for i := range rounds {
			over, under = append(over, row.of(rounds[i])), append(under, row.of(others[i]))
		}
		t.Add(row.name, ratio(over, under))
	}
	return t
}

// spells is how often it is gone from queries alone to queries and reloads, so that
// what else the machine does falls on both.
const spells = 8

// reloads loads a server with queries, as it is and while the map is changed, by
// turns; n times in all.
func reloads(s *settings, dir string, e edits, n int) (outcome, error) {
	c, err := start(s, dir, e.mapName, s.serverCPU, e.first())
	if err != nil {
		return outcome{}, err
	}
	defer c.Stop()
	if _, err := c.settled(); err != nil {
		return outcome{}, err
	}
	l, err := newLoad(c.Addr, s, phases)
	if err != nil {
		return outcome{}, err
	}
	var took []time.Duration
	count := min(n, spells)
	for spell := range count {
		l.enter(still)
		time.Sleep(time.Duration(s.seconds) * time.Second / time.Duration(count))
		l.enter(changes)
		for len(took) < n*(spell+1)/count && err == nil {
			var d time.Duration
			d, err = replace(dir, c.Addr, e.next)
			took = append(took, d)
			time.Sleep(e.pause)
		}
	}
	ps := l.end()
	if s.slow > 0 {
		fmt.Fprint(os.Stderr, l.listed(c.Started), c.Log())
	}
	return outcome{took, ps}, err
}

// replace makes one change and returns how long it took to be answered.
func replace(dir, addr string, next func() (edit, error)) (time.Duration, error) {
	e, err := next()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := os.Rename(filepath.Join(dir, e.from), filepath.Join(dir, e.to)); err != nil {
		return 0, err
	}
	err = await(addr, e.name, e.want)
	return time.Since(begin), err
}

// await asks for a name's IPv4 addresses, a thousand times a second at most,
// until they are those wanted.
func await(addr, name string, want []netip.Addr) error {
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(time.Millisecond) {
		if got, err := rig.Ask(addr, name, dns.TypeA); err == nil && slices.Equal(got, want) {
			return nil
		}
	}
	return errors.New("the change is not answered after two minutes")
}

// limitOf is twice the p99 without reloads: beyond it, an answer counts as slow.
func limitOf(ps []*phase) time.Duration { return 2 * ps[still].quantile(0.99) }

func phaseTable(ps []*phase) *rig.Table {
	limit := limitOf(ps)
	t := &rig.Table{Head: []string{"latency", "p50", "p99", "p99.9", "slowest", "beyond " + milli(limit), "queries", "lost", "wrong"}}
	for i, name := range []string{"without reloads", "with reloads"} {
		p := ps[i]
		t.Add(name, milli(p.quantile(0.5)), milli(p.quantile(0.99)), milli(p.quantile(0.999)), milli(p.quantile(1)),
			fmt.Sprintf("%.2f %%", 100*p.beyond(limit)), fmt.Sprint(p.sent), fmt.Sprint(p.lost()), fmt.Sprint(p.wrong))
	}
	return t
}

func goalTable() *rig.Table {
	return &rig.Table{Head: []string{"goal", "measured", "to reach", "reached"}}
}

func milli(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }
