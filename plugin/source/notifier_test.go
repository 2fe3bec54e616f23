package source

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// pathsOf returns the paths under which an inbox listens.
func (n *notifier) pathsOf(in *inbox) []string {
	n.table.Lock()
	defer n.table.Unlock()
	var paths []string
	for _, w := range n.paths {
		for l := range w.listeners {
			if l.inbox == in {
				paths = append(paths, l.path)
			}
		}
	}
	return paths
}

// However many Watchers there are, the kernel's notifications are opened once: a
// user has 128 of them as a rule.
func TestKernel_OneForAll(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts descriptors in /proc")
	}
	const n = 200
	dir := t.TempDir()
	var d diary
	var readers []*reader
	path := func(i int) string { return filepath.Join(dir, fmt.Sprint(i), "map.yaml") }
	for i := range n {
		put(t, path(i), before)
		readers = append(readers, readFrom(t, newWatcher(Options{Log: d.log}, newWatchSet(shared)), path(i)))
	}
	if got := queues(t); got != 1 {
		t.Errorf("%d watchers have %d queues of notifications open, want 1", n, got)
	}
	for i, r := range readers {
		put(t, path(i), after)
		r.onlyEver(path(i), before, after)
	}
	for i, r := range readers {
		r.wait(path(i), after)
		r.only(path(i))
	}
	d.want(t, "", 0)
}

// queues counts the inotify instances that this process has open.
func queues(t *testing.T) int {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	must(t, err)
	n := 0
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && strings.Contains(to, "inotify") {
			n++
		}
	}
	return n
}

// Watchers of the same directory do not take each other's watches away: neither by
// leaving, nor by placing one anew where the directory was replaced.
func TestKernel_SameDirectory(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	path := base + "/maps/map.yaml"
	put(t, path, before)
	var readers []*reader
	for range 5 {
		r := observe(t, mode{watches: func() *watchSet { return newWatchSet(shared) }}, path)
		r.onlyEver(path, before, after)
		readers = append(readers, r)
	}
	all := func(want string) {
		t.Helper()
		for _, r := range readers {
			r.wait(path, want)
		}
	}
	for i := range 3 {
		leaves := readers[0]
		must(t, leaves.w.Close())
		readers = append(readers[1:], observe(t, mode{watches: func() *watchSet { return newWatchSet(shared) }}, path))
		put(t, path, after)
		all(after)

		old, next := fmt.Sprintf("%s/old%d", base, i), base+"/next"
		put(t, next+"/map.yaml", before)
		must(t, os.Rename(base+"/maps", old))
		must(t, os.Rename(next, base+"/maps"))
		all(before)
		put(t, path, after)
		all(after)
		put(t, old+"/map.yaml", "of nobody")
		put(t, path, before)
		all(before)
	}
}
