package fault

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// lines gathers the log of all worlds, entry by entry: what is written at once is one, with
// the indented lines of the same error after it. It is safe for concurrent use.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	const mark = " plugin/addressmap: "
	if _, line, _ := strings.Cut(string(p), mark); strings.HasPrefix(line, "  ") {
		for i := len(l.all) - 1; i >= 0; i-- {
			if strings.Contains(l.all[i], mark) { // Its lines come one after the other.
				l.all[i] += strings.TrimPrefix(line, "  ")
				return len(p), nil
			}
		}
	}
	l.all = append(l.all, string(p))
	return len(p), nil
}

// entries returns those about what lies below root.
func (l *lines) entries(root string) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.all {
		if strings.Contains(e, root+"/") {
			out = append(out, e)
		}
	}
	return out
}

// forget drops the entries about what lies below root.
func (l *lines) forget(root string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = slices.DeleteFunc(l.all, func(e string) bool { return strings.Contains(e, root+"/") })
}

// forgetMetrics drops those of a map that is in force no more, for a long run not to get
// slower.
func forgetMetrics(path string) {
	for _, f := range gathered.after(time.Now()) {
		if !strings.HasPrefix(f.GetName(), "coredns_addressmap_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		// Prometheus gives a vector only to who registers one like it.
		var there prometheus.AlreadyRegisteredError
		err := prometheus.Register(prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: f.GetName(), Help: f.GetHelp()}, labels))
		if !errors.As(err, &there) {
			continue // no vector, and gone with its map
		}
		if vec, ok := there.ExistingCollector.(interface {
			DeletePartialMatch(prometheus.Labels) int
		}); ok {
			vec.DeletePartialMatch(prometheus.Labels{"map": path})
		}
	}
}

// tally is what was counted on the way.
type tally struct {
	faults     map[string]int // :: kind → how many were made
	complaints int            // that must have been logged
	exact      bool           // and no others: nothing happened that makes it hard to tell
	reloads    int            // of the Corefile, that worked
	changes    int            // after which something else was in force
	heldUp     int
	starts     int           // anew, that worked
	refused    int           // starts that failed, as they had to
	closed     int           // documents that a start closed
	slowest    time.Duration // to wait for
}

// complaint is that a document is not in force, and a part of the reason.
type complaint struct{ path, why string }

// isIn reports whether text says it.
func (c complaint) isIn(text string) bool {
	return slices.ContainsFunc(strings.Split(c.why, "|"), func(why string) bool { return strings.Contains(text, why) })
}

// complaintRE matches the line that says so.
var complaintRE = regexp.MustCompile(`plugin/addressmap: (\S+) is (?:refused|not loaded), (?:its last good version stays|and nothing of it is) in force: `)

// complaintsIn returns those of a log.
func complaintsIn(entries []string) (out []complaint) {
	for _, e := range entries {
		if m := complaintRE.FindStringSubmatchIndex(e); m != nil {
			out = append(out, complaint{e[m[2]:m[3]], e[m[1]:]})
		}
	}
	return out
}

// mark notes that what must be said from now on was not said before.
func (w *world) mark() {
	w.due, w.read = nil, len(w.log.entries(w.disk.root))
}

// saidAll returns an error if something that must be said since the mark was not.
func (w *world) saidAll() error {
	said := complaintsIn(w.log.entries(w.disk.root)[w.read:])
	for _, due := range w.due {
		if !slices.ContainsFunc(said, func(c complaint) bool { return c.path == due.path && due.isIn(c.why) }) {
			return fmt.Errorf("want %q of %s, got %q", due.why, due.path, said)
		}
	}
	return nil
}

// saidNoMore returns an error if more was said than had to.
func (w *world) saidNoMore() error {
	entries := w.log.entries(w.disk.root)
	said := complaintsIn(entries)
	loaded := 0
	last := ""
	for _, e := range entries {
		if _, sum, ok := strings.Cut(e, w.path()+" in force, sha256 "); ok {
			loaded++
			last, _, _ = strings.Cut(sum, "…")
		}
	}
	if err := w.repeated(said); err != nil {
		return err
	}
	switch n := int(w.loads("ok")); {
	case w.tally.exact && len(said) != w.tally.complaints:
		return fmt.Errorf("want %d complaints, got %d: %q", w.tally.complaints, len(said), said)
	case w.tally.exact && n != loaded:
		return fmt.Errorf("%d loads count as ok, and %d are logged", n, loaded)
	case loaded < 1 || w.tally.exact && !w.restored && !strings.HasPrefix(w.digest(), last):
		return fmt.Errorf("last in force by the log is %s, by the model %s", last, w.digest())
	}
	return nil
}

// repeated returns an error if the same was said of a document more often than
// there were versions to say it of.
func (w *world) repeated(said []complaint) error {
	times := make(map[complaint]int)
	for _, c := range said {
		if times[c]++; times[c] > w.versions[c.path] {
			return fmt.Errorf("said %d times, of %d versions: %s: %s", times[c], w.versions[c.path], c.path, c.why)
		}
	}
	return nil
}

// gather returns our metrics of one map: the name and the other label, if any.
func gather(path string) map[string]float64 {
	out := make(map[string]float64)
	for _, f := range gathered.after(time.Now()) {
		name, ours := strings.CutPrefix(f.GetName(), "coredns_addressmap_")
		if !ours {
			continue
		}
		for _, m := range f.GetMetric() {
			key, mine := name, false
			for _, l := range m.GetLabel() {
				if l.GetName() == "map" {
					mine = l.GetValue() == path
				} else {
					key += " " + l.GetValue()
				}
			}
			if mine {
				out[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return out
}

// gathering is the metrics as they were last gathered. To gather those of all worlds
// takes most of the time of the harness if each world does so for itself.
type gathering struct {
	mu       sync.Mutex
	begun    time.Time
	families []*dto.MetricFamily
}

var gathered gathering

// after returns metrics that were gathered no earlier than asked.
func (g *gathering) after(asked time.Time) []*dto.MetricFamily {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.begun.Before(asked) {
		begun := time.Now()
		families, err := prometheus.DefaultGatherer.Gather()
		mustDisk(err)
		g.begun, g.families = begun, families
	}
	return g.families
}
