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

// decide decides about changes, in the order of admission.
func (l *loader) decide(changes []change) verdict {
	v := verdict{sets: l.base()}
	fresh, before := l.byAge(l.linked(changes))
	for v.leaves(fresh) || v.leaves(before) {
		for v.leaves(fresh) {
			fresh = l.admit(&v, fresh, true)
		}
		for v.leaves(before) {
			before = l.admit(&v, before, false)
		}
	}
	v.refused = slices.Concat(v.refused, fresh, before)
	return v
}

// leaves reports whether there are groups that were not tried on top of all that
// is accepted.
func (v *verdict) leaves(waiting []group) bool {
	return slices.ContainsFunc(waiting, func(g group) bool { return g.after < len(v.accepted) })
}

// maxSingly is how many groups that are all in conflict, or beyond the guard, are
// judged each by itself. More of them are an accident, and to judge them would hold
// others up.
const maxSingly = 16

// admit accepts groups in the order of admission, and returns those that are wrong only
// beside others. inOrder says that the guard refuses the groups from the one on that
// goes beyond it; without it, the guard refuses all that together go beyond it.
//
// The first groups are tried together, as many as size says: all of them to begin with,
// and fewer when it is not known which of them are to blame.
func (l *loader) admit(v *verdict, groups []group, inOrder bool) (waiting []group) {
	for size := len(groups); len(groups) > 0; {
		n := min(size, len(groups))
		tried, rest := groups[:n], groups[n:]
		next, f := l.try(v.sets, tried)
		if f.err == nil {
			v.sets, v.accepted = next, append(v.accepted, tried...)
			groups, size = rest, 2*n
			continue
		}
		for i := range tried {
			tried[i].fault, tried[i].after = f, len(v.accepted)
		}
		if own, others := split(tried, f.isOwn); len(own) > 0 {
			v.refused = append(v.refused, own...)
			groups = slices.Concat(others, rest)
			continue
		}
		first, last := l.divide(v, next, tried, f, inOrder)
		if len(first) == 0 {
			waiting = append(waiting, last...)
			groups, size = rest, len(rest)
			continue
		}
		groups, size = slices.Concat(first, last, rest), len(first)
	}
	return waiting
}

// divide parts groups that f was found of, if they are made together, into those that
// are to be tried first, and others. If there are none of the first kind, all of them
// have to wait. next is what they would lead to, if only the guard refuses it.
func (l *loader) divide(v *verdict, next sets, groups []group, f fault, inOrder bool) (first, last []group) {
	halves := func() ([]group, []group) { return groups[:len(groups)/2], groups[len(groups)/2:] }
	if f.guarded {
		if !inOrder || l.opt.Guard == 0 { // Of P5, each part may be harmless by itself.
			return nil, groups
		}
		groups = removedTogether(groups)
		switch {
		case len(groups) == 1:
			v.singly++
		case v.singly >= maxSingly:
			last, first = split(groups, func(g group) bool { return l.shrinks(next.lead(), g) })
			if len(last) > 0 {
				return first, last
			}
			return nil, groups
		}
		return halves()
	}
	last, first = split(groups, f.about)
	switch {
	case len(groups) == 1, len(first) == 0 && len(groups) > maxSingly:
		return nil, groups
	case len(first) == 0 || len(last) == 0:
		return halves()
	}
	return first, last
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
// are judged as one reload.
func removedTogether(groups []group) []group {
	gone, out := split(groups, func(g group) bool {
		return !slices.ContainsFunc(g.changes, func(c change) bool { return c.next != nil })
	})
	if len(gone) > 0 {
		gone[0].changes = changesOf(gone)
		out = append(out, gone[0])
	}
	return out
}

// fault is why groups cannot be made together.
type fault struct {
	err     error            // all of it
	of      map[string]error // :: path → what of it is about that document, if that can be told
	own     map[string]bool  // :: path → it is wrong by itself, whatever the others are
	guarded bool             // the guard refuses it, and nothing else does (P4, P5)
}

// about reports whether the fault is of a document of the group.
func (f fault) about(g group) bool {
	return slices.ContainsFunc(g.changes, func(c change) bool { return f.of[c.path] != nil })
}

// isOwn reports whether a document of the group is wrong by itself.
func (f fault) isOwn(g group) bool {
	return slices.ContainsFunc(g.changes, func(c change) bool { return f.own[c.path] })
}

// try makes the changes of all groups to base, or returns why it may not: what that
// would lead to as well, if only the guard is against it.
func (l *loader) try(base sets, groups []group) (sets, fault) {
	next := make(sets, len(base))
	for i := range base {
		var errs mapfile.Errors
		if next[i], errs = compile(base[i], changesOf(groups)); len(errs) > 0 {
			return nil, wrong(errs) // one view that fails refuses it for all
		}
	}
	old := l.snapshot()
	if old == nil || l.pushed { // Nothing is protected at the very first start.
		return next, fault{}
	}
	if violations := mapset.ProtectAccounts(old, next.lead().Snapshot()); len(violations) > 0 {
		return nil, l.forbidden(groups, violations)
	}
	if violations := mapset.ProtectWhole(old, next.lead().Snapshot(), l.opt.Guard); len(violations) > 0 {
		return next, fault{err: mapset.Violations(violations), guarded: true}
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
		// Who holds what, who lends what, whose zone a name lies in and who has anycast
		// depends on others.
		if !slices.Contains([]string{"V4", "V6", "V8", "V15"}, e.Rule) {
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
		claims := slices.Concat(l.holds(c.path), c.claimed())
		slices.Sort(claims)
		for _, what := range slices.Compact(claims) {
			own = append(own, about[what]...)
		}
		if len(own) > 0 {
			f.of[c.path], f.own[c.path] = own, true
		}
	}
	return f
}
