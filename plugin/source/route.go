package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many symbolic links are followed on one way; as many as Linux
// follows (path_resolution(7)).
const maxLinks = 40

// A spot is a name in a directory: where something can happen.
type spot struct {
	dir  fileID
	name string
}

// A passage is a directory on the way to another.
type passage struct {
	path string // physical
	id   fileID
}

// A route is how a directory is reached from the root: through which
// directories, and by which name in each. All of it has to be watched: a swap of
// any of these names makes the path lead elsewhere.
type route struct {
	path     string    // as written: absolute, symbolic links and ".." in it
	dir      string    // physical; "" if the way there is broken
	id       fileID    // of dir
	links    string    // followed on the way; see place
	swung    int64     // the same
	spots    []spot    // looked up on the way, in order
	passages []passage // from the root to dir, or as far as the way goes
	gen      int       // of the tree, when dir or id was last found changed
}

// walk follows path from the root, component by component, through every
// symbolic link in it. A broken route has passed what there is of it: the watch
// there tells when it is mended.
func walk(path string) route {
	r := route{path: path}
	here := filepath.VolumeName(path) + string(filepath.Separator)
	id, ok := r.pass(here)
	todo := components(path[len(filepath.VolumeName(path)):])
	links := 0
	for ok && len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if name == ".." {
			here = filepath.Dir(here)
			id, ok = r.pass(here)
			continue
		}
		r.spots = append(r.spots, spot{id, name})
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
			_, made, _ := details(next, fi)
			r.links, r.swung = r.links+linked(next, target), max(r.swung, made)
			if filepath.IsAbs(target) {
				here = filepath.VolumeName(here) + string(filepath.Separator)
				id, ok = r.pass(here)
			}
			todo = append(components(target), todo...)
		case fi.IsDir():
			here = next
			id, ok = r.pass(here)
		default:
			return r
		}
	}
	if ok {
		r.dir, r.id = here, id
	}
	return r
}

// pass notes that the route goes through dir.
func (r *route) pass(dir string) (fileID, bool) {
	fi, err := os.Lstat(dir)
	if err != nil || !fi.IsDir() {
		return fileID{}, false
	}
	id, _, _ := details(dir, fi)
	r.passages = append(r.passages, passage{dir, id})
	return id, true
}

// components returns the names in path that lead anywhere. It leaves ".." alone:
// after a symbolic link, that is not the directory the name before it stands in.
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
