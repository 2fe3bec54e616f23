package source

import (
	"os"
	"path/filepath"
	"slices"
)

// A tree knows where the files are: through which directories each is reached,
// and so which files to look at when something happens at a spot.
type tree struct {
	gen    int
	routes map[string]*route // :: path → how the directory is reached
	files  map[spot][]*file  // :: spot → files that are there, or a link to them
	onWay  map[spot]bool     // :: spot → a route goes through it
}

func newTree() tree {
	return tree{routes: make(map[string]*route), files: make(map[spot][]*file), onWay: make(map[spot]bool)}
}

// A hop is one look-up on the way to a file: the first of the file's own name,
// every other of what a symbolic link at the one before points to.
type hop struct {
	route *route
	spot  spot // zero if the route is broken
	name  string
	link  string // that is there, as in place; "" if it is none
	swung int64  // the same
}

// at returns the place to which hops lead.
func at(hops []hop) place {
	if len(hops) == 0 {
		return place{}
	}
	last := hops[len(hops)-1]
	p := place{dir: last.route.dir, name: last.name}
	for _, h := range hops {
		p.links += h.route.links + h.link
		p.swung = max(p.swung, h.route.swung, h.swung)
	}
	return p
}

// route returns how the directory at path is reached.
func (t *tree) route(path string) *route {
	r := t.routes[path]
	if r == nil {
		n := walk(path)
		r = &n
		r.gen = t.gen
		t.routes[path] = r
	}
	return r
}

// rewalk goes all routes again.
func (t *tree) rewalk() {
	for path, r := range t.routes {
		n := walk(path)
		n.gen = r.gen
		if n.dir != r.dir || n.id != r.id {
			n.gen = t.gen
		}
		*r = n
	}
}

// missed makes every route stale that goes through a directory of which the
// events may have been missed.
func (t *tree) missed(dirs map[fileID]bool) {
	for _, r := range t.routes {
		if slices.ContainsFunc(r.passages, func(p passage) bool { return dirs[p.id] }) {
			r.gen = t.gen + 1
		}
	}
}

// stale reports whether a route of f has changed since f was found.
func (t *tree) stale(f *file) bool {
	return len(f.hops) == 0 || slices.ContainsFunc(f.hops, func(h hop) bool { return h.route.gen > f.gen })
}

// find goes to f, link by link, and reports whether it is to be found elsewhere
// than before.
func (t *tree) find(f *file) (moved bool) {
	dir, name := filepath.Split(f.abs)
	var hops []hop
	for range maxLinks {
		h := hop{route: t.route(filepath.Clean(dir)), name: name}
		if len(hops) > 0 { // Of a link's target, ".." must stay.
			h.route = t.route(dir)
		}
		if h.route.dir == "" {
			hops = append(hops, h)
			break
		}
		h.spot = spot{h.route.id, name}
		path := filepath.Join(h.route.dir, name)
		target, made, ok := readLink(path)
		if !ok { // No link, or nothing there at all.
			hops = append(hops, h)
			break
		}
		h.link, h.swung = linked(path, target), made
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
		if h.spot != (spot{}) && !slices.Contains(t.files[h.spot], f) { // Links may go in circles.
			t.files[h.spot] = append(t.files[h.spot], f)
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
	_, made, _ = details(path, fi)
	return target, made, true
}

// forget takes f out of the tree.
func (t *tree) forget(f *file) {
	for _, h := range f.hops {
		rest := slices.DeleteFunc(t.files[h.spot], func(g *file) bool { return g == f })
		if len(rest) == 0 {
			delete(t.files, h.spot)
		} else {
			t.files[h.spot] = rest
		}
	}
	f.hops = nil
}

// prune drops the routes that are not in use and finds out anew what the others
// go through.
func (t *tree) prune(used map[*route]bool) {
	clear(t.onWay)
	for path, r := range t.routes {
		if !used[r] {
			delete(t.routes, path)
			continue
		}
		for _, s := range r.spots {
			t.onWay[s] = true
		}
	}
}

// directories returns all that the routes go through. A directory that has
// several paths, by a bind mount, appears under one of them: the kernel tells of
// it under the one only.
func (t *tree) directories() map[string]fileID {
	paths := make(map[fileID]string)
	for _, r := range t.routes {
		for _, p := range r.passages {
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
