package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
)

// form is one form of the map on the disk.
type form struct {
	name  string
	title string
	limit time.Duration // S7; 0 for none

	one, all   []time.Duration // to the first answer, on one core and on all
	footprints []footprint
	octets     int64
}

// memoryLimit is S6, in octets.
const memoryLimit = 200e6

func forms() []*form {
	return []*form{
		{name: emptyMap, title: "an empty map"},
		{name: yamlMap, title: "one YAML document", limit: 10 * time.Second},
		{name: jsonMap, title: "one JSON document", limit: 6 * time.Second},
		{name: folderMap, title: "a directory of YAML documents", limit: 10 * time.Second},
	}
}

// cold loads the map from cold in each of its forms (S6, S7).
func cold(s *settings, dir string) (string, error) {
	binaries := s.binaries()
	of := make([][]*form, len(binaries)) // by binary
	for n := range binaries {
		of[n] = forms()
	}
	for round := range s.rounds {
		for i := range of[0] {
			for n, b := range binaries {
				f := of[n][i]
				if err := f.load(b, dir); err != nil {
					return "", fmt.Errorf("%s: %w", f.title, err)
				}
				fmt.Fprintf(os.Stderr, "round %d, %s, %s: %v on one core, %v on all, %s resident\n", round+1, filepath.Base(b.coredns), f.title,
					f.one[round].Round(time.Millisecond), f.all[round].Round(time.Millisecond), mega(f.footprints[round].resident))
			}
		}
	}
	text := fmt.Sprintf("Loading from cold, medians of %d rounds. Times are from the start of the server to its first answer.\n\n", s.rounds)
	for n := range binaries {
		for _, f := range of[n] {
			f.octets = sizeOf(filepath.Join(dir, f.name))
		}
		text += s.tables(n, fmt.Sprintf("%s\n%s", coldTable(of[n]), coldGoals(of[n])))
	}
	if s.against != "" {
		text += coldRatios(s.against, of[0], of[1]).String()
	}
	return text, nil
}

// coldRatios compares the forms of the binary that is measured to those of -against.
func coldRatios(against string, forms, others []*form) *rig.Table {
	t := &rig.Table{Head: []string{"to " + filepath.Base(against), "one core", "all cores", "resident", "at most"}}
	column := func(f *form, of func(footprint) float64) (values []float64) {
		for _, fp := range f.footprints {
			values = append(values, of(fp))
		}
		return values
	}
	resident := func(fp footprint) float64 { return fp.resident }
	peak := func(fp footprint) float64 { return fp.peak }
	for i, f := range forms {
		o := others[i]
		t.Add(f.title, ratio(f.one, o.one), ratio(f.all, o.all),
			ratio(column(f, resident), column(o, resident)), ratio(column(f, peak), column(o, peak)))
	}
	return t
}

// load starts a server with the map on one core, then on both.
func (f *form) load(s *settings, dir string) error {
	want := s.fleet.Edge(0)
	if f.name == emptyMap {
		want = backend
	}
	for _, cpu := range []string{s.serverCPU, s.serverCPU + "," + s.loadCPU} {
		c, err := start(s, dir, f.name, cpu, want)
		if err != nil {
			return err
		}
		if cpu != s.serverCPU {
			f.all = append(f.all, c.took)
			c.Stop()
			continue
		}
		f.one = append(f.one, c.took)
		fp, err := c.settled()
		c.Stop()
		if err != nil {
			return err
		}
		f.footprints = append(f.footprints, fp)
	}
	return nil
}

// median returns the middle of each figure.
func (f *form) median() footprint {
	var resident, peak, heap []float64
	for _, fp := range f.footprints {
		resident, peak, heap = append(resident, fp.resident), append(peak, fp.peak), append(heap, fp.heap)
	}
	return footprint{rig.Median(resident), rig.Median(peak), rig.Median(heap)}
}

func coldTable(forms []*form) *rig.Table {
	t := &rig.Table{Head: []string{"map", "on disk", "one core", "all cores", "resident", "beyond empty", "heap beyond empty", "at most"}}
	empty := forms[0].median()
	for _, f := range forms {
		m := f.median()
		t.Add(f.title, mega(float64(f.octets)), seconds(rig.Median(f.one)), seconds(rig.Median(f.all)), mega(m.resident),
			mega(m.resident-empty.resident), mega(m.heap-empty.heap), mega(m.peak))
	}
	return t
}

func coldGoals(forms []*form) *rig.Table {
	t := &rig.Table{Head: []string{"goal", "measured", "to reach", "reached"}}
	beyond := forms[1].median().resident - forms[0].median().resident
	t.Add("S6 memory beyond an empty map's, "+forms[1].title, mega(beyond), "≤ "+mega(memoryLimit), yes(beyond <= memoryLimit))
	for _, f := range forms[1:] {
		took := rig.Median(f.one)
		t.Add("S7 "+f.title, seconds(took), "≤ "+seconds(f.limit), yes(took <= f.limit))
	}
	return t
}

func sizeOf(path string) int64 {
	var sum int64
	// What cannot be looked at counts nothing: the server has read it.
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
