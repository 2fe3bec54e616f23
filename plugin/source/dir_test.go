package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// only checks that nothing but paths was named.
func (r *reader) only(paths ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.changes {
		if !slices.IsSorted(c.Paths) || c.Noticed.IsZero() {
			r.t.Errorf("want sorted paths and a time, got %+v", c)
		}
		for _, p := range c.Paths {
			if !slices.Contains(paths, p) {
				r.t.Errorf("named %s, want only %q", p, paths)
			}
		}
	}
}

// Of a directory, only the documents that changed are named, and what is no
// document never is.
func TestLifeCycle_DirectoryNamesDocuments(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a, b, c, d := dir+"/a.yaml", dir+"/b.yml", dir+"/c.json", dir+"/d.yaml"
			for _, p := range []string{a, b, c} {
				put(t, p, before)
			}
			r := observe(t, m, dir)
			for _, p := range []string{a, b, c} {
				r.wait(p, before)
				r.onlyEver(p, before, after, "")
			}
			writeSlowly(t, a, after, os.O_TRUNC)
			r.wait(a, after)

			put(t, dir+"/.d.yaml.swp", "x")
			put(t, dir+"/README", "x")
			put(t, dir+"/d.yaml.tmp", after)
			must(t, os.Rename(dir+"/d.yaml.tmp", d))
			r.wait(d, after)

			must(t, os.Remove(c))
			r.wait(c, "")
			writeSlowly(t, c, after, os.O_CREATE)
			r.wait(c, after)
			r.only(a, c, d)
		})
	}
}

func TestLifeCycle_DirectoryReplaced(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "maps")
			a, b, c := dir+"/a.yaml", dir+"/b.yaml", dir+"/c.yaml"
			put(t, a, before)
			put(t, b, before)
			r := observe(t, m, dir)

			put(t, dir+".new/b.yaml", after)
			put(t, dir+".new/c.yaml", after)
			must(t, os.Rename(dir, dir+".old"))
			must(t, os.Rename(dir+".new", dir))
			r.wait(a, "")
			r.wait(b, after)
			r.wait(c, after)
			eventually(t, func() bool { return r.named(dir) > 0 }, func() string { return "the directory was not named" })

			writeSlowly(t, c, before, os.O_TRUNC)
			r.wait(c, before)
			put(t, dir+".old/b.yaml", before) // Not ours any more.

			must(t, os.RemoveAll(dir))
			r.wait(b, "")
			r.wait(c, "")
			put(t, a, after)
			r.wait(a, after)
			r.only(dir, a, b, c)
		})
	}
}

// As kubelet updates a ConfigMap: also with a key more and a key less.
func TestLifeCycle_ConfigMapOfDocuments(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a, b, c := dir+"/a.yaml", dir+"/b.yaml", dir+"/c.yaml"
			publish(t, dir, "1", map[string]string{"a.yaml": before, "b.yaml": before})
			r := observe(t, m, dir)
			for i := range 3 {
				want := fmt.Sprint(after, i)
				publish(t, dir, fmt.Sprint(2+2*i), map[string]string{"a.yaml": want, "c.yaml": want})
				r.wait(a, want)
				r.wait(b, "")
				r.wait(c, want)
				publish(t, dir, fmt.Sprint(3+2*i), map[string]string{"a.yaml": before, "b.yaml": want})
				r.wait(a, before)
				r.wait(b, want)
				r.wait(c, "")
			}
			r.only(a, b, c)
		})
	}
}

// Documents that are links into other directories, through a link in the way.
func TestLifeCycle_LinkedDocuments(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			dir, a := base+"/maps", base+"/maps/a.yaml"
			put(t, base+"/v1/acme/map", before)
			put(t, base+"/v2/acme/map", after)
			link(t, "v1", base+"/current")
			must(t, os.Mkdir(dir, 0o755))
			must(t, os.Symlink("../current/acme/map", a))
			r := observe(t, m, dir)
			r.wait(a, before)
			link(t, "v2", base+"/current")
			r.wait(a, after)
			writeSlowly(t, base+"/v2/acme/map", before, os.O_TRUNC)
			r.wait(a, before)
			r.only(a)
		})
	}
}

// A document that is new and a link is written in place where it points to, in a
// directory that nothing else leads to.
func TestLifeCycle_NewLinkedDocument(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir, elsewhere := t.TempDir(), t.TempDir()
			put(t, dir+"/a.yaml", before)
			r := observe(t, m, dir)
			put(t, elsewhere+"/b", before)
			link(t, elsewhere+"/b", dir+"/b.yaml")
			r.wait(dir+"/b.yaml", before)
			writeSlowly(t, elsewhere+"/b", after, os.O_TRUNC)
			r.wait(dir+"/b.yaml", after)
		})
	}
}

func TestLifeCycle_FileBecomesDirectory(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "map")
			a := filepath.Join(path, "a.yaml")
			put(t, path, before)
			r := observe(t, m, path)
			for range 2 {
				must(t, os.Remove(path))
				put(t, a, before)
				r.wait(a, before)
				writeSlowly(t, a, after, os.O_TRUNC)
				r.wait(a, after)
				must(t, os.RemoveAll(path))
				put(t, path, after)
				r.wait(path, after)
				r.wait(a, "")
			}
		})
	}
}

// The Set can change at any time; what left it is not named, what came to it is
// named only if it changes afterwards.
func TestSet_Changes(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			one, two := dir+"/one/db", dir+"/two/db"
			put(t, one, before)
			put(t, two, before)
			r := observe(t, m, one)
			r.w.Set([]string{two, two})
			put(t, one, after)
			put(t, two, after)
			r.wait(two, after)
			if n := r.named(one); n != 0 {
				t.Errorf("a file that is not in the Set was named %d times", n)
			}
			r.w.Set([]string{one, two})
			r.read(one)
			r.wait(one, after)
			if n := r.named(one); n != 0 {
				t.Errorf("a file that did not change was named %d times", n)
			}
			put(t, one, before)
			r.wait(one, before)
			r.w.Set(nil)
			r.w.mu.Lock()
			defer r.w.mu.Unlock()
			if n := len(r.w.watches.watched) + len(r.w.tree.routes) + len(r.w.tree.files) + len(r.w.unsettled); n != 0 {
				t.Errorf("watching nothing: %d things left of what was watched", n)
			}
			if left := r.w.watches.notifier.pathsOf(r.w.inbox); len(left) != 0 {
				t.Errorf("watching nothing: left are %q", left)
			}
		})
	}
}

// One file reached by several paths, some of them relative or not clean.
func TestSet_SeveralPathsOfOneFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	put(t, "maps/a.yaml", before)
	must(t, os.Symlink("maps", "link"))
	paths := []string{"maps/", "./maps", "link/a.yaml", "maps/../maps/a.yaml", dir + "/maps"}
	named := []string{"maps/a.yaml", "link/a.yaml", "maps/../maps/a.yaml", dir + "/maps/a.yaml"}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			r := observe(t, m, paths...)
			put(t, "tmp", after)
			must(t, os.Rename("tmp", "maps/a.yaml"))
			for _, p := range named {
				r.wait(p, after)
			}
			r.only(named...)
			put(t, "maps/a.yaml", before)
			for _, p := range named {
				r.wait(p, before)
			}
		})
	}
}

// The documents that the swap of a link replaces are reported as one, although some of them
// were complete long before the link was made, and one was written just then.
func TestLifeCycle_SwapIsOneChange(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			dir := base + "/maps"
			for _, name := range []string{"a", "b"} {
				put(t, base+"/v1/"+name+".yaml", before)
			}
			link(t, "v1", dir)
			r := observe(t, m, dir)
			for i, name := range []string{"a", "b", "c"} {
				path := base + "/v2/" + name + ".yaml"
				put(t, path, after)
				written := time.Now().Add(time.Duration(i-1) * time.Hour)
				must(t, os.Chtimes(path, written, written))
			}
			link(t, "v2", dir)
			var want []string
			for _, name := range []string{"a", "b", "c"} {
				want = append(want, dir+"/"+name+".yaml")
				r.wait(dir+"/"+name+".yaml", after)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, c := range r.changes {
				got := slices.DeleteFunc(slices.Clone(c.Paths), func(p string) bool { return p == dir })
				if len(got) > 0 && !slices.Equal(got, want) {
					t.Errorf("named %q by themselves, want %q", got, want)
				}
			}
		})
	}
}
