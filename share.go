package addressmap

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/coredns/caddy"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/presence"
)

// share is a map in force, for all directives of a Corefile that name it with the
// same options: it is read, watched and kept once.
type share struct {
	store  *live.Store
	memory *presence.Memory // nil if presence is off
	covers coverages        // of its directives
	close  func() error     // to be called by each of the directives

	mu        sync.Mutex
	notifiers []*notifier
	last      live.Load
}

// shown are the shares of which the metrics tell, by the names of their maps: a
// Corefile that fails to load has set up others, which live on for a while.
var shown sync.Map // :: name → *share

// shares are those of one Corefile.
type shares struct {
	maps     map[string]*share                  // :: what decides what is in force
	states   map[string]string                  // :: state directory → the same
	memories map[time.Duration]*presence.Memory // :: lifetime → its memory
	tallies  map[string]*tally                  // :: path → that of all directives on the map
	stale    func() map[int]time.Duration       // :: server block → see readStale, which is for once
}

// sharesKey finds the shares in the storage of a Corefile.
type sharesKey struct{}

func sharesOf(c *caddy.Controller) *shares {
	s, ok := c.Get(sharesKey{}).(*shares)
	if !ok {
		s = &shares{
			maps:     make(map[string]*share),
			states:   make(map[string]string),
			memories: make(map[time.Duration]*presence.Memory),
			tallies:  make(map[string]*tally),
		}
		s.stale = sync.OnceValue(s.readStale)
		c.Set(sharesKey{}, s)
		pending.Store(s, struct{}{})
	}
	return s
}

// open returns the share that fits the options, which loads the map if it is the
// first of its kind.
func (s *shares) open(o *options) (*share, error) {
	path, err := filepath.Abs(o.path)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%q %q %q %d %s %s %s", path, o.state, o.zoneFiles, o.guard, o.poll, o.presence, o.settings())
	if sh := s.maps[key]; sh != nil {
		return sh, nil
	}
	if o.state != "" {
		state, err := filepath.Abs(o.state)
		if err != nil {
			return nil, err
		}
		if _, used := s.states[state]; used {
			return nil, fmt.Errorf("another addressmap of this Corefile, with another map or other options, keeps its state in %q: give each a directory of its own", state)
		}
		s.states[state] = key
	}
	if s.tallies[path] == nil {
		s.tallies[path] = newTally()
	}
	sh, err := openShare(o, s.memory(o.presence), s.tallies[path])
	if err == nil {
		s.maps[key] = sh
	}
	return sh, err
}

// memory returns the memory of a lifetime, nil for none.
func (s *shares) memory(lifetime time.Duration) *presence.Memory {
	if lifetime == 0 {
		return nil
	}
	m := s.memories[lifetime]
	if m == nil {
		m = presence.New(lifetime)
		s.memories[lifetime] = m
	}
	return m
}

// openShare loads the map. The share closes its memory, also if there is an error.
func openShare(o *options, memory *presence.Memory, t *tally) (*share, error) {
	sh := &share{memory: memory, covers: coverages{tally: t}}
	shown.Store(o.path, sh)
	var err error
	sh.store, err = live.Open(o.live(sh))
	sh.close = sync.OnceValue(func() error {
		shown.CompareAndDelete(o.path, sh)
		if memory != nil {
			memory.Close()
		}
		if sh.store == nil {
			return nil
		}
		return sh.store.Close()
	})
	if err != nil {
		_ = sh.close() // the error that counts is the other one
		return nil, err
	}
	return sh, nil
}

// join makes the directive of a one of those that the share is for.
func (sh *share) join(a *AddressMap) {
	a.current = sh.store.Current
	if sh.memory != nil {
		a.scope.Memory = sh.memory.View()
	}
	sh.mu.Lock()
	sh.notifiers = append(sh.notifiers, a.notifier)
	sh.mu.Unlock()
	// [closeAbandoned] is not called where a server without the directive goes on
	// after a Corefile with it failed to load. Nothing of the share may refer to the
	// handler, or it would never be forgotten.
	runtime.AddCleanup(a, func(close func() error) { _ = close() }, sh.close)
}

// loaded is told of every load of the map.
func (sh *share) loaded(name string, l live.Load) {
	sh.mu.Lock()
	sh.last = l
	sh.mu.Unlock()
	if now, _ := shown.Load(name); now == sh {
		countLoad(name, l)
		show(name, l)
	}
	if sh.memory != nil {
		sh.memory.Forget()
	}
	for _, n := range sh.all() {
		n.notify(l.Changed)
	}
	if sh.covers.check(name) {
		sh.showUnlisted(name)
	}
}

// cover begins to compare the zones of a directive with those of the map, called
// name.
func (sh *share) cover(name string, c *coverage) {
	c.current = sh.store.Current
	sh.covers.add(name, c)
	sh.showUnlisted(name)
}

// showUnlisted makes the metrics tell how many zones the map called name does not know,
// unless they tell of another Corefile.
func (sh *share) showUnlisted(name string) {
	now, _ := shown.Load(name)
	if now, _ := now.(*share); now != nil && now.covers.tally == sh.covers.tally {
		entries.WithLabelValues(name, "unlisted_zones").Set(float64(sh.covers.tally.size()))
	}
}

// goOn makes the metrics tell of the share again, after a Corefile that should have
// followed failed to load.
func (sh *share) goOn(name string) {
	sh.mu.Lock()
	last := sh.last
	sh.mu.Unlock()
	shown.Store(name, sh)
	show(name, last)
	sh.showUnlisted(name)
}

// related returns the zones that answer differently because others do.
func (sh *share) related(changed []fqdn.Name) []fqdn.Name {
	var out []fqdn.Name
	for _, n := range sh.all() {
		out = append(out, n.related(changed)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (sh *share) all() []*notifier {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return slices.Clone(sh.notifiers)
}
