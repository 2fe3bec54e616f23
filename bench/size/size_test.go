package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// All maps are accepted, and all forms of the map are the same map.
func TestWrite_Maps(t *testing.T) {
	dir := t.TempDir()
	s := &settings{fleet: rig.Fleet{Zones: 25, Hosts: 3}}
	if err := write(s, dir); err != nil {
		t.Fatal(err)
	}
	accounts, err := filepath.Glob(filepath.Join(dir, folderMap, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := mapset.Stats{Accounts: 3, Zones: 25, ProxiedNames: 75, AddressMaps: 6, Addresses: 24}
	for _, tc := range []struct {
		name  string
		files []string
		want  mapset.Stats
	}{
		{"empty", []string{filepath.Join(dir, emptyMap)}, mapset.Stats{Addresses: 1}},
		{"YAML", []string{filepath.Join(dir, yamlMap)}, all},
		{"JSON", []string{filepath.Join(dir, jsonMap)}, all},
		{"directory", accounts, all},
		{"turn 1", []string{filepath.Join(dir, changedMap(1))}, all},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var sources []mapset.Source
			for _, path := range tc.files {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				doc, errs := mapfile.Parse(path+".yaml", text)
				if len(errs) > 0 {
					t.Fatal(errs)
				}
				sources = append(sources, mapset.Source{Doc: doc})
			}
			snap, errs := mapset.Build(sources, mapset.Options{})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if got := snap.Stats(); got != tc.want {
				t.Errorf("want %+v, got %+v", tc.want, got)
			}
		})
	}
}

func TestZone(t *testing.T) {
	rrs := 0
	for z := dns.NewZoneParser(strings.NewReader(zone), rig.TLD, "db"); ; rrs++ {
		if _, ok := z.Next(); !ok {
			if z.Err() != nil {
				t.Fatal(z.Err())
			}
			break
		}
	}
	if rrs != 5 {
		t.Errorf("want 5 records, got %d", rrs)
	}
}

// The load counts what a server loses and what it answers wrongly, by phase.
func TestLoad_Counts(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var seen, lost, wrong atomic.Int64
	server := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		switch n := seen.Add(1); {
		case n%10 == 0:
			lost.Add(1)
			return
		case n%10 == 5:
			wrong.Add(1)
		default:
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(192, 0, 2, 1)}}
		}
		_ = w.WriteMsg(m)
	})}
	go server.ActivateAndServe()
	defer server.Shutdown()

	l, err := newLoad(pc.LocalAddr().String(), &settings{fleet: rig.Fleet{Zones: 10, Hosts: 2}, rate: 500}, phases)
	if err != nil {
		t.Fatal(err)
	}
	upTo := func(n int64) {
		for deadline := time.Now().Add(30 * time.Second); seen.Load() < n; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the server saw %d questions", seen.Load())
			}
		}
	}
	upTo(100)
	l.enter(changes)
	upTo(seen.Load() + 200)
	ps := l.end()
	a, b := ps[still], ps[changes]
	dropped := int64(a.sent+b.sent) - seen.Load() // by the system, if it stood still for long
	if a.sent == 0 || b.sent == 0 || dropped < 0 {
		t.Errorf("want all %d questions in the two phases, got %d and %d", seen.Load(), a.sent, b.sent)
	}
	if got := int64(a.lost() + b.lost()); got != lost.Load()+dropped {
		t.Errorf("want %d lost, and %d that were dropped, got %d", lost.Load(), dropped, got)
	}
	if got := int64(a.wrong + b.wrong); got != wrong.Load() {
		t.Errorf("want %d wrong, got %d", wrong.Load(), got)
	}
	if !slices.IsSorted(a.answers) || a.quantile(0) <= 0 || a.quantile(1) < a.quantile(0.5) {
		t.Errorf("want latencies above zero in rising order, got %v", a.answers)
	}
}

func TestLoad_ListsSlowAnswers(t *testing.T) {
	ms, start := time.Millisecond, time.Now()
	l := &load{begin: start.Add(2 * time.Second), slow: []slowAnswer{
		{500 * ms, 5 * ms, still}, {510 * ms, 9 * ms, still}, {529 * ms, 6 * ms, changes},
		{600 * ms, 7 * ms, changes},
	}}
	const want = `   2.500 s, phase 0: 3 answers within 29.00 ms, the slowest took 9.00 ms
   2.600 s, phase 1: 1 answers within 0.00 ms, the slowest took 7.00 ms
`
	if got := l.listed(start); got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestPhaseTable(t *testing.T) {
	ms := time.Millisecond
	got := phaseTable([]*phase{
		{sent: 4, wrong: 1, answers: []time.Duration{ms, 2 * ms, 5 * ms / 2}},
		{sent: 3, answers: []time.Duration{3 * ms, 7 * ms}},
	}).String()
	const want = `| latency         |     p50 |     p99 |   p99.9 | slowest | beyond 5.00 ms | queries | lost | wrong |
| --------------- | ------: | ------: | ------: | ------: | -------------: | ------: | ---: | ----: |
| without reloads | 2.00 ms | 2.50 ms | 2.50 ms | 2.50 ms |         0.00 % |       4 |    0 |     1 |
| with reloads    | 3.00 ms | 7.00 ms | 7.00 ms | 7.00 ms |        50.00 % |       3 |    1 |     0 |
`
	if got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

// Rounds add up, and are compared one by one.
func TestByTurns_Tables(t *testing.T) {
	ms := time.Millisecond
	round := func(took, answer time.Duration) outcome {
		return outcome{[]time.Duration{took}, []*phase{
			{sent: 1, answers: []time.Duration{ms}},
			{sent: 2, wrong: 1, answers: []time.Duration{answer}},
		}}
	}
	rounds := []outcome{round(30*ms, 4*ms), round(20*ms, 2*ms)}
	all := sum(rounds)
	if p := all.phases[changes]; len(all.took) != 2 || p.sent != 4 || p.wrong != 2 || !slices.Equal(p.answers, []time.Duration{2 * ms, 4 * ms}) {
		t.Errorf("want what both rounds have, got %v and %+v", all.took, p)
	}
	got := reloadRatios("/tmp/coredns-old", rounds, []outcome{round(20*ms, 4*ms), round(40*ms, 1*ms)}).String()
	const want = `| to coredns-old                              |            ratio |
| ------------------------------------------- | ---------------: |
| from rename to the first new answer, median | 1.00 [0.50–1.50] |
| p99 without reloads                         | 1.00 [1.00–1.00] |
| p99 with reloads                            | 1.50 [1.00–2.00] |
| slowest with reloads                        | 1.50 [1.00–2.00] |
`
	if got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestColdRatios(t *testing.T) {
	sec := time.Second
	load := func(one, all time.Duration, resident, peak float64) []*form {
		return []*form{{title: "one YAML document", one: []time.Duration{one}, all: []time.Duration{all}, footprints: []footprint{{resident, peak, 0}}}}
	}
	got := coldRatios("/tmp/coredns-old", load(9*sec, 6*sec, 100e6, 400e6), load(6*sec, 6*sec, 200e6, 500e6)).String()
	const want = `| to coredns-old    |         one core |        all cores |         resident |          at most |
| ----------------- | ---------------: | ---------------: | ---------------: | ---------------: |
| one YAML document | 1.50 [1.50–1.50] | 1.00 [1.00–1.00] | 0.50 [0.50–0.50] | 0.80 [0.80–0.80] |
`
	if got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestColdTables(t *testing.T) {
	sec := time.Second
	forms := []*form{
		{title: "an empty map", one: []time.Duration{sec / 10}, all: []time.Duration{sec / 10}, footprints: []footprint{{60e6, 70e6, 10e6}}},
		{title: "one YAML document", limit: 10 * sec, octets: 30e6, one: []time.Duration{11 * sec}, all: []time.Duration{6 * sec}, footprints: []footprint{{200e6, 900e6, 110e6}}},
	}
	const want = `| map               | on disk | one core | all cores | resident | beyond empty | heap beyond empty | at most |
| ----------------- | ------: | -------: | --------: | -------: | -----------: | ----------------: | ------: |
| an empty map      |    0 MB |   0.10 s |    0.10 s |    60 MB |         0 MB |              0 MB |   70 MB |
| one YAML document |   30 MB |  11.00 s |    6.00 s |   200 MB |       140 MB |            100 MB |  900 MB |
`
	if got := coldTable(forms).String(); got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
	const goals = `| goal                                               | measured |  to reach | reached |
| -------------------------------------------------- | -------: | --------: | ------: |
| S6 memory beyond an empty map's, one YAML document |   140 MB |  ≤ 200 MB |     yes |
| S7 one YAML document                               |  11.00 s | ≤ 10.00 s |      no |
`
	if got := coldGoals(forms).String(); got != goals {
		t.Errorf("want\n%s\ngot\n%s", goals, got)
	}
}
