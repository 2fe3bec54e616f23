package source

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// As after a hundred Corefile reloads: nothing is left behind, in whatever state
// the Watcher is closed.
func TestClose_LeavesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts descriptors in /proc")
	}
	dir := t.TempDir()
	put(t, dir+"/maps/a.yaml", before)
	put(t, dir+"/file", before)
	cycle := func(i int) {
		w := New(Options{Poll: 1})
		w.Set([]string{dir + "/maps", dir + "/file"})
		put(t, dir+"/file", before) // An event is on its way, a change pending.
		if i%25 == 0 {
			<-w.Changes() // The next one waits to be taken.
		}
		var closing sync.WaitGroup
		for range 2 {
			closing.Go(func() {
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		w.Set([]string{dir})
		closing.Wait()
		for range w.Changes() { // It is closed.
		}
		w.Set([]string{dir})
	}
	cycle(0)
	before := descriptors(t)
	for i := range 100 {
		cycle(i)
	}
	goleak.VerifyNone(t)
	if after := descriptors(t); after != before {
		t.Errorf("want %d open descriptors as before, got %d", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(fds)
}

// While nobody takes the changes, they are gathered into one.
func TestChanges_Gathered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := New(Options{})
	defer w.Close()
	w.Set([]string{dir})
	const n = 50
	name := func(i int) string { return filepath.Join(dir, string(rune('a'+i/26))+string(rune('a'+i%26))+".yaml") }
	for i := range n {
		put(t, dir+"/tmp", before)
		must(t, os.Rename(dir+"/tmp", name(i)))
	}
	eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.unreported) == n
	}, func() string { return "not all documents were noticed" })
	// One may have been put together before the last were noticed: the sender
	// takes the new one up before it waits again.
	c := <-w.Changes()
	for len(c.Paths) < n {
		more := <-w.Changes()
		c.Paths = append(c.Paths, more.Paths...)
	}
	for i := range n {
		if c.Paths[i] != name(i) {
			t.Fatalf("want %s, got %s", name(i), c.Paths[i])
		}
	}
}
