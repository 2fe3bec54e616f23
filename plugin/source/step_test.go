package source

import (
	"slices"
	"testing"
	"time"
)

// What is noticed between the offer of a change and its being taken is not lost.
func TestChanges_NoticedWhileOffered(t *testing.T) {
	t.Parallel()
	w := newWatcher(Options{}, closedWatchSet())
	defer w.Close()
	news := func(path string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.unreported[path] = true
		w.change = nil
	}
	news("a")
	w.inbox.markOverflowed() // Wakes it up.
	eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.change != nil
	}, func() string { return "nothing offered" })
	news("b") // As a Set does, which wakes it up only later.
	var got []string
	for deadline := time.After(patienceOfTests); !slices.Contains(got, "b"); {
		select {
		case c := <-w.Changes():
			got = append(got, c.Paths...)
		case <-deadline:
			t.Fatalf("want a and b reported, got %q", got)
		}
	}
	if got[0] != "a" {
		t.Errorf("want a reported first, got %q", got)
	}
}

// A file that is written for long is said to be, once.
func TestLifeCycle_EndlessWriterIsSaid(t *testing.T) {
	var d diary
	dir := t.TempDir()
	put(t, dir+"/busy", before)
	w := newWatcher(Options{Log: d.log}, newWatchSet(shared))
	w.Set([]string{dir + "/busy"})
	w.Close() // From here on, its clock is ours.
	f, start := w.roots[dir+"/busy"].self, time.Now()
	for i := range 150 {
		now := start.Add(time.Duration(i) * 100 * time.Millisecond)
		f.applyEvents(pathEvents{first: now, last: now, wrote: true}, f.stat(), now)
		w.schedule(f, now)
		w.reportSettled(now)
		if f.pending == nil {
			t.Fatalf("reported after %s of writing", now.Sub(start))
		}
	}
	d.want(t, "has been written for 10s without a pause of 500ms", 1)
}
