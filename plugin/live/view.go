package live

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// Current is what is in force. It is apart from the [View], so that all that queries
// read of ten thousand of them is in as little memory as it can be.
type Current struct {
	snapshot atomic.Pointer[mapset.Snapshot]
}

// Snapshot returns what is in force. A query takes it once.
func (c *Current) Snapshot() *mapset.Snapshot { return c.snapshot.Load() }

// View is the documents in force as compiled with the options of some directives. All
// views of a store change at one stroke each, and come from the same documents.
type View struct {
	*Current
	compile  mapset.Options
	drained  *mapset.Snapshot // the snapshot of set, drained; nil to be made anew
	settings string           // what else decides what a transfer holds, and compile
	set      *mapset.Set      // what is in force, to build on; nil before anything is
	users    int
}

// views are those of a store, the oldest first. There is always one.
type views []*View

// lead returns the view that stands for all of them, where they are alike.
func (v views) lead() *View { return v[0] }

// sets is one set for each view.
type sets []*mapset.Set

// lead returns the set of the view that stands for all.
func (s sets) lead() *mapset.Set { return s[0] }

// serials returns the counters of all views, the higher one where they differ.
func (v views) serials() counters {
	out := make(counters)
	for _, view := range v {
		if view.set == nil {
			continue
		}
		for z, n := range view.set.Snapshot().Serials() {
			out[z] = max(out[z], n)
		}
	}
	return out
}

// settings returns those of all views, each once and in order.
func (v views) settings() []string {
	var out []string
	for _, view := range v {
		out = append(out, view.settings)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// View returns what is in force as compiled with these options. settings is what else
// of the configuration decides what a transfer holds, and says the same if the options
// do. The error holds all that is wrong with the documents in force under the options.
// later says that the map was answered with before, so that settings which are new are
// a change to secondaries. A view is kept in force until it has been released as often as
// it was asked for.
func (s *Store) View(compile mapset.Options, settings string, later bool) (*View, error) {
	l := s.loader
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.views {
		if v.settings == settings {
			v.users++
			return v, nil
		}
	}
	set, errs := l.compileFor(compile, later)
	if len(errs) > 0 {
		return nil, fmt.Errorf("the map in force is refused with the options of this directive:\n%w", errs.Err())
	}
	v := &View{Current: new(Current), compile: compile, settings: settings, set: set, users: 1}
	counters := l.views.serials()
	if later || l.counted != nil && !slices.Contains(l.saved, settings) {
		counters.count(set.Snapshot()) // other addresses or TTLs than those that secondaries have
	}
	set.Snapshot().Resume(counters)
	l.publishTo(v)
	l.views = append(l.views, v)
	failed := l.durable.failing()
	l.persist()
	if l.durable.failing() != failed {
		l.report(&batch{}, l.snapshot(), time.Now(), NoLoad)
	}
	return v, nil
}

// Release ends one use of a view.
func (s *Store) Release(v *View) {
	l := s.loader
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.users--; v.users > 0 || len(l.views) == 1 {
		return
	}
	l.views = slices.DeleteFunc(l.views, func(other *View) bool { return other == v })
	s.reconsider() // what no other view refuses may come into force
}

// put brings one set for each view into force.
func (l *loader) put(next sets) {
	for i, v := range l.views {
		if v.Snapshot() == nil {
			l.counted.goOn(next[i].Snapshot())
		}
		v.set = next[i]
	}
	l.bring(nil)
}

// bring brings the sets of all views into force, by the drains of now. begun are those of
// them that have just begun.
func (l *loader) bring(begun []drain.Drain) {
	changed := make(fqdn.Set)
	for _, v := range l.views {
		if v.set == nil {
			continue
		}
		v.drained = l.drain(v)
		for _, z := range v.drained.Follow(v.Snapshot(), l.opt.Related) {
			changed[z] = struct{}{}
		}
		v.set.Snapshot().CountAs(v.drained)
	}
	l.changed = append(l.changed, slices.Sorted(maps.Keys(changed))...)
	// Kept first: what clients have seen, a crash must not take back.
	l.persist()
	l.publish()
	l.tellIgnored(begun)
}
