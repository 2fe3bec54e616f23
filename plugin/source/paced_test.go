package source

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// stops returns how often the world was stopped, as it is to change GOMAXPROCS.
func stops() (n uint64) {
	s := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(s)
	for _, count := range s[0].Value.Float64Histogram().Counts {
		n += count
	}
	return n
}

// On one processor, a look at many documents is a load; at few it is not worth it.
func TestSyncPaced_OfMany(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, n := range []int{few, few + 1} {
		dir := t.TempDir()
		for i := range n {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.yaml", i)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		w := New(Options{})
		defer w.Close()
		w.Set([]string{dir})
		w.mu.Lock()
		before := stops()
		w.syncPaced(true, time.Now())
		got := stops() - before
		w.mu.Unlock()
		if many := n > few; (got > 0) != many {
			t.Errorf("%d documents: the number of processors was changed %d times, want that for more than %d alone", n, got, few)
		}
	}
}
