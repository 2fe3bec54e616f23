package source

import (
	"os"
	"path/filepath"
	"slices"
)

// A tree knows the way to each file: the directories on it, and so the files to
// look at after an event at an entry.
type tree struct {
	gen          int
	routes       map[string]*route // :: path of a directory → the route to it
	files        map[entry][]*file // :: entry → the files that are the entry, or are reached by it as a link
	routeEntries map[entry]bool    // :: entry → true; a route goes through it
}

func newTree() tree {
	return tree{routes: make(map[string]*route), files: make(map[entry][]*file), routeEntries: make(map[entry]bool)}
}

// A hop is one lookup on the way to a file: the first hop looks up the file's own
// name, every other hop the target of the symbolic link before it.
type hop struct {
	route    *route
	entry    entry // zero if the route is broken
	name     string
	link     string // the link of the entry, as in place.links; "" if the entry is no link
	linkTime int64  // when the link was made; see place
}

// placeOf returns the place to which hops lead.
func placeOf(hops []hop) place {
	if len(hops) == 0 {
		return place{}
	}
	last := hops[len(hops)-1]
	p := place{dir: last.route.dir, name: last.name}
	for _, h := range hops {
		p.links += h.route.links + h.link
		p.linkTime = max(p.linkTime, h.route.linkTime, h.linkTime)
	}
	return p
}

// route returns the route to the directory at path.
func (t *tree) route(path string) *route {
	r := t.routes[path]
	if r == nil {
		n := walkRoute(path)
		r = &n
		r.gen = t.gen
		t.routes[path] = r
	}
	return r
}

// rewalk walks all routes again.
func (t *tree) rewalk() {
	for path, r := range t.routes {
		n := walkRoute(path)
		n.gen = r.gen
		if n.dir != r.dir || n.id != r.id {
			n.gen = t.gen
		}
		*r = n
	}
}

// markStale makes every route stale that goes through one of dirs, whose events may
// have been missed.
func (t *tree) markStale(dirs map[fileID]bool) {
	for _, r := range t.routes {
		if slices.ContainsFunc(r.passed, func(p passedDir) bool { return dirs[p.id] }) {
			r.gen = t.gen + 1
		}
	}
}

// stale reports whether a route of f has changed since f was located.
func (t *tree) stale(f *file) bool {
	return len(f.hops) == 0 || slices.ContainsFunc(f.hops, func(h hop) bool { return h.route.gen > f.gen })
}

// locate looks f up, link by link, and reports whether f is elsewhere than before.
func (t *tree) locate(f *file) (moved bool) {
	dir, name := filepath.Split(f.abs)
	var hops []hop
	for range maxLinks {
		h := hop{route: t.route(filepath.Clean(dir)), name: name}
		if len(hops) > 0 { // Cleaning would take ".." out of a link's target.
			h.route = t.route(dir)
		}
		if h.route.dir == "" {
			hops = append(hops, h)
			break
		}
		h.entry = entry{h.route.id, name}
		path := filepath.Join(h.route.dir, name)
		target, made, ok := readLink(path)
		if !ok { // The entry is no link, or does not exist.
			hops = append(hops, h)
			break
		}
		h.link, h.linkTime = linkText(path, target), made
		hops = append(hops, h)
		dir, name = follow(h.route.dir, target)
	}
	f.gen = t.gen
	if slices.Equal(hops, f.hops) {
		return false
	}
	t.forget(f)
	f.hops = slices.Clip(hops)
	for _, h := range f.hops {
		if h.entry != (entry{}) && !slices.Contains(t.files[h.entry], f) { // Links may go in circles.
			t.files[h.entry] = append(t.files[h.entry], f)
		}
	}
	return true
}

// readLink returns where the symbolic link at path points and when it was made,
// if it is one.
func readLink(path string) (target string, made int64, ok bool) {
	target, err := os.Readlink(path)
	if err != nil {
		return "", 0, false
	}
	fi, err := os.Lstat(path)
	if err != nil {
		return "", 0, false
	}
	_, made, _ = fileDetails(path, fi)
	return target, made, true
}

// forget removes f from the tree.
func (t *tree) forget(f *file) {
	for _, h := range f.hops {
		rest := slices.DeleteFunc(t.files[h.entry], func(g *file) bool { return g == f })
		if len(rest) == 0 {
			delete(t.files, h.entry)
		} else {
			t.files[h.entry] = rest
		}
	}
	f.hops = nil
}

// prune removes the routes that are not in use and sets routeEntries to the entries
// of the others.
func (t *tree) prune(used map[*route]bool) {
	clear(t.routeEntries)
	for path, r := range t.routes {
		if !used[r] {
			delete(t.routes, path)
			continue
		}
		for _, s := range r.entries {
			t.routeEntries[s] = true
		}
	}
}

// directories returns the directories of all routes. A directory that has several
// paths, by a bind mount, appears under one of them: the kernel names one path only.
func (t *tree) directories() map[string]fileID {
	paths := make(map[fileID]string)
	for _, r := range t.routes {
		for _, p := range r.passed {
			if old, ok := paths[p.id]; !ok || p.path < old {
				paths[p.id] = p.path
			}
		}
	}
	dirs := make(map[string]fileID, len(paths))
	for id, path := range paths {
		dirs[path] = id
	}
	return dirs
}
