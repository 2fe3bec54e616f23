package source

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A cell is one state of a real file, and what happens to it. Its clock is ours: the
// Watcher is locked all the time.
type cell struct {
	t      *testing.T
	dir    string
	path   string
	w      *Watcher
	f      *file
	clock  time.Time
	writer *os.File // that has the file open
}

// states bring the file of a cell into a state.
var states = map[string]func(c *cell){
	"at rest": func(c *cell) { c.watch(before) },
	"settling": func(c *cell) {
		c.watch(before)
		put(c.t, c.path, "some")
		c.hear()
		c.advance(100 * time.Millisecond)
	},
	"open": func(c *cell) {
		c.watch(before)
		c.open(os.O_TRUNC)
		write(c.t, c.writer, half)
		c.hear()
		c.advance(settleDelay + 2*settleInterval)
		if !c.f.pending.open {
			c.t.Fatal("not seen to be open")
		}
	},
	"gone": func(c *cell) { c.watch("") },
	"unreadable": func(c *cell) {
		c.watch(before)
		c.w.scheduleRetry(c.f, true, c.clock) // As noted has it.
	},
}

// changes are made to the file of a cell.
var changes = map[string]func(c *cell){
	"written, open": func(c *cell) {
		c.open(os.O_CREATE)
		write(c.t, c.writer, half)
	},
	"written, closed": func(c *cell) {
		c.open(os.O_CREATE)
		write(c.t, c.writer, after)
		must(c.t, c.writer.Close())
	},
	"closed": func(c *cell) {
		if c.f.reported.err == absent {
			return // Whoever opens it creates it.
		}
		c.open(0)
		must(c.t, c.writer.Close())
	},
	"replaced": func(c *cell) {
		put(c.t, c.path+".tmp", after)
		must(c.t, os.Rename(c.path+".tmp", c.path))
	},
	"removed": func(c *cell) {
		if err := os.Remove(c.path); os.IsNotExist(err) {
			put(c.t, c.path, after)
			must(c.t, os.Remove(c.path))
		}
	},
	"left alone": func(*cell) {},
}

// watch begins to watch the file with that content, which is none if it is empty.
func (c *cell) watch(content string) {
	if content != "" {
		put(c.t, c.path, content)
	}
	c.w = newWatcher(Options{Log: c.t.Logf}, newWatchSet(newNotifierOf(c.t)))
	c.w.Set([]string{c.path})
	c.w.mu.Lock()
	c.t.Cleanup(func() {
		c.w.mu.Unlock()
		c.w.Close()
		if c.writer != nil {
			c.writer.Close()
		}
	})
	c.f, c.clock = c.w.roots[c.path].self, time.Now()
}

// newKernelOf returns notifications that are there, if need be later.
func newNotifierOf(t *testing.T) *notifier {
	k := newNotifier()
	k.open = func() (*fsnotify.Watcher, error) { return newFsnotify(t), nil }
	return k
}

func (c *cell) open(flag int) {
	if c.writer == nil {
		c.writer = openFile(c.t, c.path, flag)
	}
}

// hear has the Watcher take note of all that has happened, as if it were now.
func (c *cell) hear() {
	c.t.Helper()
	marker := c.dir + "/marker"
	put(c.t, marker, "")
	must(c.t, os.Remove(marker))
	var all []pathEvents
	eventually(c.t, func() bool {
		some, _ := c.w.inbox.take()
		all = append(all, some...)
		return slices.ContainsFunc(all, func(b pathEvents) bool { return b.path == marker && b.gone })
	}, func() string { return "the events do not come" })
	for _, b := range all {
		b.first, b.last = c.clock, c.clock
		c.w.handleEvents(b, c.clock)
	}
	if c.w.routesStale {
		c.w.sync(false, c.clock)
	}
}

// advance lets time pass.
func (c *cell) advance(d time.Duration) {
	for end := c.clock.Add(d); c.clock.Before(end); {
		c.clock = c.clock.Add(settleInterval)
		c.w.reportSettled(c.clock)
	}
}

// named reports whether the file is named after some more time.
func (c *cell) named(after time.Duration) bool {
	c.advance(after)
	return c.w.unreported[c.path]
}

// outcome finds out what the Watcher does after something has happened.
func (c *cell) outcome(what string) string {
	switch {
	case c.named(openPoll+2*settleInterval) && c.f.pending == nil:
		return "report"
	case c.f.reported.err == absent && c.f.stat().err == absent && !c.named(time.Minute) && c.f.pending == nil,
		c.f.pending == nil && !c.named(time.Minute):
		return "-"
	case c.f.pending.retry:
		if c.named((firstRetry-openPoll)/2) || !c.named(firstRetry) {
			return "no retry in time"
		}
		return "retry"
	case what == "left alone" && c.f.pending.open:
		at := c.f.pending.stamp.writtenAt(c.f.pending.since).Add(maxWait)
		if c.named(at.Sub(c.clock)-2*settleInterval) || !c.named(2*openPoll) || !c.f.readOpen {
			return "not as it is in time"
		}
		return "as it is"
	case c.named(settleDelay / 2):
		return "reported too early"
	case c.named(settleDelay / 2):
		return "settle"
	case c.f.pending == nil || !c.f.pending.open:
		return "nothing"
	}
	must(c.t, c.writer.Close())
	// A process that another test forks has the file open until it executes its program.
	for deadline := time.Now().Add(time.Minute); isOpen(c.path) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if !c.named(openPoll + settleInterval) {
		return "not reported after the close"
	}
	return "wait"
}

// The table of the package comment is what is done.
func TestLifeCycle_Table(t *testing.T) {
	t.Parallel()
	head, rows := table(t)
	if len(rows) != len(states) || len(head) != len(changes)+1 {
		t.Fatalf("the table has %d rows and columns %q", len(rows), head)
	}
	for _, row := range rows {
		for i, want := range row[1:] {
			state, what := row[0], head[i+1]
			t.Run(state+"/"+what, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				c := &cell{t: t, dir: dir, path: dir + "/map.yaml"}
				states[state](c)
				changes[what](c)
				c.hear()
				if got := c.outcome(what); got != want {
					t.Errorf("the table says %q, done is %q", want, got)
				}
			})
		}
	}
}

// table returns the table of the package comment: its head and its rows.
func table(t *testing.T) (head []string, rows [][]string) {
	t.Helper()
	data, err := os.ReadFile("source.go")
	must(t, err)
	between := regexp.MustCompile(` {2,}`)
	for line := range strings.Lines(string(data)) {
		text, ok := strings.CutPrefix(line, "//\t")
		switch fields := between.Split(strings.TrimSpace(text), -1); {
		case !ok:
		case head == nil:
			head = fields
		default:
			rows = append(rows, fields)
		}
	}
	return head, rows
}
