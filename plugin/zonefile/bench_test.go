package zonefile_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/zonefile"
)

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{3, 100_000} {
		data := export(n)
		b.Run(fmt.Sprintf("owners=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := zonefile.Parse("db.example.com", data, apex); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/owner")
		})
	}
}

// BenchmarkLibrary is the floor: the records without the marks.
func BenchmarkLibrary(b *testing.B) {
	data := export(100_000)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		zp := dns.NewZoneParser(bytes.NewReader(data), string(apex), "")
		for _, ok := zp.Next(); ok; _, ok = zp.Next() {
		}
	}
}

// BenchmarkMemory measures the memory that a zone takes.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	data := export(n)
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		z, err := zonefile.Parse("db.example.com", data, apex)
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/owner")
		runtime.KeepAlive(z)
	}
}
