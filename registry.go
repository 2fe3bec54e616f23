package addressmap

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/coredns/caddy"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/presence"
	"github.com/addressmap/addressmap/plugin/source/etcd"
)

// registry holds the maps in force of the process, by the absolute paths that their
// directives write. A map outlives a load of the Corefile: the next one joins what is in
// force, with every protection.
//
// Who holds a map is a matter of one list, caddy's own of instances: an instance is on
// it from before its setup until its servers have stopped, and one that fails to load is
// taken off. So the list is looked at whenever anything is heard of an instance, whatever
// it is that is heard: which callbacks are called, and in which order, hangs on what else
// fails. Only in those callbacks it may be looked at: caddy changes it without a lock. Of
// one that fails beside no other with a directive nothing is heard until it is collected
// as garbage.
type registry struct {
	mu     sync.Mutex
	shares map[string]*share // :: path
}

var inForce = registry{shares: make(map[string]*share)}

func init() {
	caddy.RegisterEventHook(pluginName, func(event caddy.EventName, _ any) error {
		if event == caddy.InstanceStartupEvent {
			inForce.look()
			inForce.settle()
		}
		return nil
	})
}

// look notes which loads of the Corefile are over. It is called by what caddy calls.
func (r *registry) look() {
	loads := listed()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sh := range r.shares {
		for _, m := range sh.all() {
			if _, is := loads[m.corefile]; m.corefile.seen && !is {
				m.corefile.over = true
			}
		}
	}
}

// join makes the directive one of those that hold its map. The first that does so loads
// it; another one gets what is in force as compiled with its own options.
func (r *registry) join(cf *corefile, o *options) (*share, *member, error) {
	path := o.path
	if !fleet.IsMap(path) {
		var err error
		if path, err = filepath.Abs(path); err != nil {
			return nil, nil, err
		}
	}
	r.look()
	r.mu.Lock()
	defer r.mu.Unlock()
	go together(r.drop())
	m := cf.members[path]
	if m == nil {
		m = &member{corefile: cf, rules: o.rules(), place: o.place, memories: make(map[*presence.Memory]struct{})}
	} else if err := m.rules.agree(o.rules(), m.place, o.place); err != nil {
		return nil, nil, err
	}
	sh, err := r.shares[path], error(nil)
	if sh == nil {
		if sh, err = openShare(o); err != nil {
			return nil, nil, err
		}
		r.shares[path] = sh
	}
	view, err := sh.store.View(o.compile, o.settings(), sh.isOlderThan(cf))
	if err != nil {
		go together(r.drop()) // the map may be nobody's
		return nil, nil, err
	}
	sh.add(m, view)
	cf.members[path] = m
	return sh, m, nil
}

// settle looks at who holds the maps now. The oldest that does decides by which rules
// new versions are judged: the Corefile that is being loaded changes nothing until its
// servers have taken over.
func (r *registry) settle() {
	r.mu.Lock()
	ends := r.drop()
	for _, sh := range r.shares {
		sh.govern()
	}
	r.mu.Unlock()
	together(ends)
}

// drop takes out the members that are gone, and the maps that nobody holds. It returns
// what is left to do for their end, which may take its time.
func (r *registry) drop() (ends []func()) {
	for path, sh := range r.shares {
		for _, m := range sh.gone() {
			ends = append(ends, func() { m.leave(sh) })
		}
		if sh.isOver() {
			delete(r.shares, path)
			hide(sh.name)
			ends = append(ends, sh.close)
			if len(r.shares) > 0 {
				log.Infof("%s is in force no more: no addressmap names it, and nothing of it carries over to another path", sh.name)
			}
		}
	}
	return ends
}

// rules are the options in which the directives on one map agree: they are about the
// map, and not about the answers.
type rules struct {
	guard     int
	poll      time.Duration
	state     string
	zoneFiles []string
	drains    string
	etcd      etcd.Options
}

func (o *options) rules() rules {
	return rules{o.guard, o.poll, o.state, o.zoneFiles, o.drains, o.etcd}
}

// agree returns an error that names the first option in which the rules of a directive
// that stands at here differ from r, those of one that stands at there.
func (r rules) agree(other rules, there, here string) error {
	for _, option := range []struct {
		name string
		same bool
	}{
		{"guard", r.guard == other.guard},
		{"reload", r.poll == other.poll},
		{"state", r.state == other.state},
		{"zone_files", slices.Equal(r.zoneFiles, other.zoneFiles)},
		{"drains", r.drains == other.drains},
		{"the connection to etcd", r.etcd.Connection.Equal(other.etcd.Connection)},
		{"announce", r.etcd.Announce == other.etcd.Announce},
		{"stage", r.etcd.Stage == other.etcd.Stage},
	} {
		if !option.same {
			return fmt.Errorf("%s: %s is another than at %s for the same map: a map has one version in force, so write the same for all directives on it", here, option.name, there)
		}
	}
	return nil
}

// corefile is one load of the Corefile.
type corefile struct {
	members map[string]*member // :: path of a map → the directives on it
	// memories are of all maps: each takes room for as many names as a server has.
	memories map[time.Duration]*presence.Memory // :: lifetime → its memory
	stale    func() map[int]time.Duration       // :: server block → see readStale, which is for once
	seen     bool                               // on caddy's list; one that a test makes never is
	over     bool                               // it failed, or its shutdown has begun; guarded by the registry
}

// corefileKey finds the corefile in the storage of an instance.
type corefileKey struct{}

func newCorefile() *corefile {
	return &corefile{members: make(map[string]*member), memories: make(map[time.Duration]*presence.Memory)}
}

// memory returns the memory of a lifetime, nil for none. It is called by setup only.
func (cf *corefile) memory(lifetime time.Duration) *presence.Memory {
	if lifetime == 0 {
		return nil
	}
	if cf.memories[lifetime] == nil {
		cf.memories[lifetime] = presence.New(lifetime)
	}
	return cf.memories[lifetime]
}

func loadOf(c *caddy.Controller) *corefile {
	cf, ok := c.Get(corefileKey{}).(*corefile)
	if !ok {
		cf = newCorefile()
		cf.stale = sync.OnceValue(cf.readStale)
		c.Set(corefileKey{}, cf)
		c.OnShutdown(cf.shutdown)
		c.OnRestartFailed(func() error {
			inForce.look()
			inForce.settle()
			return nil
		})
		only := new(garbage)
		c.Set(garbageKey{}, only)
		runtime.AddCleanup(only, (*corefile).end, cf)
		_, cf.seen = listed()[cf]
	}
	return cf
}

// listed returns the Corefiles of the instances that caddy has on its list, and these.
func listed() map[*corefile]*caddy.Instance {
	out := make(map[*corefile]*caddy.Instance)
	for _, i := range caddy.Instances() {
		i.StorageMu.RLock()
		if cf, ok := i.Storage[corefileKey{}].(*corefile); ok {
			out[cf] = i
		}
		i.StorageMu.RUnlock()
	}
	return out
}

// garbage is what nothing but the instance refers to: it is collected with that.
type garbage struct{ _ *byte }

type garbageKey struct{}

// end ends the load.
func (cf *corefile) end() {
	inForce.mu.Lock()
	cf.over = true
	inForce.mu.Unlock()
	inForce.settle()
}

// remove returns a list without an element.
func remove[T comparable](list []T, gone T) []T {
	return slices.DeleteFunc(list, func(e T) bool { return e == gone })
}
