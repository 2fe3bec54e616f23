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
		c.advance(settle + 2*restGrain)
		if !c.f.pending.open {
			c.t.Fatal("not seen to be open")
		}
	},
	"gone": func(c *cell) { c.watch("") },
	"unreadable": func(c *cell) {
		c.watch(before)
		c.w.again(c.f, true, c.clock) // As noted has it.
	},
}

// happenings happen to the file of a cell.
var happenings = map[string]func(c *cell){
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
		if c.f.told.err == absent {
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
	c.w = newWatcher(Options{Log: c.t.Logf}, newEyes(newKernelOf(c.t)))
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
func newKernelOf(t *testing.T) *kernel {
	k := newKernel()
	k.open = func() (*fsnotify.Watcher, error) { return newNotifier(t), nil }
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
	var all []burst
	eventually(c.t, func() bool {
		some, _ := c.w.inbox.take()
		all = append(all, some...)
		return slices.ContainsFunc(all, func(b burst) bool { return b.path == marker && b.gone })
	}, func() string { return "the events do not come" })
	for _, b := range all {
		b.first, b.last = c.clock, c.clock
		c.w.happened(b, c.clock)
	}
	if c.w.dirty {
		c.w.sync(false, c.clock)
	}
}

// advance lets time pass.
func (c *cell) advance(d time.Duration) {
	for end := c.clock.Add(d); c.clock.Before(end); {
		c.clock = c.clock.Add(restGrain)
		c.w.rest(c.clock)
	}
}

// told reports whether the file is told of after some more time.
func (c *cell) told(after time.Duration) bool {
	c.advance(after)
	return c.w.news[c.path]
}

// outcome finds out what the Watcher does after something has happened.
func (c *cell) outcome(what string) string {
	switch {
	case c.told(lookAgain+2*restGrain) && c.f.pending == nil:
		return "tell"
	case c.f.told.err == absent && c.f.look().err == absent && !c.told(time.Minute) && c.f.pending == nil,
		c.f.pending == nil && !c.told(time.Minute):
		return "-"
	case c.f.pending.retry:
		if c.told((firstRetry-lookAgain)/2) || !c.told(firstRetry) {
			return "no retry in time"
		}
		return "retry"
	case what == "left alone" && c.f.pending.open:
		at := c.f.pending.seen.written(c.f.pending.since).Add(patience)
		if c.told(at.Sub(c.clock)-2*restGrain) || !c.told(2*lookAgain) || !c.f.asIs {
			return "not as it is in time"
		}
		return "as it is"
	case c.told(settle / 2):
		return "told too early"
	case c.told(settle / 2):
		return "settle"
	case c.f.pending == nil || !c.f.pending.open:
		return "nothing"
	}
	must(c.t, c.writer.Close())
	if !c.told(lookAgain + restGrain) {
		return "not told after the close"
	}
	return "wait"
}

// The table of the package comment is what is done.
func TestLifeCycle_Table(t *testing.T) {
	t.Parallel()
	head, rows := table(t)
	if len(rows) != len(states) || len(head) != len(happenings)+1 {
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
				happenings[what](c)
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
