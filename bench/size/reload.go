package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
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

// edit is a change of the map, to be made by renaming a file over another: that
// needs no settling, and takes no time of its own.
type edit struct {
	from, to string
	name     string       // a name that is answered differently
	want     []netip.Addr // its new IPv4 addresses
}

// reloadAccount changes one account after the other of a directory (S8).
func reloadAccount(s *settings, dir string) (string, error) {
	f := s.fleet
	rng := rand.New(rand.NewPCG(9, 10))
	turns := make(map[int]int) // :: account → how often it was changed
	next := func(int) (edit, error) {
		account := rng.IntN(f.Accounts())
		turns[account]++
		zone := f.FirstOf(account)
		e := edit{from: "next", to: accountFile(account), name: f.Name(zone, 0), want: f.EdgeAt(zone, turns[account]).V4}
		return e, rig.WriteFile(dir, e.from, accountDocument(f, account, turns[account]))
	}
	took, ps, err := reloads(s, dir, folderMap, s.accounts, 200*time.Millisecond, next)
	if err != nil {
		return "", err
	}
	t := goalTable()
	t.Add("S8 from rename to the first new answer, median", milli(rig.Median(took)), "≤ "+milli(accountLimit), yes(rig.Median(took) <= accountLimit))
	t.Add("S8 the slowest of them", milli(slices.Max(took)), "≤ "+milli(accountLimit), yes(slices.Max(took) <= accountLimit))
	t.Add("S8 queries lost", fmt.Sprint(ps[changes].lost()), "0", yes(ps[changes].lost() == 0))
	limit := limitOf(ps)
	t.Add("S8 slowest answer, to 2 × p99 without reloads", milli(ps[changes].quantile(1)), "≤ "+milli(limit), yes(ps[changes].quantile(1) <= limit))
	return fmt.Sprintf("One account of %d in a directory changed, %d times, at %d queries/s.\n\n%s\n%s",
		f.Accounts(), s.accounts, s.rate, phaseTable(ps), t), nil
}

// reloadWhole changes every address of the map in one document (S9).
func reloadWhole(s *settings, dir string) (string, error) {
	rng := rand.New(rand.NewPCG(11, 12))
	next := func(turn int) (edit, error) {
		zone := rng.IntN(s.fleet.Zones)
		e := edit{from: "next", to: yamlMap, name: s.fleet.Name(zone, 0), want: s.fleet.EdgeAt(zone, turn).V4}
		return e, os.Link(filepath.Join(dir, changedMap(turn)), filepath.Join(dir, e.from))
	}
	took, ps, err := reloads(s, dir, yamlMap, s.whole, 2*time.Second, next)
	if err != nil {
		return "", err
	}
	t := goalTable()
	t.Add("S9 queries lost", fmt.Sprint(ps[changes].lost()), "0", yes(ps[changes].lost() == 0))
	limit := limitOf(ps)
	t.Add("S9 p99, to 2 × that without reloads", milli(ps[changes].quantile(0.99)), "≤ "+milli(limit), yes(ps[changes].quantile(0.99) <= limit))
	t.Add("from rename to the first new answer, median", milli(rig.Median(took)))
	return fmt.Sprintf("The whole map in one YAML document changed, %d times, at %d queries/s.\n\n%s\n%s",
		s.whole, s.rate, phaseTable(ps), t), nil
}

// spells is how often it is gone from queries alone to queries and reloads, so that
// what else the machine does falls on both.
const spells = 8

// reloads loads a server with queries, as it is and while the map is changed, by
// turns; n times in all. It returns how long each change took to be answered. next
// prepares the change of a turn; turns count from 1.
func reloads(s *settings, dir, mapName string, n int, pause time.Duration, next func(turn int) (edit, error)) ([]time.Duration, []*phase, error) {
	c, err := start(s, dir, mapName, s.serverCPU, s.fleet.Edge(0))
	if err != nil {
		return nil, nil, err
	}
	defer c.Stop()
	if _, err := c.settled(); err != nil {
		return nil, nil, err
	}
	l, err := newLoad(c.Addr, s, phases)
	if err != nil {
		return nil, nil, err
	}
	var took []time.Duration
	count := min(n, spells)
	for spell := range count {
		l.enter(still)
		time.Sleep(time.Duration(s.seconds) * time.Second / time.Duration(count))
		l.enter(changes)
		for len(took) < n*(spell+1)/count && err == nil {
			var d time.Duration
			d, err = replace(dir, c.Addr, len(took)+1, next)
			took = append(took, d)
			time.Sleep(pause) // let what the reload leaves behind be seen
		}
	}
	ps := l.end()
	if s.slow > 0 {
		fmt.Fprint(os.Stderr, l.listed(c.Started), c.Log())
	}
	return took, ps, err
}

// replace makes one change and returns how long it took to be answered.
func replace(dir, addr string, turn int, next func(turn int) (edit, error)) (time.Duration, error) {
	e, err := next(turn)
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

// limitOf is twice the p99 without reloads: what S8 and S9 compare with.
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
