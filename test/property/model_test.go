package property

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// The model says what the map means, and what a backend holds at a name, in the
// slow and obvious way.

const (
	ipv4 = mapset.IPv4
	ipv6 = mapset.IPv6
)

// zoneOf returns the zone that answers for a name, or nil.
func (w *world) zoneOf(name string) *zone {
	var out *zone
	for _, z := range w.zones {
		if dns.IsSubDomain(z.apex, name) && (out == nil || len(z.apex) > len(out.apex)) {
			out = z
		}
	}
	return out
}

// mapZone returns the zone of the map that decides for a name, or nil.
func (w *world) mapZone(name string) *mapZone {
	var out *mapZone
	for apex, z := range w.mapZones {
		if dns.IsSubDomain(apex, name) && (out == nil || len(apex) > len(out.apex)) {
			out = z
		}
	}
	return out
}

// cutAbove returns the highest zone cut at or above a name, or "".
func (z *zone) cutAbove(name string) string {
	cut := ""
	for n := name; n != z.apex && dns.IsSubDomain(z.apex, n); n = parent(n) {
		if z.has(n, dns.TypeNS) {
			cut = n
		}
	}
	return cut
}

func (z *zone) has(owner string, types ...uint16) bool {
	return slices.ContainsFunc(z.at[owner], func(rr dns.RR) bool { return slices.Contains(types, rr.Header().Rrtype) })
}

// redirected returns the DNAME above a name, or nil.
func (z *zone) redirected(name string) *dns.DNAME {
	for n := name; n != z.apex; {
		n = parent(n)
		for _, rr := range z.at[n] {
			if d, ok := rr.(*dns.DNAME); ok {
				return d
			}
		}
	}
	return nil
}

// source returns the owner that the zone answers for a name from: the name, a
// wildcard (RFC 4592), or "". A lax backend answers for an empty non-terminal from
// a wildcard beside it, which section 2.2.2 there has not.
func (z *zone) source(name string) string {
	if z.at[name] != nil || z.exists[name] && !z.lax {
		return name
	}
	encloser := parent(name)
	for !z.exists[encloser] {
		encloser = parent(encloser)
	}
	if wild := "*." + encloser; z.at[wild] != nil {
		return wild
	}
	return ""
}

// flags returns what the map says of a name, and the zone that says so.
func (w *world) flags(name string) (flags, *mapZone) {
	f, m, _ := w.decide(name)
	return f, m
}

// decide is flags, and returns the wildcard whose mark decides, or "". In a zone that is
// proxied throughout, a wildcard that is a member of an address map is marked by that.
func (w *world) decide(name string) (f flags, m *mapZone, wildcard string) {
	if app := w.apps[name]; app != nil {
		return flags{proxied: true}, w.mapZone(name), ""
	}
	m = w.mapZone(name)
	if m == nil {
		return flags{}, nil, ""
	}
	if f, ok := m.marks[name]; ok {
		return f, m, ""
	}
	rest := flags{proxied: m.all || m.file != nil && m.fallback}
	if w.backing.tells {
		if z := w.zoneOf(name); z != nil && z.cutAbove(name) == "" && z.at[name] == nil {
			source := z.source(name)
			if f, ok := m.marks[source]; ok {
				return f, m, source
			}
			// A wildcard of a zone of the map further up decides, if it is proxied.
			if above := w.mapZone(source); above != nil && above != m && strings.HasPrefix(source, "*.") && len(above.apex) < len(m.apex) {
				f, ok := above.marks[name]
				wildcard := ""
				if !ok {
					f, ok = above.marks[source]
					wildcard = source
				}
				if !ok {
					f = flags{proxied: above.all || above.file != nil && above.fallback}
				}
				if f.proxied {
					return f, above, wildcard
				}
			}
			if m.all && w.mapZone(source) == m {
				return rest, m, source
			}
		}
		return rest, m, ""
	}
	if m.file != nil && m.file.at[name] != nil {
		return rest, m, "" // its zone file tells that it exists by itself
	}
	for n := name; n != m.apex; {
		n = parent(n)
		if f, ok := m.marks["*."+n]; ok {
			return f, m, "*." + n
		}
		if m.file != nil && m.file.at["*."+n] != nil {
			break
		}
		if m.all && w.pools["*."+n] != nil {
			return rest, m, "*." + n
		}
	}
	return rest, m, ""
}

// namePool returns the addresses of the map with a name as a member, or with the wildcard
// that decides for it. One without usable addresses counts as disabled.
func (w *world) namePool(name string, m *mapZone, wildcard string) *pool {
	if p := w.pools[name]; p != nil && w.mapZone(name) == m && len(p.v4)+len(p.v6) > 0 {
		return p
	}
	return w.pools[wildcard]
}

// covered reports whether a zone of the map further up may have a name proxied that
// its own zone has not, if the backend does not tell: then what is answered hangs on
// what the backend says of the zones and wildcards in between.
func (w *world) covered(name string) bool {
	m := w.mapZone(name)
	if w.backing.tells || m == nil {
		return false
	}
	for apex, z := range w.mapZones {
		if apex == m.apex || !dns.IsSubDomain(apex, m.apex) {
			continue
		}
		if z.all || z.file != nil && z.fallback {
			return true
		}
		for owner, f := range z.marks {
			if f.proxied && (owner == name || strings.HasPrefix(owner, "*.")) {
				return true
			}
		}
	}
	return false
}

// proxied reports whether a name is proxied and an addressmap acts for it.
func (w *world) proxied(name string) bool {
	f, _ := w.flags(name)
	return f.proxied && w.acting(name)
}

// addressesOf returns what a proxied name is answered with.
func (w *world) addressesOf(name string, f mapset.Family) []string {
	mark, m, wildcard := w.decide(name)
	app := w.apps[name]
	switch {
	case f == ipv4 && mark.v6Only, f == ipv6 && mark.v4Only:
		return nil
	case app != nil && !app.connects(f):
		return nil
	case f == ipv6 && !m.ipv6 && app == nil && !w.holds(name, dns.TypeAAAA):
		return nil
	}
	return w.fallback(m, w.namePool(name, m, wildcard), app, f)
}

// fallback returns the usable addresses of the step that answers for names of a
// zone of the map, for one with an address map of its own, or for an application in it.
func (w *world) fallback(m *mapZone, named *pool, app *app, f mapset.Family) []string {
	var steps []*pool
	if app != nil {
		steps = append(steps, app.addresses(&w.anycast))
	}
	steps = append(steps, named, m.pool, m.account.wide)
	if !m.account.byoipOnly {
		steps = append(steps, &w.anycast)
	}
	for _, p := range steps {
		if p == nil || len(p.v4)+len(p.v6) == 0 {
			continue
		}
		if addrs := p.of(f); len(addrs) > 0 || !w.shape.perFamily {
			return addrs
		}
	}
	return nil
}

func (a *app) addresses(anycast *pool) *pool {
	if a.pool != nil {
		return a.pool
	}
	out := new(pool)
	if a.connects(ipv4) {
		out.v4 = anycast.v4
	}
	if a.connects(ipv6) {
		out.v6 = anycast.v6
	}
	return out
}

// connects reports whether an application is there for a family. A dynamic one may be
// limited to the other.
func (a *app) connects(f mapset.Family) bool {
	return a.pool != nil || a.families == "all" || (a.families == "ipv4") == (f == ipv4)
}

func (p *pool) of(f mapset.Family) []string {
	if f == ipv4 {
		return p.v4
	}
	return p.v6
}

// holds reports whether the backend has such a record for a name.
func (w *world) holds(name string, types ...uint16) bool {
	z := w.zoneOf(name)
	return z != nil && z.cutAbove(name) == "" && z.redirected(name) == nil && z.has(z.source(name), types...)
}

// hidden reports whether a name leads to a proxied one by aliases, or is one.
// Its addresses are then those of the map.
func (w *world) hidden(name string) bool {
	for range 20 {
		if w.proxied(name) {
			return true
		}
		target, ok := w.aliasOf(name)
		if !ok {
			return false
		}
		name = target
	}
	return false
}

// hidesHints reports whether the hints of a record at owner are those of a
// proxied name: its target is one, or the aliases lead there of which the server
// block of the record knows.
func (w *world) hidesHints(owner, target string) bool {
	home := w.block(owner)
	if home < 0 || len(w.shape.acting[home]) == 0 {
		return false // nobody is there to hide them
	}
	for range 8 {
		if w.proxied(target) {
			return true
		}
		f, _ := w.flags(target)
		next, ok := w.aliasOf(target)
		if f.proxied || !ok || w.block(target) != home {
			break
		}
		target = next
	}
	return false
}

// aliasOf returns where the backend's CNAME or DNAME leads from a name.
func (w *world) aliasOf(name string) (string, bool) {
	if z := w.zoneOf(name); z != nil && z.cutAbove(name) == "" {
		return z.aliasOf(name)
	}
	return "", false
}

// maxName is how long a name may be.
const maxName = 255

// aliasOf returns what a name is an alias of. It is none if that is too long.
func (z *zone) aliasOf(name string) (string, bool) {
	if d := z.redirected(name); d != nil {
		prefix := strings.TrimSuffix(name, dns.CanonicalName(d.Hdr.Name))
		target := prefix + strings.TrimPrefix(dns.CanonicalName(d.Target), ".")
		return target, len(target) <= maxName // RFC 6672, section 2.2: what is longer is an error
	}
	for _, rr := range z.at[z.source(name)] {
		if c, ok := rr.(*dns.CNAME); ok {
			return dns.CanonicalName(c.Target), true
		}
	}
	return "", false
}
