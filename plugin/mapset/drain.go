package mapset

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// Drains is what is drained at one moment: addresses that are not answered although the
// map has them. The zero Drains drains nothing.
type Drains struct {
	Prefixes []netip.Prefix // every address in them; one address is a prefix by itself
	Maps     []string       // written ids of address maps: every address of them, on whichever map it is answered
	Sites    []string       // a server of one of these answers with the general anycast in place of the site's
	// Next (drain_last next): a family of which a drain leaves the step that answers no
	// address falls back by itself. Otherwise, and where no later step has an address of
	// the family, the drain is ignored for that step and family.
	Next bool
}

// DrainsOf returns what entries of files drain together.
func DrainsOf(entries []drain.Drain, next bool) Drains {
	out := Drains{Next: next}
	for _, e := range entries {
		out.Prefixes = append(out.Prefixes, e.Addresses...)
		if e.Map != "" {
			out.Maps = append(out.Maps, e.Map)
		}
		if e.Site != "" {
			out.Sites = append(out.Sites, e.Site)
		}
	}
	return out
}

// Drain returns the snapshot as it answers while d is in force. It changes nothing of s,
// and shares with it whatever no drain touches. Rules are judged, reloads protected and
// the next version built on s, which knows of no drain; s is not a drained one itself.
//
// Drains take addresses away from the step that answers, and may make that step another
// one, for each family by itself: draining addresses of one family changes no answer of
// the other.
func (s *Snapshot) Drain(d Drains) *Snapshot {
	dr := newDrainer(s, d)
	var touched []*zone
	for _, z := range s.zones {
		if drained := dr.zone(z); drained != z {
			touched = append(touched, drained)
		}
	}
	out := *s
	out.drained = dr.drained()
	if len(touched) == 0 {
		return &out
	}
	out.zones, out.documents = maps.Clone(s.zones), maps.Clone(s.documents)
	for _, z := range touched {
		out.zones[z.apex] = z
		// By another pointer a reload knows that zones of the document may answer differently.
		if name := z.account.file; out.documents[name] == s.documents[name] {
			d := *s.documents[name]
			out.documents[name] = &d
		}
	}
	return &out
}

// drainer drains the zones of one snapshot. What zones share is made once: the outcomes of
// an account, and the pools of a map.
type drainer struct {
	prefixes bart.Lite
	general  []netip.Addr // in place of the anycast of the server's site; nil if that is not drained
	next     bool
	unknown  []string // maps and sites

	cuts     map[*Pool]*cut
	outcomes map[*outcome]drainedOutcome
	ignored  map[ignoredAt]*Ignored
}

func newDrainer(s *Snapshot, d Drains) *drainer {
	dr := &drainer{
		next:     d.Next,
		cuts:     make(map[*Pool]*cut),
		outcomes: make(map[*outcome]drainedOutcome),
		ignored:  make(map[ignoredAt]*Ignored),
	}
	for _, p := range d.Prefixes {
		dr.prefixes.Insert(p.Masked())
	}
	dr.addMaps(s, d.Maps)
	dr.addSites(s, d.Sites)
	slices.Sort(dr.unknown)
	return dr
}

// addMaps drains the addresses of the maps with these ids.
func (dr *drainer) addMaps(s *Snapshot, ids []string) {
	for _, id := range ids {
		ips, known := s.byID()[id]
		if !known {
			dr.unknown = append(dr.unknown, "map:"+id)
		}
		for _, ip := range ips {
			dr.prefixes.Insert(netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
}

// writtenIDs returns the addresses that are written on each address map, by the id of the
// map. An id that is made from the map's position is none: it may be another map's after the
// next edit.
func (s *Snapshot) writtenIDs() map[string][]netip.Addr {
	out := make(map[string][]netip.Addr)
	for _, a := range s.accounts {
		for i := range a.maps {
			if m := &a.maps[i]; !madeUp(a.id, m.id) {
				out[m.id] = append(out[m.id], m.ips.written...)
			}
		}
	}
	return out
}

// addSites drains the anycast of the server's site, if that is one of these.
func (dr *drainer) addSites(s *Snapshot, names []string) {
	for _, name := range names {
		d, _ := s.ofSite(name)
		switch {
		case d == nil:
			dr.unknown = append(dr.unknown, "site:"+name)
		case name == s.site:
			dr.general = append([]netip.Addr{}, mapfile.IPs(d.source.Anycast)...)
		}
	}
}

// ofSite returns the anycast addresses of a site, and the document that has it, nil if there
// is none.
func (s *Snapshot) ofSite(name string) (*document, []netip.Addr) {
	for _, d := range s.documents {
		for _, site := range d.source.Sites {
			if site.Name == name {
				return d, mapfile.IPs(site.Anycast)
			}
		}
	}
	return nil, nil
}

// zone returns the zone as it is while drained: z itself if it answers as ever.
func (dr *drainer) zone(z *zone) *zone {
	out := *z
	if z.usesOutcome() {
		out.outcome = dr.outcome(z.outcome, z.account, z.apex)
	}
	if z.members != nil {
		of := func(owner string, o *outcome) *outcome { return dr.outcome(o, z.account, absolute(owner, z.apex)) }
		names := replaced(z.members.names, of)
		wildcards := replaced(z.members.wildcards, func(parent string, o *outcome) *outcome { return of("*."+parent, o) })
		if names != nil || wildcards != nil {
			out.members = &members{orElse(names, z.members.names), orElse(wildcards, z.members.wildcards)}
		}
	}
	apps := replaced(z.apps, func(owner string, app *spectrum) *spectrum {
		o := dr.outcome(app.outcome, z.account, absolute(owner, z.apex))
		if o == app.outcome {
			return app
		}
		cp := *app
		cp.outcome = o
		return &cp
	})
	if out.apps = orElse(apps, z.apps); apps == nil && out.outcome == z.outcome && out.members == z.members {
		return z
	}
	return &out
}

// usesOutcome reports whether any name of the zone is answered by the zone's own outcome.
func (z *zone) usesOutcome() bool {
	own := len(z.apps)
	if z.members != nil {
		proxied := func(owner string) {
			if m, _ := z.marks.mark(owner); m&markProxied != 0 && z.apps[owner] == nil {
				own++
			}
		}
		for owner := range z.members.names {
			proxied(owner)
		}
		for parent := range z.members.wildcards {
			proxied("*." + parent)
		}
	}
	return z.rest&markProxied != 0 || z.names() > own
}

// replaced returns the map with what by makes of each value, or nil if that is the values
// themselves.
func replaced[V comparable](m map[string]V, by func(string, V) V) (out map[string]V) {
	for key, was := range m {
		is := by(key, was)
		if is == was {
			continue
		}
		if out == nil {
			out = maps.Clone(m)
		}
		out[key] = is
	}
	return out
}

func orElse[V any](m, otherwise map[string]V) map[string]V {
	if m == nil {
		return otherwise
	}
	return m
}

// drainedOutcome is what an outcome becomes, and for which steps the drain is ignored.
type drainedOutcome struct {
	*outcome
	ignored []ignoredAt
}

// outcome returns the outcome as it is while drained, for a zone or an application of an
// account: o itself if it answers as ever and no drain is ignored.
func (dr *drainer) outcome(o *outcome, a *account, owner fqdn.Name) *outcome {
	d, made := dr.outcomes[o]
	if !made {
		d = dr.drain(o, a)
		dr.outcomes[o] = d
	}
	for _, at := range d.ignored {
		dr.ignore(at, a, owner)
	}
	return d.outcome
}

// drain makes that outcome.
func (dr *drainer) drain(o *outcome, a *account) drainedOutcome {
	touches := func(f Family) bool { return dr.cut(o.pool(f)).drained.has(f) }
	if !touches(IPv4) && !touches(IPv6) {
		return drainedOutcome{outcome: o}
	}
	out := drainedOutcome{outcome: &outcome{step: o.step, why: o.why, drained: new([Steps]*Pool)}}
	for step, p := range o.pools {
		if p != nil {
			c := dr.cut(p)
			out.pools[step], out.drained[step] = c.left, c.drained
		}
	}
	for _, f := range [...]Family{IPv4, IPv6} {
		step := o.step[f]
		switch {
		case !touches(f), out.pool(f).has(f), dr.next && out.fallBack(f, a.byoipOnly):
			for ; step <= out.step[f]; step++ {
				if p := o.pools[step]; p != nil {
					dr.cut(p).taken[f] = true
				}
			}
		default:
			out.why[f][step] = DrainIgnored
			out.pools[step] = out.pools[step].with(o.pools[step], f)
			out.ignored = append(out.ignored, ignoredAt{o.pools[step], f})
		}
	}
	return out
}

// fallBack has the first step answer for a family that still has an address of it. It
// reports false, and changes nothing, if no step has.
func (o *outcome) fallBack(f Family, byoipOnly bool) bool {
	var only [Steps]*Pool
	for step, p := range o.pools {
		if p != nil {
			only[step] = new(Pool).of(p.Step, p.Map, p.addrs(f))
		}
	}
	next := fallback(only, byoipOnly, false)
	if next.step[f] == StepNone {
		return false
	}
	o.step[f], o.why[f] = next.step[f], next.why[f]
	for step, why := range o.why[f] {
		switch {
		case why != Unusable:
		case o.drained[step].has(f):
			o.why[f][step] = AllDrained
		case o.pools[step].has(IPv4) || o.pools[step].has(IPv6):
			o.why[f][step] = OtherFamily
		}
	}
	return true
}

// with returns p with the addresses of family f that another pool of the step has.
func (p *Pool) with(other *Pool, f Family) *Pool {
	pools := [2]*Pool{p, p}
	pools[f] = other
	out := new(Pool).of(p.Step, p.Map, slices.Concat(pools[IPv4].addrs(IPv4), pools[IPv6].addrs(IPv6)))
	out.dynamic = p.dynamic
	return out
}

// cut is the two parts of a pool. left is the pool itself if nothing of it is drained.
type cut struct {
	left, drained *Pool
	taken         [2]bool // :: family → an answer lacks those that are drained
}

func (dr *drainer) cut(p *Pool) *cut {
	c := dr.cuts[p]
	if c == nil {
		c = &cut{left: p, drained: noPool}
		if left, drained := dr.parts(p); len(drained) > 0 {
			c.left, c.drained = new(Pool).of(p.Step, p.Map, left), new(Pool).of(p.Step, p.Map, drained)
			c.left.dynamic = p.dynamic
		}
		dr.cuts[p] = c
	}
	return c
}

// parts returns the addresses of a pool that are left, and those that are drained.
func (dr *drainer) parts(p *Pool) (left, drained []netip.Addr) {
	ofSite := dr.general != nil && (p.Step == StepAnycast || p.dynamic)
	for _, f := range [...]Family{IPv4, IPv6} {
		was := p.addrs(f)
		is := was
		if !ofSite && !slices.ContainsFunc(was, dr.prefixes.Contains) {
			left = append(left, was...)
			continue
		}
		if ofSite && len(was) > 0 {
			is = slices.DeleteFunc(slices.Clone(dr.general), func(ip netip.Addr) bool { return ip.Is4() != (f == IPv4) })
		}
		is = slices.DeleteFunc(slices.Clone(is), dr.prefixes.Contains)
		left = append(left, is...)
		if slices.Equal(was, is) {
			continue
		}
		gone := slices.DeleteFunc(slices.Clone(was), func(ip netip.Addr) bool { return slices.Contains(is, ip) })
		if len(gone) == 0 { // All of the site's addresses are general ones, too.
			gone = was
		}
		drained = append(drained, gone...)
	}
	return left, drained
}
