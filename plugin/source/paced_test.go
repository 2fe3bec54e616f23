package source

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// On one processor, a look at many documents is a load; at few it is not worth it.
func TestSyncPaced_OfMany(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for docs, load := range map[int]bool{few: false, few + 1: true} {
		dir := t.TempDir()
		for i := range docs {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.yaml", i)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		said, processors := false, 0
		w := New(Options{Log: func(string, ...any) { said, processors = true, runtime.GOMAXPROCS(0) }})
		defer w.Close()
		w.Set([]string{dir})
		w.mu.Lock()
		w.blind = !w.blind // so that there is something to say
		w.syncPaced(true, time.Now())
		w.mu.Unlock()
		if !said || (processors > 1) != load {
			t.Errorf("%d documents: said something: %t, with %d processors; want more than one: %t", docs, said, processors, load)
		}
	}
}
