package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many symbolic links one walk follows; as many as Linux follows
// (path_resolution(7)).
const maxLinks = 40

// An entry is a name in a directory, at which events can happen.
type entry struct {
	dir  fileID
	name string
}

// A passedDir is a directory on the way to another one.
type passedDir struct {
	path string // physical
	id   fileID
}

// A route is the way from the root to a directory: through which directories, and by
// which name in each. Every directory of a route has to be watched: a swap of any
// of its names makes the path lead elsewhere.
type route struct {
	path     string      // as written: absolute, symbolic links and ".." in it
	dir      string      // physical; "" if the way there is broken
	id       fileID      // of dir
	links    string      // followed on the way; see place
	linkTime int64       // when the last of links was made; see place
	entries  []entry     // looked up on the way, in order
	passed   []passedDir // from the root to dir, or as far as the way goes
	gen      int         // tree.gen when dir or id last changed
}

// walkRoute follows path from the root, component by component, through every
// symbolic link in it. A broken route has passed the directories before the break:
// their watches notice when the route is mended.
func walkRoute(path string) route {
	r := route{path: path}
	here := filepath.VolumeName(path) + string(filepath.Separator)
	id, ok := r.passThrough(here)
	todo := components(path[len(filepath.VolumeName(path)):])
	links := 0
	for ok && len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if name == ".." {
			here = filepath.Dir(here)
			id, ok = r.passThrough(here)
			continue
		}
		r.entries = append(r.entries, entry{id, name})
		next := filepath.Join(here, name)
		fi, err := os.Lstat(next)
		switch {
		case err != nil:
			return r
		case fi.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(next)
			if links++; err != nil || links > maxLinks {
				return r
			}
			_, made, _ := fileDetails(next, fi)
			r.links, r.linkTime = r.links+linkText(next, target), max(r.linkTime, made)
			if filepath.IsAbs(target) {
				here = filepath.VolumeName(here) + string(filepath.Separator)
				id, ok = r.passThrough(here)
			}
			todo = append(components(target), todo...)
		case fi.IsDir():
			here = next
			id, ok = r.passThrough(here)
		default:
			return r
		}
	}
	if ok {
		r.dir, r.id = here, id
	}
	return r
}

// passThrough adds dir to the route.
func (r *route) passThrough(dir string) (fileID, bool) {
	fi, err := os.Lstat(dir)
	if err != nil || !fi.IsDir() {
		return fileID{}, false
	}
	id, _, _ := fileDetails(dir, fi)
	r.passed = append(r.passed, passedDir{dir, id})
	return id, true
}

// components returns the names in path without empty ones and ".". It leaves ".."
// alone: after a symbolic link, ".." is not the directory of the link.
func components(path string) []string {
	var names []string
	for name := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}

// follow returns the directory, as a route's path, and the name in it to which a
// symbolic link in dir points.
func follow(dir, target string) (path, name string) {
	if !filepath.IsAbs(target) {
		target = dir + string(filepath.Separator) + target
	}
	target = strings.TrimRight(target, string(filepath.Separator))
	path, name = filepath.Split(target)
	if name == "" || name == "." || name == ".." {
		return target + string(filepath.Separator), "."
	}
	return path, name
}
