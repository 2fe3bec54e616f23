package live

import (
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// verdict is what becomes of changes.
type verdict struct {
	sets     sets // with the accepted ones
	accepted []group
	refused  []group // for good: they are wrong by themselves
	singly   int     // how many the guard refused that were judged by themselves
}

// decide decides about changes. What was refused before comes after what has
// changed since: a loss that stands on disk and was refused by the guard keeps no
// later change back.
func (l *loader) decide(changes []change) verdict {
	v := verdict{sets: l.base()}
	fresh, before := l.byAge(l.linked(changes))
	for v.leaves(fresh) || v.leaves(before) {
		fresh = l.admitGuarded(&v, fresh, true)
		before = l.admitGuarded(&v, before, false)
	}
	v.refused = slices.Concat(v.refused, fresh, before)
	return v
}

// leaves reports whether there are groups that were not tried on top of all that
// is accepted.
func (v *verdict) leaves(waiting []group) bool {
	return slices.ContainsFunc(waiting, func(g group) bool { return g.after < len(v.accepted) })
}

// admitGuarded admits groups as far as the guard allows, and returns those that are
// not accepted and may be once others are. With inOrder, the first ones come into
// force and those are refused that go beyond the guard (P4). Without it, none comes
// into force if together they go beyond it: what was refused before and is on disk
// as it was would otherwise pass in parts, one load after the other. So it is where
// nothing would be left (P5): each part of that may be harmless by itself.
func (l *loader) admitGuarded(v *verdict, groups []group, inOrder bool) (waiting []group) {
	trial := verdict{sets: v.sets, accepted: slices.Clone(v.accepted)}
	for waiting = groups; trial.leaves(waiting); {
		waiting = l.admit(&trial, waiting)
	}
	v.refused = append(v.refused, trial.refused...)
	good := trial.accepted[len(v.accepted):]
	if len(good) == 0 {
		return waiting
	}
	rule, err := l.guard(trial.sets.lead())
	if err == nil {
		v.sets, v.accepted = trial.sets, trial.accepted
		return waiting
	}
	left := l.divide(v, removedTogether(good), trial.sets.lead(), err, inOrder && rule == "P4")
	for i := range waiting { // They were tried beside what may not be accepted after all.
		waiting[i].after = -1
	}
	return slices.Concat(left, l.admitGuarded(v, waiting, inOrder))
}

// divide admits parts of groups that next, with all of them, is refused for by the
// guard, or refuses them all. It returns those that are not accepted.
func (l *loader) divide(v *verdict, groups []group, next *mapset.Set, err error, inOrder bool) []group {
	if inOrder && len(groups) > 1 {
		half := len(groups) / 2
		first, second := groups[:half], groups[half:]
		if v.singly >= maxSingly {
			second, first = split(groups, func(g group) bool { return l.shrinks(next, g) })
		}
		if len(first) > 0 && len(second) > 0 {
			left := l.admitGuarded(v, first, true)
			return slices.Concat(left, l.admitGuarded(v, second, v.singly < maxSingly))
		}
	}
	for i := range groups {
		groups[i].refuse(fault{err: err}, len(v.accepted))
	}
	if inOrder {
		v.singly++
	}
	return groups
}

// shrinks reports whether a document of the group gives less in next than it does in
// force.
func (l *loader) shrinks(next *mapset.Set, g group) bool {
	return slices.ContainsFunc(g.changes, func(c change) bool {
		was, is := l.base().lead().StatsOf(c.path), next.StatsOf(c.path)
		return is.Zones < was.Zones || is.ProxiedNames < was.ProxiedNames || is.Addresses < was.Addresses
	})
}

// removedTogether makes one group of the documents that go, after the others: they
// are judged as one reload. No group was tried yet of those it returns.
func removedTogether(groups []group) []group {
	gone, out := split(groups, func(g group) bool {
		return !slices.ContainsFunc(g.changes, func(c change) bool { return c.next != nil })
	})
	if len(gone) > 0 {
		out = append(out, group{changes: changesOf(gone)})
	}
	for i := range out {
		out[i].after = -1
	}
	return out
}

// guard returns why the whole of the next version may not come into force (P4, P5),
// and the rule. At the very first start there is nothing to lose.
func (l *loader) guard(next *mapset.Set) (rule string, err error) {
	old := l.snapshot()
	if old == nil {
		return "", nil
	}
	violations := mapset.ProtectWhole(old, next.Snapshot(), l.opt.Guard)
	if len(violations) == 0 {
		return "", nil
	}
	return violations[0].Rule, mapset.Violations(violations)
}

// maxSingly is how many groups that are all in conflict, or beyond the guard, are
// judged each by itself. More of them are an accident, and to judge them would hold
// others up.
const maxSingly = 16

// admit accepts those groups that go together, the first ones first, and returns
// those that are wrong only beside others. It tries them all at once, then those
// against which nothing is said before the others, and then halves, as where a
// document that has not changed is wrong now.
func (l *loader) admit(v *verdict, groups []group) (waiting []group) {
	if len(groups) == 0 {
		return nil
	}
	next, f := l.try(v.sets, groups)
	if f.err == nil {
		v.sets, v.accepted = next, append(v.accepted, groups...)
		return nil
	}
	for i := range groups {
		groups[i].refuse(f, len(v.accepted))
	}
	if own, others := split(groups, f.isOwn); len(own) > 0 {
		v.refused = append(v.refused, own...)
		return l.admit(v, others)
	}
	second, first := split(groups, f.about)
	switch {
	case len(groups) == 1, len(second) > maxSingly && len(first) == 0:
		return groups
	case len(second) == 0 || len(first) == 0:
		half := len(groups) / 2
		first, second = groups[:half], groups[half:]
	}
	waiting = l.admit(v, first)
	return slices.Concat(waiting, l.admit(v, second))
}

// fault is why groups cannot be made together.
type fault struct {
	err error            // all of it
	of  map[string]error // :: path → what of it is about that document, if that can be told
	own map[string]bool  // :: path → it is wrong by itself, whatever the others are
}

// about reports whether the fault is of a document of the group.
func (f fault) about(g group) bool {
	return slices.ContainsFunc(g.changes, func(c change) bool { return f.of[c.path] != nil })
}

// isOwn reports whether a document of the group is wrong by itself.
func (f fault) isOwn(g group) bool {
	return slices.ContainsFunc(g.changes, func(c change) bool { return f.own[c.path] })
}

// try makes all groups to base, or returns why it cannot.
func (l *loader) try(base sets, groups []group) (sets, fault) {
	next := make(sets, len(base))
	for i := range base {
		var errs mapfile.Errors
		if next[i], errs = compile(base[i], changesOf(groups)); len(errs) > 0 {
			return nil, wrong(errs) // one view that fails refuses it for all
		}
	}
	if old := l.snapshot(); old != nil { // Nothing is protected at the very first start.
		if violations := mapset.ProtectAccounts(old, next.lead().Snapshot()); len(violations) > 0 {
			return nil, l.forbidden(groups, violations)
		}
	}
	return next, fault{}
}

// compile makes the changes to base, or returns all that is wrong.
func compile(base *mapset.Set, changes []change) (*mapset.Set, mapfile.Errors) {
	var sources []mapset.Source
	var gone []string
	var own mapfile.Errors
	for _, c := range changes {
		if c.next == nil {
			gone = append(gone, c.path)
			continue
		}
		sources = append(sources, c.next.src)
		own = append(own, c.next.errs...)
	}
	set, errs := base.Update(sources, gone)
	return set, append(errs, own...)
}

// wrong returns the fault of documents with these errors.
func wrong(errs mapfile.Errors) fault {
	f := fault{err: errs.Err(), of: make(map[string]error), own: make(map[string]bool)}
	lists := make(map[string]mapfile.Errors)
	for _, e := range errs {
		lists[e.File] = append(lists[e.File], e)
		// Who holds what, who lends what and who has anycast depends on others.
		if e.Rule != "V4" && e.Rule != "V6" && e.Rule != "V15" {
			f.own[e.File] = true
		}
	}
	for path, list := range lists {
		f.of[path] = list.Err()
	}
	return f
}

// forbidden returns the fault of changes to accounts of which something is
// protected (P1 to P3).
func (l *loader) forbidden(groups []group, violations []mapset.Violation) fault {
	f := fault{err: mapset.Violations(violations), of: make(map[string]error), own: make(map[string]bool)}
	about := make(map[claim]mapset.Violations) // :: account → what is said of it
	for _, v := range violations {
		what := ofAccount(v.Account)
		about[what] = append(about[what], v)
	}
	for _, c := range changesOf(groups) {
		var own mapset.Violations
		for _, what := range either(l.holds(c.path), c.claimed()) {
			own = append(own, about[what]...)
		}
		if len(own) > 0 {
			f.of[c.path], f.own[c.path] = own, true
		}
	}
	return f
}

// either returns what is in one of two lists, each once.
func either(a, b []claim) []claim {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}
