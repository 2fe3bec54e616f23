package live

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// maxWarnings is how many warnings of one version are logged.
const maxWarnings = 20

// report logs a load and tells the observer of it. What is wrong with a version is
// logged once, also if it alternates with something else.
func (l *loader) report(b *batch, old *mapset.Snapshot, begin time.Time, result Result) {
	for _, p := range b.settled {
		delete(l.troubles, p)
	}
	refused := false
	for _, p := range b.problems {
		t, parts := l.troubles[p.path], partsOf(p.err)
		if t.version != p.version || p.result == Failed && !slices.Equal(t.said, textsOf(parts)) {
			t = trouble{version: p.version}
		}
		if err := t.say(parts); err != nil {
			l.opt.Log.Errorf("%s: %s", l.refusal(p), err)
			refused = refused || p.result == Refused
		}
		l.troubles[p.path] = t
	}
	if result == Refused && !refused {
		result = Unchanged // It was refused before, and is read again for another file's sake.
	}
	if names := slices.Sorted(maps.Keys(l.troubles)); l.remind && len(names) > 0 {
		what := l.opt.Path
		if l.dir {
			what = fmt.Sprintf("of %s, %s", what, strings.Join(names[:min(len(names), 5)], ", "))
		}
		l.opt.Log.Warningf("%s: still not in force as on disk, as was said before the Corefile was loaded again", what)
	}
	l.remind = false
	l.await()
	now, sum := l.snapshot(), l.sum()
	if result == OK {
		l.logInForce(old, now, sum)
	}
	status := l.keysStatus()
	differs := len(l.troubles)+len(l.absent)+len(l.drains.troubles) > 0
	degraded := differs || l.durable.failing() || status != nil && status.Back != nil
	l.announce(sum, degraded)
	l.tellRecovery(differs)
	changed := l.changed
	l.changed = nil
	if l.opt.Loaded == nil {
		return
	}
	taken, ignored := l.views.drained()
	l.opt.Loaded(Load{
		Result:   result,
		Duration: time.Since(begin),
		InForce:  l.views.lead().Snapshot(),
		Changed:  changed,
		SHA256:   sum,
		Refused:  refused,
		Degraded: degraded,
		Source:   status,

		DrainedAddresses: taken,
		DrainsIgnored:    ignored,
	})
}

// say returns what of the parts was not said before, and notes that it is. A version may
// be refused for more reasons once another document has changed.
func (t *trouble) say(parts []error) error {
	var errs mapfile.Errors
	var others []error
	for _, part := range parts {
		if text := part.Error(); slices.Contains(t.said, text) {
			continue
		} else {
			t.said = append(t.said, text)
		}
		if e, ok := part.(*mapfile.Error); ok {
			errs = append(errs, e)
		} else {
			others = append(others, part)
		}
	}
	return errors.Join(append(others, errs.Err())...)
}

// partsOf returns the single errors of an error about a document.
func partsOf(err error) []error {
	errs, ok := err.(mapfile.Errors)
	if !ok || len(errs) == 0 {
		return []error{err}
	}
	out := make([]error, len(errs))
	for i, e := range errs {
		out[i] = e
	}
	return out
}

func textsOf(errs []error) []string {
	out := make([]string, len(errs))
	for i, err := range errs {
		out[i] = err.Error()
	}
	return out
}

// tellRecovery logs that what is in force is again what is on disk, and for how long it
// was not.
func (l *loader) tellRecovery(differs bool) {
	switch {
	case differs && l.differs.IsZero():
		l.differs = time.Now()
	case !differs && !l.differs.IsZero():
		l.opt.Log.Infof("%s is in force as it is on disk again, after %s", l.opt.Path, time.Since(l.differs).Round(time.Millisecond))
		l.differs = time.Time{}
	}
}

// refusal says what a problem means for what is in force.
func (l *loader) refusal(p problem) string {
	what := "refused"
	if p.result == Failed {
		what = "not loaded"
	}
	if _, known := l.docs[p.path]; known || p.path == l.opt.Path {
		return p.path + " is " + what + ", its last good version stays in force"
	}
	return p.path + " is " + what + ", and nothing of it is in force"
}

func (l *loader) logInForce(old, now *mapset.Snapshot, sum string) {
	sum = sum[:12]
	if old == nil {
		st := now.Stats()
		l.opt.Log.Infof("%s in force, sha256 %s…: %d accounts, %d zones, %d maps, %d names, %d addresses",
			l.opt.Path, sum, st.Accounts, st.Zones, st.AddressMaps, st.ProxiedNames, st.Addresses)
	} else {
		l.opt.Log.Infof("%s in force, sha256 %s…: %s", l.opt.Path, sum, mapset.Diff(old, now))
	}
	known := make(map[string]bool)
	if old != nil {
		for _, w := range old.Warnings() {
			known[w] = true
		}
	}
	logged := 0
	for _, w := range now.Warnings() {
		if known[w] {
			continue
		}
		if logged++; logged > maxWarnings {
			l.opt.Log.Warningf("%s: and more warnings, %d in all", l.opt.Path, len(now.Warnings()))
			return
		}
		l.opt.Log.Warningf("%s", w)
	}
}
