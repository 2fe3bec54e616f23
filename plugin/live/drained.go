package live

import (
	"fmt"
	"net/netip"
	"slices"

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

// tellIgnored says which drains are ignored, each once while it is.
func (l *loader) tellIgnored() {
	var now []string
	for _, v := range l.views {
		if v.drained == nil || v.drained.Drained() == nil {
			continue
		}
		for _, target := range v.drained.Drained().Unknown {
			for _, one := range l.drains.inForce {
				if "map:"+one.Map == target || "site:"+one.Site == target {
					now = append(now, fmt.Sprintf("a drain drains nothing: the map has no such site, or no address map of that id, or none that is written: %s", one))
				}
			}
		}
		if len(v.drained.Drained().Ignored) == 0 {
			continue
		}
		drains := make([]func(mapset.Step, netip.Addr) bool, len(l.drains.inForce))
		for i, one := range l.drains.inForce {
			drains[i] = v.drained.DrainedBy(one)
		}
		for _, is := range v.drained.Drained().Ignored {
			text := ignoredText(is)
			for i, one := range l.drains.inForce {
				if slices.ContainsFunc(is.Addresses, func(ip netip.Addr) bool { return drains[i](is.Step, ip) }) {
					text += "; " + one.String()
				}
			}
			now = append(now, text)
		}
	}
	slices.Sort(now)
	now = slices.Compact(now)
	for _, text := range now {
		if !slices.Contains(l.drains.ignored, text) {
			l.opt.Log.Warningf("%s: %s", l.opt.Path, text)
		}
	}
	l.drains.ignored = now
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
