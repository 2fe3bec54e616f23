package source

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A root is a path of the Set: a file, or a directory of documents. It can turn
// from one into the other.
type root struct {
	self   *file
	docs   map[string]*file // :: name → document, also one that went until that is told
	within *route           // to the documents; nil if it is no directory
	listed int              // gen of the tree when the directory was last listed
	fresh  bool             // just Set: what is there is no news
}

// Set makes the Watcher watch these files and directories and no others. A
// change after Set has returned is told, so read a file after it was Set; what
// was noticed before may still be told. To repeat a Set is cheap.
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
	w.rouse()
}

// addRoot begins to watch path; sync does the rest.
func (w *Watcher) addRoot(path string) bool {
	abs, err := filepath.Abs(path)
	if err != nil { // There is no working directory any more.
		w.log("Not watching %q: %v", path, err)
		return false
	}
	r := &root{self: &file{path: path, abs: abs}, docs: make(map[string]*file), fresh: true}
	r.self.told = missing(place{})
	w.roots[path] = r
	w.unsure[r.self] = true
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

// addDoc begins to watch a document of r that was not there before.
func (w *Watcher) addDoc(r *root, name string) *file {
	// One text for all of them: there may be many documents.
	abs, path := filepath.Join(r.self.abs, name), filepath.Join(r.self.path, name)
	if strings.HasSuffix(abs, path) {
		path = abs[len(abs)-len(path):]
	}
	name = abs[len(abs)-len(name):]
	f := &file{
		path: path,
		abs:  abs,
		in:   r,
		told: missing(place{r.within.dir, name, r.within.links, r.within.swung}),
	}
	r.docs[name] = f
	w.tree.find(f)
	return f
}

// dropDoc forgets a document that is no more.
func (w *Watcher) dropDoc(f *file) {
	delete(f.in.docs, filepath.Base(f.abs))
	w.drop(f)
}

// drop forgets f.
func (w *Watcher) drop(f *file) {
	w.tree.forget(f)
	delete(w.unsure, f)
	delete(w.unrested, f)
}
