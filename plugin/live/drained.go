package live

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// drain returns what a view compiles, as it answers by the drains in force.
func (l *loader) drain(v *View) *mapset.Snapshot {
	snap := v.set.Snapshot()
	if len(l.drains.inForce) == 0 {
		return snap
	}
	return snap.Drain(mapset.DrainsOf(l.drains.inForce, v.compile.DrainNext))
}

// publishTo has what is in force of a view stand beside what is closed.
func (l *loader) publishTo(v *View) {
	if v.drained == nil {
		v.drained = l.drain(v)
	}
	v.drained.CountAs(v.set.Snapshot()) // which others may have raised since
	v.snapshot.Store(v.drained.Beside(l.closed()))
}

// drained returns how many addresses drains take away, and for how many steps a drain is
// ignored: of the view that has most of them.
func (v views) drained() (addresses, ignored int) {
	for _, view := range v {
		if view.drained == nil || view.drained.Drained() == nil {
			continue
		}
		addresses = max(addresses, view.drained.Drained().Addresses)
		ignored = max(ignored, len(view.drained.Drained().Ignored))
	}
	return addresses, ignored
}

// tellIgnored says which drains are ignored: each once while it is, and again if one of
// those that have begun is ignored there, too.
func (l *loader) tellIgnored(begun []drain.Drain) {
	now := make(map[string]bool)
	var fresh []func() string // a line each, which takes a look at all drains to make
	take := func(key string, again bool, line func() string) {
		if known := now[key]; !known && (again || !l.drains.ignored[key]) {
			fresh = append(fresh, line)
		}
		now[key] = true
	}
	for _, v := range l.views {
		if v.drained == nil || v.drained.Drained() == nil {
			continue
		}
		unknown := v.drained.Drained().Unknown
		for _, one := range l.drains.inForce {
			_, noMap := slices.BinarySearch(unknown, "map:"+one.Map)
			if _, noSite := slices.BinarySearch(unknown, "site:"+one.Site); noMap || noSite {
				text := fmt.Sprintf("a drain drains nothing: the map has no such site, or no address map of that id, or none that is written: %s", one)
				take(text, false, func() string { return text })
			}
		}
		byBegun := v.drained.DrainedBy(begun...)
		for _, is := range v.drained.Drained().Ignored {
			text := ignoredText(is)
			take(text, isDrained(is, byBegun), func() string { return text + l.drainsOf(v, is) })
		}
	}
	l.drains.ignored = now
	firstOf(fresh, func(line func() string) { l.opt.Log.Warningf("%s: %s", l.opt.Path, line()) }, func(more int) {
		l.opt.Log.Warningf("%s: drains are ignored, or drain nothing, in %d more places: \"addressmap explain --drains\" says so for a name", l.opt.Path, more)
	})
}

// drainsOf names the drains that are ignored at a step.
func (l *loader) drainsOf(v *View, is mapset.Ignored) (text string) {
	by := slices.DeleteFunc(slices.Clone(l.drains.inForce), func(one drain.Drain) bool { return !isDrained(is, v.drained.DrainedBy(one)) })
	firstOf(by, func(one drain.Drain) { text += "; " + one.String() }, func(more int) { text += fmt.Sprintf("; and %d more drains", more) })
	return text
}

// isDrained reports whether drains drain an address of a step at which they are ignored.
func isDrained(is mapset.Ignored, by func(mapset.Step, netip.Addr) bool) bool {
	return slices.ContainsFunc(is.Addresses, func(ip netip.Addr) bool { return by(is.Step, ip) })
}

// ignoredText says where a drain is ignored.
func ignoredText(is mapset.Ignored) string {
	where := is.Step.String()
	if is.Map != "" {
		where += fmt.Sprintf(", address map %q", is.Map)
	}
	if is.Account != "" {
		where += fmt.Sprintf(" of account %q", is.Account)
	}
	text := fmt.Sprintf("a drain is ignored where it would leave no %s address: %s, for %s", familyNames[is.Family], where, is.Owner)
	if is.Owners > 1 {
		text += fmt.Sprintf(" and %d more", is.Owners-1)
	}
	return text
}

// familyNames are those of people.
var familyNames = map[mapset.Family]string{mapset.IPv4: "IPv4", mapset.IPv6: "IPv6"}
