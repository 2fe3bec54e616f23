package source

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A root is a path of the Set: a file, or a directory of documents. A root can turn
// from a file into a directory and back.
type root struct {
	self      *file
	docs      map[string]*file // :: name → document; a removed one until its removal is reported
	route     *route           // to the documents; nil for a file
	listedGen int              // tree.gen when the directory was last listed
	isNew     bool             // just Set: its files are not reported
}

// Set makes the Watcher watch these files and directories and no others. The Watcher
// reports every change after Set has returned, so read a file after Set; changes
// before may still be reported. To repeat a Set is cheap.
func (w *Watcher) Set(paths []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	want := make(map[string]bool, len(paths))
	changed := false
	for _, p := range paths {
		want[p] = true
		if w.roots[p] == nil {
			changed = w.addRoot(p) || changed
		}
	}
	for p := range w.roots {
		if !want[p] {
			w.dropRoot(p)
			changed = true
		}
	}
	if !changed {
		return
	}
	w.sync(false, time.Now())
	w.wakeUp()
}

// addRoot begins to watch path; sync does the rest.
func (w *Watcher) addRoot(path string) bool {
	abs, err := filepath.Abs(path)
	if err != nil { // The working directory was removed.
		w.log("Not watching %q: %v", path, err)
		return false
	}
	r := &root{self: &file{path: path, abs: abs}, docs: make(map[string]*file), isNew: true}
	r.self.reported = missingStamp(place{})
	w.roots[path] = r
	w.unchecked[r.self] = true
	return true
}

// dropRoot ends the watching of path; sync does the rest.
func (w *Watcher) dropRoot(path string) {
	r := w.roots[path]
	delete(w.roots, path)
	for _, f := range append(slices.Collect(maps.Values(r.docs)), r.self) {
		w.drop(f)
	}
}

// addDoc begins to watch a new document of r.
func (w *Watcher) addDoc(r *root, name string) *file {
	// path, abs and name share one string: there may be many documents.
	abs, path := filepath.Join(r.self.abs, name), filepath.Join(r.self.path, name)
	if strings.HasSuffix(abs, path) {
		path = abs[len(abs)-len(path):]
	}
	name = abs[len(abs)-len(name):]
	f := &file{
		path:     path,
		abs:      abs,
		root:     r,
		reported: missingStamp(place{r.route.dir, name, r.route.links, r.route.linkTime}),
	}
	r.docs[name] = f
	w.tree.locate(f)
	return f
}

// dropDoc ends the watching of a document that was removed.
func (w *Watcher) dropDoc(f *file) {
	delete(f.root.docs, filepath.Base(f.abs))
	w.drop(f)
}

// drop ends the watching of f.
func (w *Watcher) drop(f *file) {
	w.tree.forget(f)
	delete(w.unchecked, f)
	delete(w.unsettled, f)
}
