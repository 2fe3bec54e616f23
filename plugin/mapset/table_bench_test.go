package mapset

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/fqdn"
)

// storedZone is a zone with its marks in one of the ways that BenchmarkMarks compares.
type storedZone struct {
	zone
	plain  map[string]mark
	sorted []named
}

// BenchmarkMarks looks marks up, of 1,000,000 names in 100,000 zones, in the ways in
// which they could be stored: see [table]. It reports the least time of 1,024 lookups,
// which says the most on a machine that has other things to do, and the memory in use.
func BenchmarkMarks(b *testing.B) {
	const zones, names, batch = 100_000, 10, 1024
	for _, way := range []struct {
		name   string
		store  func(*storedZone, map[string]mark)
		lookup func(*storedZone, string) bool
	}{{
		"table",
		func(z *storedZone, m map[string]mark) { z.apex, z.marks = newTable(z.apex, sortedMarks(m)) },
		func(z *storedZone, owner string) bool { _, ok := z.marks.mark(owner); return ok },
	}, {
		"sorted slice",
		func(z *storedZone, m map[string]mark) { z.sorted = sortedMarks(m) },
		func(z *storedZone, owner string) bool {
			_, ok := slices.BinarySearchFunc(z.sorted, owner, func(e named, o string) int { return cmp.Compare(e.owner, o) })
			return ok
		},
	}, {
		"map",
		func(z *storedZone, m map[string]mark) { z.plain = maps.Clone(m) },
		func(z *storedZone, owner string) bool { _, ok := z.plain[owner]; return ok },
	}} {
		b.Run(way.name, func(b *testing.B) {
			before := heapInUse()
			all := make(map[fqdn.Name]*storedZone)
			for i := range zones {
				z := &storedZone{zone: zone{apex: fqdn.Name(fmt.Sprintf("zone%06d.example.", i))}}
				var text strings.Builder
				for n := range names {
					fmt.Fprintf(&text, "host%02d.", n)
				}
				marks := make(map[string]mark)
				for owner := range strings.SplitAfterSeq(text.String(), ".") {
					marks[owner] = markProxied
				}
				way.store(z, marks)
				all[z.apex] = z
			}
			inUse := heapInUse() - before
			rng := rand.New(rand.NewPCG(1, 2))
			asked := make([]fqdn.Name, 512*batch)
			for i := range asked {
				asked[i] = fqdn.Name(fmt.Sprintf("host%02d.zone%06d.example.", rng.IntN(names), rng.IntN(zones)))
			}
			least, i := time.Duration(math.MaxInt64), 0
			for b.Loop() {
				begin := time.Now()
				for _, n := range asked[i : i+batch] {
					apex, _ := n.Parent()
					if all[n] != nil || !way.lookup(all[apex], relative(n, len(apex))) {
						b.Fatal("no mark: ", n)
					}
				}
				least = min(least, time.Since(begin))
				i = (i + batch) % len(asked)
			}
			b.ReportMetric(float64(least.Nanoseconds())/batch, "ns/lookup")
			b.ReportMetric(float64(inUse)/1e6, "MB")
		})
	}
}

func sortedMarks(m map[string]mark) []named {
	list := make([]named, 0, len(m))
	for _, owner := range slices.Sorted(maps.Keys(m)) {
		list = append(list, named{owner, m[owner]})
	}
	return list
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
