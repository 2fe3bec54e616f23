package addressmap

import (
	"maps"
	"slices"
	"sync"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/presence"
)

// share is a map in force, for all directives that name it: it is read, watched and kept
// once.
type share struct {
	name   string // of the map, in metrics and log lines
	store  *live.Store
	covers coverages // of its directives

	mu      sync.Mutex // never held while the store is called, which calls back
	members []*member  // the oldest first
	ruling  *member    // by whose rules versions are judged
	over    bool       // nobody holds it any more
}

// member is the directives of one load of the Corefile on one map.
type member struct {
	corefile  *corefile
	rules     rules
	place     string // in the Corefile, of the first directive
	views     []*live.View
	notifiers []*notifier
	covered   []*coverage
	memories  map[*presence.Memory]struct{} // that its directives use
}

// openShare loads the map.
func openShare(o *options) (*share, error) {
	sh := &share{name: o.path}
	var err error
	sh.store, err = live.Open(o.live(sh))
	if err != nil {
		return nil, err
	}
	if o.state == "" {
		log.Infof("%s is kept in memory only: a restart forgets its last good version, what is protected and the serials; write state DIR to keep them", o.path)
	}
	return sh, nil
}

// add makes m a member, if it is none, with one more view.
func (sh *share) add(m *member, view *live.View) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if len(m.views) == 0 {
		sh.members = append(sh.members, m)
	}
	if sh.ruling == nil {
		sh.ruling = m
	}
	m.views = append(m.views, view)
}

// isOlderThan reports whether the map is in force since before this load of the Corefile.
func (sh *share) isOlderThan(cf *corefile) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return slices.ContainsFunc(sh.members, func(m *member) bool { return m.corefile != cf })
}

// use lets a directive answer with its view, the one that was added last.
func (sh *share) use(m *member, a *AddressMap) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a.current = m.views[len(m.views)-1].Current
	if a.memory = m.corefile.memory(a.opt.presence); a.memory != nil {
		m.memories[a.memory] = struct{}{}
	}
	m.notifiers = append(m.notifiers, a.notifier)
}

// gone takes out the members whose load is over, and returns them.
func (sh *share) gone() []*member {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var out []*member
	for _, m := range slices.Clone(sh.members) {
		if m.corefile.over {
			sh.members = remove(sh.members, m)
			out = append(out, m)
		}
	}
	return out
}

// leave ends what the member holds of the map.
func (m *member) leave(sh *share) {
	var ends []func()
	for _, n := range m.notifiers {
		ends = append(ends, n.close)
	}
	defer together(ends)
	for _, c := range m.covered {
		sh.covers.remove(c)
	}
	sh.showUnlisted()
	for _, v := range m.views {
		sh.store.Release(v)
	}
	for memory := range m.memories {
		memory.Close() // which another member of the Corefile may do as well: it has gone too
	}
}

// isOver reports whether the map has no members, and then ends it: nothing is told of it
// any more.
func (sh *share) isOver() bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.over = len(sh.members) == 0
	return sh.over
}

// close ends the watching of a map that nobody holds.
func (sh *share) close() {
	if err := sh.store.Close(); err != nil {
		log.Errorf("closing %s: %v", sh.name, err)
	}
}

// govern has versions judged by the rules of the oldest member, and what was refused by
// those of another judged anew.
func (sh *share) govern() {
	sh.mu.Lock()
	oldest := sh.members[0]
	same := sh.ruling == oldest
	sh.ruling = oldest
	sh.mu.Unlock()
	if !same {
		r := oldest.rules
		sh.store.Govern(live.Rules{Poll: r.poll, Guard: r.guard, ZoneFiles: r.zoneFiles, Drains: r.drains, State: r.state, Etcd: r.etcd})
	}
}

// loaded is told of every load of the map.
func (sh *share) loaded(l live.Load) {
	if sh.isEnded() {
		return
	}
	show(sh.name, l)
	countLoad(sh.name, l) // last: who sees it counted sees what is in force, too
	for _, m := range sh.all() {
		for memory := range m.memories {
			if l.Result != live.NoLoad { // Of what a backend has, drains change nothing.
				memory.Forget()
			}
		}
		for _, n := range m.notifiers {
			n.notify(l.Changed)
		}
	}
	if sh.covers.check(sh.name) {
		sh.showUnlisted()
	}
}

func (sh *share) isEnded() bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.over
}

// cover begins to compare the zones of a directive with those of the map.
func (sh *share) cover(m *member, c *coverage) {
	sh.mu.Lock()
	m.covered = append(m.covered, c)
	sh.mu.Unlock()
	sh.covers.add(sh.name, c)
	sh.showUnlisted()
}

// showUnlisted makes the metrics tell how many zones the map does not know.
func (sh *share) showUnlisted() {
	if sh.isEnded() {
		return
	}
	entries.WithLabelValues(sh.name, "unlisted_zones").Set(float64(sh.covers.size()))
}

// related returns the zones that answer differently because others do.
func (sh *share) related(changed []fqdn.Name) []fqdn.Name {
	var out []fqdn.Name
	for _, m := range sh.all() {
		for _, n := range m.notifiers {
			out = append(out, n.related(changed)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// all returns the members as they are now.
func (sh *share) all() []member {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	out := make([]member, len(sh.members))
	for i, m := range sh.members {
		out[i] = *m
		out[i].memories = maps.Clone(m.memories) // a directive may be added
	}
	return out
}
