package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
)

const printed = `[Status] Testing complete (time limit)

Statistics:

  Queries sent:         87610
  Queries completed:    87603 (99.99%)
  Queries lost:         7 (0.01%)

  Response codes:       NOERROR 87600 (100.00%), SERVFAIL 3 (0.00%)
  Average packet size:  request 38, response 99
  Run time (s):         2.000071
  Queries per second:   43801.945031
`

func TestParse(t *testing.T) {
	got, err := parse(printed)
	if want := (result{rate: 43801.945031, lost: 7, wrong: 3, completed: 87603}); err != nil || got != want {
		t.Errorf("want %+v, got %+v and %v", want, got, err)
	}
	if _, err := parse("Error: no such file"); err == nil {
		t.Error("want an error for output without a rate")
	}
	got, err = parse(strings.Replace(printed, "NOERROR 87600 (100.00%), SERVFAIL 3 (0.00%)", "SERVFAIL 87603 (100.00%)", 1))
	if err != nil || got.wrong != 87603 {
		t.Errorf("want all wrong, got %+v and %v", got, err)
	}
}

// Turns of a server add up to the rate over both, whatever each took.
func TestResult_Plus(t *testing.T) {
	one := result{rate: 100, lost: 1, completed: 100, cpu: cpu(time.Second)}
	two := result{rate: 50, lost: 2, wrong: 3, completed: 200, cpu: cpu(time.Second)}
	if got, want := one.plus(two), (result{rate: 60, lost: 3, wrong: 3, completed: 300, cpu: cpu(2 * time.Second)}); got != want {
		t.Errorf("want %+v, got %+v", want, got)
	}
	if got := (result{}).plus(one); got != one {
		t.Errorf("want %+v, got %+v", one, got)
	}
}

// lookUp looks a key up in a constant database as its readers do.
func lookUp(db []byte, key string) ([]byte, bool) {
	le := binary.LittleEndian
	h := cdbHash(key)
	table, n := le.Uint32(db[8*(h&255):]), le.Uint32(db[8*(h&255)+4:])
	for i := range n {
		slot := db[table+8*((h>>8+i)%n):]
		pos := le.Uint32(slot[4:])
		if pos == 0 {
			break
		}
		klen, vlen := le.Uint32(db[pos:]), le.Uint32(db[pos+4:])
		if k := db[pos+8 : pos+8+klen]; le.Uint32(slot) == h && string(k) == key {
			return db[pos+8+klen : pos+8+klen+vlen], true
		}
	}
	return nil, false
}

func TestCDB(t *testing.T) {
	pairs := make(map[string][]byte)
	for i := range 5000 {
		pairs[fmt.Sprint("key", i)] = []byte(fmt.Sprint("value", i*i))
	}
	db := cdb(pairs)
	for key, want := range pairs {
		if got, ok := lookUp(db, key); !ok || string(got) != string(want) {
			t.Fatalf("%s: want %s, got %s, %t", key, want, got, ok)
		}
	}
	if _, ok := lookUp(db, "key5000"); ok {
		t.Error("a key that is not there is found")
	}
	// The hash of an empty key is the start value that the format fixes.
	if cdbHash("") != 5381 || cdbHash("a") != 5381*33^'a' {
		t.Error("the hash is not that of the format")
	}
}

// Every server is compared to one of its workload, and every goal is about
// servers that are there.
func TestWorkloads_Names(t *testing.T) {
	all := workloads(1)
	has := func(w *workload, name string) bool {
		return slices.ContainsFunc(w.contenders, func(c *contender) bool { return c.name == name })
	}
	for _, w := range all {
		for _, c := range w.contenders {
			if !has(w, c.base) {
				t.Errorf("%s: %s is compared to %q, which is not there", w.name, c.name, c.base)
			}
			if configured := (c.block != nil) != (c.whole != ""); configured == (c.outside != nil) {
				t.Errorf("%s: %s has not exactly one configuration", w.name, c.name)
			}
		}
	}
	for _, g := range allGoals {
		i := slices.IndexFunc(all, func(w *workload) bool { return w.name == g.workload })
		if i < 0 || !has(all[i], g.name) || !has(all[i], g.base) {
			t.Errorf("%s of %s: %q or %q is not there", g.number, g.workload, g.name, g.base)
		}
	}
}

// Every server has its turn in one group, beside what it is compared to, and those that
// a goal compares are in the same.
func TestWorkload_Groups(t *testing.T) {
	for _, w := range workloads(1) {
		in := make(map[string]int)
		for n, group := range w.groups() {
			if len(group) > 1+atOnce {
				t.Errorf("%s: %d servers at once", w.name, len(group))
			}
			for i, c := range group {
				if _, twice := in[c.name]; twice && i > 0 {
					t.Errorf("%s: %s has two turns", w.name, c.name)
				}
				if in[c.name] = n; c.base != group[0].name {
					t.Errorf("%s: %s is beside %s, which it is not compared to", w.name, c.name, group[0].name)
				}
			}
		}
		if len(in) != len(w.contenders) {
			t.Errorf("%s: %d of %d have a turn", w.name, len(in), len(w.contenders))
		}
		for _, g := range allGoals {
			if g.workload == w.name && g.number == "S4" && in[g.name] != in[g.base] {
				t.Errorf("%s: %s and %s have no turn together", w.name, g.name, g.base)
			}
		}
	}
	w := workloads(1)[0]
	w.choose(regexp.MustCompile("^file$"))
	if got := w.groups(); len(got) != 1 || len(got[0]) != 1 {
		t.Errorf("one server alone: got %v", got)
	}
}

// A server of -against has its turns with the one that it is compared to.
func TestWorkload_Double(t *testing.T) {
	for _, w := range workloads(1) {
		w.double()
		turns, pairs := 0, 0
		for _, group := range w.groups() {
			turns += len(group) - 1
			for _, c := range group {
				if c.like == nil {
					continue
				}
				pairs++
				if !slices.Contains(group, c.like) || c.name == c.like.name {
					t.Errorf("%s: %s has no turn beside its like", w.name, c.name)
				}
			}
		}
		bases := 0
		for _, c := range w.contenders {
			if c.name == c.base {
				bases++
			}
		}
		if pairs == 0 || turns != len(w.contenders)-bases {
			t.Errorf("%s: %d pairs, and %d of %d servers have a turn", w.name, pairs, turns, len(w.contenders)-bases)
		}
	}
}

func TestWorkload_Choose(t *testing.T) {
	w := workloads(1)[0]
	w.choose(regexp.MustCompile("S11"))
	var names []string
	for _, c := range w.contenders {
		names = append(names, c.name)
	}
	if want := []string{"file + prometheus", s11}; !slices.Equal(names, want) {
		t.Errorf("want %q, got %q", want, names)
	}
}

// Every file that a Corefile names has been written.
func TestWorkload_FilesThere(t *testing.T) {
	named := regexp.MustCompile(`(?m)^(?:file|hosts|addressmap|directory) ([^ \n]+)|^ directory ([^ \n]+)`)
	for _, oneMap := range []bool{false, true} {
		for _, w := range workloads(1) {
			w.fleet.Zones = min(w.fleet.Zones, 25)
			w.fleet.Hosts = min(w.fleet.Hosts, 10)
			if err := w.write(t.TempDir(), &settings{oneMap: oneMap}); err != nil {
				t.Fatal(err)
			}
			for _, c := range w.contenders {
				if c.outside != nil {
					continue
				}
				corefile := c.corefile(w.fleet, "53", "")
				if blocks := strings.Count(corefile, "bind"); c.block != nil && blocks != w.fleet.Zones {
					t.Errorf("%s, %s: want a server block a zone, got %d", w.name, c.name, blocks)
				}
				for _, m := range named.FindAllStringSubmatch(corefile, -1) {
					if _, err := os.Stat(w.path(m[1] + m[2])); err != nil {
						t.Errorf("%s, %s: %v", w.name, c.name, err)
					}
				}
			}
		}
	}
}

func TestOutside_Configured(t *testing.T) {
	w := workloads(1)[0]
	w.fleet.Zones = 3
	w.dir = t.TempDir()
	if _, args, err := nsd(w, "5300"); err != nil || len(args) == 0 {
		t.Fatal(err)
	}
	if _, args, err := dnsdist(w, "5300"); err != nil || len(args) == 0 {
		t.Fatal(err)
	}
	conf, err := os.ReadFile(filepath.Join(w.dir, "nsd.conf"))
	if err != nil || strings.Count(string(conf), "zonefile:") != 3 {
		t.Errorf("want three zones, got %v\n%s", err, conf)
	}
	db, err := os.ReadFile(filepath.Join(w.dir, "edge.cdb"))
	if err != nil {
		t.Fatal(err)
	}
	value, ok := lookUp(db, "\x07h000000\x07z000001\x07example\x00")
	if a := w.fleet.Edge(1); !ok || len(value) != 40 || string(value[:4]) != string(a.V4[0].AsSlice()) || string(value[24:]) != string(a.V6[1].AsSlice()) {
		t.Errorf("want the addresses %v, got %x", a, value)
	}
}

// cpu is the use of a server that spends a quarter of its time in the kernel.
func cpu(all time.Duration) rig.Usage { return rig.Usage{All: all, Kernel: all / 4} }

func TestReport(t *testing.T) {
	file := []result{{rate: 100, completed: 100, cpu: cpu(time.Second)}, {rate: 200, completed: 200, cpu: cpu(time.Second)}, {rate: 300, completed: 300, cpu: cpu(time.Second)}}
	w := &workload{name: "W1", title: "some zones", contenders: []*contender{
		{name: "file", base: "file", results: file, against: file},
		{name: s1, base: "file", against: file, results: []result{
			{rate: 180, completed: 90, cpu: cpu(time.Second / 2)}, {rate: 320, completed: 320, cpu: cpu(time.Second), lost: 2, batch: 21.5}, {rate: 300, completed: 300, cpu: cpu(time.Second), batch: 22}}},
		{name: "NSD", base: "file", skipped: "nsd is not installed"},
	}}
	got := report(&settings{rounds: 3, turns: 2, seconds: 1, serverCPU: "0", loadCPU: "1"}, "- shape\n", []*workload{w})
	const want = `- shape
- 3 rounds of 2 turns of 1 s (one turn where names are asked for once), medians; server on core 0, dnsperf on core 1 with 8 clients and 200 outstanding queries, A and AAAA mixed
- kernel: the part of the server's CPU time in kernel mode; a read: how many packets the lane answered of a read of the socket, where prometheus counts both

W1: some zones

| W1                     | queries/s | ratio | least and most | per CPU second | ratio | compared to | kernel | a read |                          lost |
| ---------------------- | --------: | ----: | -------------: | -------------: | ----: | ----------: | -----: | -----: | ----------------------------: |
| file                   |       200 |  1.00 |      1.00–1.00 |            200 |  1.00 |        file |   25 % |        |                             0 |
| addressmap + file (S1) |       300 |  1.60 |      1.00–1.80 |            300 |  1.60 |        file |   25 % |   21.5 |                             2 |
| NSD                    |         – |     – |                |              – |     – |             |        |        | skipped: nsd is not installed |

| goal                                  | workload | ratio | by CPU time | to reach | reached |
| ------------------------------------- | -------: | ----: | ----------: | -------: | ------: |
| S1 names asked before, against ` + "`file`" + ` |       W1 |  1.60 |        1.60 |     3.20 |      no |
`
	if got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestReport_Against(t *testing.T) {
	w := &workload{name: "W1", contenders: []*contender{
		{name: s1, base: "file", results: []result{{rate: 300, completed: 300, cpu: cpu(2 * time.Second)}, {rate: 300, completed: 300, cpu: cpu(time.Second)}}},
	}}
	w.double()
	w.contenders[1].results = []result{{rate: 200, completed: 200, cpu: cpu(time.Second)}, {rate: 100, completed: 100, cpu: cpu(time.Second)}}
	const want = `| W1, to coredns-old     |            ratio |      by CPU time |
| ---------------------- | ---------------: | ---------------: |
| addressmap + file (S1) | 2.25 [1.50–3.00] | 1.88 [0.75–3.00] |
`
	if got := w.likes("/tmp/coredns-old").String(); got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

// A run that was cut short is told apart from a server that took nothing.
func TestResult_NoCPU(t *testing.T) {
	if got := (result{completed: 5}).perCPU(); got != 500 {
		t.Errorf("want the least time that the system tells, got %v", got)
	}
}
