package property

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// account is an account of the map.
type account struct {
	id        string
	byoipOnly bool
	zones     []*mapZone
	wide      *pool // of the account-wide address map
	named     []namedMap
	apps      []*app
}

// mapZone is a zone of the map.
type mapZone struct {
	apex     string
	account  *account
	ipv6     bool
	all      bool
	file     *zone // marks are read from this zone file
	fallback bool  // proxied_default
	marks    map[string]flags
	pool     *pool // of the zone's address map
}

// namedMap is an address map whose members are names.
type namedMap struct {
	pool    *pool
	members []string
}

// flags is the mark of an owner name.
type flags struct{ proxied, v4Only, v6Only bool }

// pool is the addresses of one step; withdrawn ones are not usable.
type pool struct{ v4, v6, withdrawn []string }

// app is a Spectrum application: static with a pool, or dynamic.
type app struct {
	name     string
	account  *account
	pool     *pool
	families string // of a dynamic one: all, ipv4 or ipv6
}

// makeMap makes up a map over the zones.
func (w *world) makeMap() {
	w.mapZones, w.apps = make(map[string]*mapZone), make(map[string]*app)
	w.general = pool{v4: []string{"192.0.2.1", "192.0.2.2"}, v6: []string{"2001:db8::1"}}
	w.atSite = pool{v4: []string{"192.0.2.65", "192.0.2.66"}}
	w.pools, w.anycast = make(map[string]*pool), w.general
	if w.shape.site {
		w.anycast.v4 = w.atSite.v4
	}
	for i := range 1 + w.IntN(2) {
		a := &account{id: fmt.Sprintf("account%d", i), byoipOnly: w.chance(1, 5)}
		if a.byoipOnly || w.chance(1, 2) {
			a.wide = w.pool(i, 10, a.byoipOnly)
		}
		w.accounts = append(w.accounts, a)
	}
	for i, apex := range w.mapped() {
		a := w.accounts[w.IntN(len(w.accounts))]
		z := &mapZone{apex: apex, account: a, ipv6: w.chance(3, 4), marks: make(map[string]flags)}
		if w.chance(2, 5) {
			z.pool = w.pool(slices.Index(w.accounts, a), 20+10*i, false)
		}
		a.zones = append(a.zones, z)
		w.mapZones[apex] = z
	}
	for _, apex := range w.mapped() {
		w.mark(w.mapZones[apex])
	}
	for range w.IntN(3) {
		w.makeApp()
	}
	for i, a := range w.accounts {
		for n := range w.IntN(3) {
			w.makeNamed(i, a, n)
		}
	}
}

// makeNamed makes up an address map of names: those that are marked, and names that only a
// wildcard answers for, that have an application, or that are not there at all.
func (w *world) makeNamed(i int, a *account, n int) {
	m := namedMap{pool: w.pool(i, 106+4*n, false)}
	both := len(m.pool.v4) > 0 && len(m.pool.v6) > 0
	for _, z := range a.zones {
		names := slices.Collect(maps.Keys(w.apps))
		names = append(names, w.markable(z, w.zoneOf(z.apex))...)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			mark, marked := z.marks[name]
			limited := mark.v4Only || mark.v6Only
			unmarked := strings.HasPrefix(name, "*.") && !marked && !z.all
			if w.mapZone(name) != z || w.pools[name] != nil || limited && !both || unmarked || !w.chance(1, 4) {
				continue
			}
			w.pools[name] = m.pool
			m.members = append(m.members, name)
		}
	}
	if len(m.members) > 0 {
		a.named = append(a.named, m)
	}
}

// mapped returns the zones that the map has: most of the backing' zones, and
// some names in them that are no zones there.
func (w *world) mapped() []string {
	if len(w.mapZones) > 0 {
		return slices.Sorted(maps.Keys(w.mapZones))
	}
	var out []string
	for _, z := range w.zones {
		if w.chance(7, 8) {
			out = append(out, z.apex)
		}
		for _, p := range z.plan {
			if name := parent(p.owner); name != z.apex && z.at[name] == nil && !strings.HasPrefix(p.owner, "*.") && w.chance(1, 8) {
				out = append(out, name) // what was an empty non-terminal
			} else if p.kind == kindCut && w.chance(1, 4) {
				out = append(out, p.owner)
			}
		}
	}
	if len(out) == 0 {
		out = append(out, w.zones[0].apex)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pool makes up the addresses of an address map. Those of an account are in the
// prefixes that print gives it.
func (w *world) pool(account, n int, both bool) *pool {
	p := new(pool)
	for i := range 1 + w.IntN(2) {
		p.v4 = append(p.v4, fmt.Sprintf("203.0.113.%d", account*128+n+i))
	}
	for i := range 1 + w.IntN(2) {
		p.v6 = append(p.v6, fmt.Sprintf("2001:db8:%d::%x", account+1, n+i))
	}
	if both {
		return p
	}
	switch w.IntN(5) {
	case 0:
		p.v4 = nil
	case 1:
		p.v6 = nil
	case 2:
		*p = pool{withdrawn: []string{fmt.Sprintf("198.51.100.%d", account*128+n)}}
	case 3:
		p.withdrawn = []string{fmt.Sprintf("198.51.100.%d", account*128+n)}
	}
	return p
}

// mark makes up which names of a zone of the map are proxied.
func (w *world) mark(z *mapZone) {
	backend := w.zoneOf(z.apex)
	switch w.IntN(4) {
	case 0:
		z.all = true
		return
	case 1:
		if backend != nil && backend.apex == z.apex {
			z.file, z.fallback = backend, w.chance(1, 3)
		}
	}
	for _, name := range w.markable(z, backend) {
		if !w.chance(1, 2) {
			continue
		}
		f := flags{proxied: w.chance(4, 5)}
		if f.proxied && z.file == nil && w.families(z) {
			f.v4Only = w.chance(1, 8)
			f.v6Only = !f.v4Only && w.chance(1, 8)
		}
		if z.file == nil || hasMarkable(backend, name) {
			z.marks[name] = f
		}
	}
}

// families reports whether the zone's names have addresses of both families, so
// that a mark may limit them to one.
func (w *world) families(z *mapZone) bool {
	if z.pool != nil && len(z.pool.withdrawn) > 0 || z.account.wide != nil && len(z.account.wide.withdrawn) > 0 {
		return false
	}
	return len(w.fallback(z, nil, nil, ipv4)) > 0 && len(w.fallback(z, nil, nil, ipv6)) > 0
}

// markable returns names of the zone that a mark could be for: owners, names
// that only a wildcard answers for, and some that are not there at all.
func (w *world) markable(z *mapZone, backend *zone) []string {
	names := []string{w.label() + "." + z.apex}
	if backend == nil {
		return names
	}
	for owner := range backend.at {
		names = append(names, owner)
	}
	slices.Sort(names)
	for _, p := range backend.plan {
		if below, isWild := strings.CutPrefix(p.owner, "*."); isWild && w.chance(1, 2) {
			names = append(names, w.label()+"."+below, "*."+w.label()+"."+below)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return w.mapZone(name) != z })
}

// hasMarkable reports whether a record at owner can bear a cf-proxied mark.
func hasMarkable(z *zone, owner string) bool {
	for _, rr := range z.at[owner] {
		switch rr.Header().Rrtype {
		case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
			return true
		}
	}
	return false
}

// makeApp makes up a Spectrum application.
func (w *world) makeApp() {
	a := w.accounts[w.IntN(len(w.accounts))]
	if len(a.zones) == 0 {
		return
	}
	z := a.zones[w.IntN(len(a.zones))]
	name := w.label() + "." + z.apex
	if names := w.markable(z, w.zoneOf(z.apex)); w.chance(2, 3) {
		name = names[w.IntN(len(names))]
	}
	if strings.Contains(name, "*") || w.apps[name] != nil || w.mapZone(name).account != a {
		return
	}
	app := &app{name: name, account: a, families: "all"}
	if a.byoipOnly || w.chance(1, 2) {
		app.pool = w.pool(slices.Index(w.accounts, a), 100+len(w.apps), false)
	} else {
		app.families = []string{"all", "ipv4", "ipv6"}[w.IntN(3)]
	}
	w.apps[name] = app
	a.apps = append(a.apps, app)
}
