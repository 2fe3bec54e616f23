package state

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A killed process leaves what it wrote to the kernel; a power cut does not. The
// model here is a file system that keeps no more than it was asked to: of a file
// that was not synced, any part; of the changes of a directory since its last
// sync, any of them.

// node is a file or a directory of the model.
type node struct {
	data   []byte // of a file
	synced bool   // the data is on disk

	entries map[string]*node // of a directory: those on disk; nil of a file
	pending []change         // those that may be
}

// change is a change of a directory that is on disk wholly or not at all.
type change struct {
	from string // the name that goes, if any
	to   string // the name that comes, if any
	node *node
}

func newFolder() *node { return &node{entries: make(map[string]*node)} }

func (c change) apply(entries map[string]*node) {
	delete(entries, c.from)
	if c.to != "" {
		entries[c.to] = c.node
	}
}

// now returns the entries as the running system sees them.
func (n *node) now() map[string]*node {
	entries := maps.Clone(n.entries)
	for _, c := range n.pending {
		c.apply(entries)
	}
	return entries
}

// find returns what is at a path, nil if nothing is.
func (n *node) find(name string) *node {
	for _, part := range strings.Split(path.Clean(name), "/") {
		if part != "." && n != nil {
			n = n.now()[part]
		}
	}
	return n
}

// record is one step that was done, with the content that it wrote.
type record struct {
	step
	data []byte
}

// replay does one step in the model.
func (n *node) replay(r record) {
	dir, base := n.find(path.Dir(r.name)), path.Base(r.name)
	file := n.find(r.name)
	switch r.kind {
	case "write":
		if file == nil {
			file = &node{}
			dir.pending = append(dir.pending, change{to: base, node: file})
		}
		file.data, file.synced = r.data, false
	case "sync":
		file.synced = true
	case "rename":
		dir.pending = append(dir.pending, change{from: base, to: strings.TrimSuffix(base, tmpSuffix), node: file})
	case "remove":
		dir.pending = append(dir.pending, change{from: base})
	case "mkdir":
		dir.pending = append(dir.pending, change{to: base, node: newFolder()})
	case "syncdir":
		file.entries, file.pending = file.now(), nil
	}
}

// survive notes under dir what one of many possible power cuts leaves: the
// content of files, and directories, whose names end in a slash.
func (n *node) survive(dir string, random *rand.Rand, left map[string]string) {
	entries := maps.Clone(n.entries)
	for _, c := range n.pending {
		if random.IntN(2) == 0 {
			c.apply(entries)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		if e.entries != nil {
			left[dir+name+"/"] = ""
			e.survive(dir+name+"/", random, left)
			continue
		}
		data := e.data
		if !e.synced {
			switch random.IntN(3) {
			case 0:
				data = data[:random.IntN(len(data)+1)]
			case 1:
				data = make([]byte, len(data))
			}
		}
		left[dir+name] = string(data)
	}
}

// inMemory returns a new directory, in memory if that can be: what is on disk is
// the model's affair here.
func inMemory(t *testing.T) string {
	above, err := os.MkdirTemp("/dev/shm", "state")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(above)) })
	dir := filepath.Join(above, "maps")
	must(t, os.Mkdir(dir, 0o700))
	return dir
}

// lay writes to the directory what is left.
func lay(t *testing.T, dir string, left map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(left)) {
		to := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			must(t, os.Mkdir(to, 0o700))
			continue
		}
		must(t, os.WriteFile(to, []byte(left[name]), 0o600))
	}
}

// recording returns the steps of saving versions 1 to n, with a reopening in
// between, and for each number of steps done the version that was saved by then.
func recording(t *testing.T, n int) (records []record, done []int) {
	dir := t.TempDir()
	var mu sync.Mutex
	last := 0
	tamper := func(s step, do func() error) error {
		mu.Lock()
		defer mu.Unlock()
		must(t, do())
		r := record{step: s}
		if s.kind == "write" {
			data, err := os.ReadFile(filepath.Join(dir, s.name))
			must(t, err)
			r.data = data
		}
		done = append(done, last)
		records = append(records, r)
		return nil
	}
	for i := 1; i <= n; i++ {
		d := opened(t, dir)
		d.dir.disk.hook = tamper
		wantSaved(t, d, last)
		_, err := put(d, []byte("never named"))
		must(t, err)
		must(t, save(d, i))
		last = i
		if i%2 == 0 {
			i++
			must(t, save(d, i))
			last = i
		}
		must(t, d.Close())
	}
	return records, append(done, last)
}

// The power goes at every step, and each time in several ways.
func TestState_PowerCut(t *testing.T) {
	t.Parallel()
	const versions, ways = 5, 10
	records, done := recording(t, versions)
	before, during := 0, 0
	seen := make(map[string]bool) // :: what is left, and should be → tried
	for n := range done {
		model := newFolder()
		for _, r := range records[:n] {
			model.replay(r)
		}
		for way := range ways {
			left := make(map[string]string)
			model.survive("", rand.New(rand.NewPCG(uint64(n), uint64(way))), left)
			key := fmt.Sprint(done[n], left)
			if seen[key] {
				continue
			}
			seen[key] = true
			dir := inMemory(t)
			lay(t, dir, left)
			d := opened(t, dir)
			got, err := saved(d)
			if err != nil || got != done[n] && got != done[n]+1 {
				t.Fatalf("power cut after step %d of %d, %v, in way %d: want version %d or the next, got %d and error %v",
					n, len(records), records[max(n-1, 0)].step, way, done[n], got, err)
			}
			if got == done[n] {
				before++
			} else {
				during++
			}
			if way == 0 && n%8 == 0 {
				must(t, save(d, got+1))
				wantSaved(t, d, got+1)
				wantTidy(t, dir, got+1)
			}
			must(t, d.Close())
		}
	}
	t.Logf("%d steps, %d power cuts, %d that differ: %d left the version before, %d the next", len(records), len(done)*ways, before+during, before, during)
	if during == 0 {
		t.Error("want some cuts after the rename of the manifest")
	}
}
