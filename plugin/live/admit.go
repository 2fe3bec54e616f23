package live

import (
	"errors"
	"slices"

	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// verdict is what becomes of changes.
type verdict struct {
	sets     sets // with the accepted ones
	accepted []group
	refused  []group // for good: they are wrong by themselves
}

// decide decides about changes. What was refused before comes after what has
// changed since: a loss that stands on disk and was refused by the guard keeps no
// later change back.
func (l *loader) decide(changes []change) verdict {
	v := verdict{sets: l.base()}
	fresh, before := l.byAge(l.linked(changes))
	for v.leaves(fresh) || v.leaves(before) {
		fresh = l.admitGuarded(&v, fresh)
		before = l.admitGuarded(&v, before)
	}
	v.refused = slices.Concat(v.refused, fresh, before)
	return v
}

// leaves reports whether there are groups that were not tried on top of all that
// is accepted.
func (v *verdict) leaves(waiting []group) bool {
	return slices.ContainsFunc(waiting, func(g group) bool { return g.after < len(v.accepted) })
}

// admitGuarded admits groups, or none of them if the guard refuses what they do
// together: in parts, it would be the same loss. It returns those that are not
// accepted and may be once others are.
func (l *loader) admitGuarded(v *verdict, groups []group) (waiting []group) {
	trial := verdict{sets: v.sets, accepted: slices.Clone(v.accepted)}
	for waiting = groups; trial.leaves(waiting); {
		waiting = l.admit(&trial, waiting)
	}
	v.refused = append(v.refused, trial.refused...)
	good := trial.accepted[len(v.accepted):]
	if len(good) == 0 {
		return waiting
	}
	if err := l.guard(trial.sets.lead()); err != nil {
		for i := range good {
			good[i].refuse(fault{err: err}, len(v.accepted))
		}
		return slices.Concat(good, waiting)
	}
	v.sets, v.accepted = trial.sets, trial.accepted
	return waiting
}

// guardRule is the rule of the guard option.
const guardRule = "P4"

// guard returns an error if too much of what is in force would go (P4). At the
// very first start there is nothing to go.
func (l *loader) guard(next *mapset.Set) error {
	old := l.snapshot()
	if old == nil || l.opt.Guard == 0 {
		return nil
	}
	var errs []error
	for _, v := range mapset.Protect(old, next.Snapshot(), l.opt.Guard) {
		if v.Rule == guardRule {
			errs = append(errs, v)
		}
	}
	return errors.Join(errs...)
}

// maxSingly is how many groups that are all in conflict are judged each by itself.
// More of them are an accident, and to judge them would hold others up.
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
		if violations := mapset.Protect(old, next.lead().Snapshot(), 0); len(violations) > 0 {
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
	f := fault{of: make(map[string]error), own: make(map[string]bool)}
	about := make(map[claim]error) // :: account → what is said of it
	for _, v := range violations {
		what := ofAccount(v.Account)
		about[what] = errors.Join(about[what], v)
		f.err = errors.Join(f.err, v)
	}
	for _, c := range changesOf(groups) {
		var err error
		for _, what := range either(l.holds(c.path), c.claimed()) {
			err = errors.Join(err, about[what])
		}
		if err != nil {
			f.of[c.path], f.own[c.path] = err, true
		}
	}
	return f
}

// either returns what is in one of two lists, each once.
func either(a, b []claim) []claim {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}
