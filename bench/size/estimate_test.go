package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/plugin/live"
)

// BenchmarkLoad says what the heap holds at most while a map is loaded, beyond what it
// held before, for each octet of the files: plugin/live estimates the memory of a load
// with that. Garbage is collected all the time meanwhile, as under a memory limit that
// is about to be reached, so that the figure is of what cannot be collected.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	s := &settings{fleet: rig.Fleet{Zones: 20_000, Hosts: 10}}
	if err := write(s, dir); err != nil {
		b.Fatal(err)
	}
	if err := writeMarked(s.fleet, filepath.Join(dir, "marked")); err != nil {
		b.Fatal(err)
	}
	if err := writeOneAccount(s.fleet, filepath.Join(dir, "one account")); err != nil {
		b.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	for _, c := range []struct{ name, path string }{
		{"YAML", yamlMap}, {"JSON", jsonMap}, {"directory", folderMap}, {"zone files", "marked"}, {"one account", "one account"},
	} {
		path := filepath.Join(dir, c.path)
		for _, state := range []string{"", "state"} {
			b.Run(strings.TrimSpace(c.name+" "+state), func(b *testing.B) {
				var most float64
				for b.Loop() {
					opt := live.Options{Path: path, Log: silence{}}
					if state != "" {
						opt.State = b.TempDir()
					}
					most = max(most, during(b, func() (*live.Store, error) { return live.Open(opt) }))
				}
				b.ReportMetric(most/float64(sizeOf(path)), "octets/octet")
			})
		}
	}
}

// during returns what the heap holds at most while a map is loaded, beyond what it held
// before.
func during(b *testing.B, open func() (*live.Store, error)) float64 {
	runtime.GC()
	before := inHeap()
	most, end, done := before, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-end:
				tick.Stop()
				return
			case <-tick.C:
				most = max(most, inHeap())
			}
		}
	}()
	s, err := open()
	close(end)
	<-done
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return most - before
}

// inHeap returns the octets that the last collection of garbage has left.
func inHeap() float64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64())
}

// writeMarked writes the map as one document in which every zone has a zone file, with
// a mark at each name.
func writeMarked(f rig.Fleet, dir string) error {
	var doc strings.Builder
	doc.WriteString("anycast: [192.0.2.1]\naccounts:\n  - id: acme\n    zones:\n")
	for z := range f.Zones {
		apex := strings.TrimSuffix(f.Name(z, 0)[strings.IndexByte(f.Name(z, 0), '.')+1:], ".")
		fmt.Fprintf(&doc, "      - {name: %s, zone_file: db.%d}\n", apex, z)
		var zone strings.Builder
		fmt.Fprintf(&zone, "$ORIGIN %s.\n@ 3600 IN SOA ns hostmaster 1 7200 3600 1209600 300\n", apex)
		for h := range f.Hosts {
			fmt.Fprintf(&zone, "%s 300 IN A 10.0.0.1 ; cf_tags=cf-proxied:true\n", f.Name(z, h))
		}
		if err := rig.WriteFile(dir, fmt.Sprintf("db.%d", z), []byte(zone.String())); err != nil {
			return err
		}
	}
	return rig.WriteFile(dir, "maps.yaml", []byte(doc.String()))
}

// writeOneAccount writes the map as one YAML document with one account, which cannot be
// read in pieces.
func writeOneAccount(f rig.Fleet, dir string) error {
	var doc strings.Builder
	doc.WriteString("anycast: [192.0.2.1]\naccounts:\n  - id: acme\n    zones:\n")
	for z := range f.Zones {
		var hosts []string
		for h := range f.Hosts {
			label, _, _ := strings.Cut(f.Name(z, h), ".")
			hosts = append(hosts, label)
		}
		apex := strings.TrimSuffix(f.Name(z, 0)[strings.IndexByte(f.Name(z, 0), '.')+1:], ".")
		fmt.Fprintf(&doc, "      - {name: %s, proxied: [%s]}\n", apex, strings.Join(hosts, ", "))
	}
	return rig.WriteFile(dir, "maps.yaml", []byte(doc.String()))
}

// silence is a log that nobody reads.
type silence struct{}

func (silence) Infof(string, ...any)    {}
func (silence) Warningf(string, ...any) {}
func (silence) Errorf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
