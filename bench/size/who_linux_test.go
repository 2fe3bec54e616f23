package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/addressmap/addressmap/bench/rig"
)

// BenchmarkWho says what "addressmap who" takes of a map of 1,000,000 names in 100,000
// zones, as a process of its own: CPU time, the most memory ever, and the lines printed.
// With "explain", which loads the map as well, it is seen how much of that is the load.
func BenchmarkWho(b *testing.B) {
	dir := b.TempDir()
	f := rig.Fleet{Zones: 100_000, Hosts: 10}
	if err := rig.WriteFile(dir, yamlMap, f.Document(f.Proxied).YAML()); err != nil {
		b.Fatal(err)
	}
	path, binary := filepath.Join(dir, yamlMap), filepath.Join(dir, "addressmap")
	build := exec.Command("go", "build", "-o", binary, "./cmd/addressmap")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	address, name := f.Edge(1).V4[0].String(), f.Name(1, 0)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"explain", []string{"explain", path, name}},
		{"address", []string{"who", address, path}},
		{"prefix", []string{"who", "0.0.0.0/0", path}},
		{"together", []string{"who", "--together", name, path}},
		{"all", []string{"who", "--all", "0.0.0.0/0", path}},
		{"json", []string{"who", "--format", "json", "0.0.0.0/0", path}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var cpu, peak float64
			lines := 0
			for b.Loop() {
				cmd := exec.Command(binary, c.args...)
				out, err := cmd.Output()
				if err != nil {
					b.Fatal(err)
				}
				usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
				cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
				peak = max(peak, float64(usage.Maxrss)*1024/1e6)
				lines = bytes.Count(out, []byte("\n"))
			}
			b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
			b.ReportMetric(peak, "peak-MB")
			b.ReportMetric(float64(lines), "lines")
		})
	}
}
