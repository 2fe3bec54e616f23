//go:build unix

package source

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// ways are all the ways in which the file "map.yaml" of a directory changes from
// before to after. make, if not nil, makes it; else it is a plain file.
var ways = []struct {
	name   string
	make   func(t *testing.T, dir string)
	change func(t *testing.T, dir string)
}{
	{name: "in place in several writes", change: func(t *testing.T, dir string) {
		writeSlowly(t, dir+"/map.yaml", after, os.O_TRUNC)
	}},
	{name: "in place without truncation", change: func(t *testing.T, dir string) {
		writeSlowly(t, dir+"/map.yaml", after, 0)
	}},
	{name: "truncated then written", change: func(t *testing.T, dir string) {
		must(t, os.Truncate(dir+"/map.yaml", 0))
		time.Sleep(600 * time.Millisecond)
		writeSlowly(t, dir+"/map.yaml", after, 0)
	}},
	{name: "renamed over from the same directory", change: func(t *testing.T, dir string) {
		put(t, dir+"/map.yaml.tmp", after)
		must(t, os.Rename(dir+"/map.yaml.tmp", dir+"/map.yaml"))
	}},
	{name: "renamed over from elsewhere", change: func(t *testing.T, dir string) {
		tmp := filepath.Join(t.TempDir(), "map")
		put(t, tmp, after)
		must(t, os.Rename(tmp, dir+"/map.yaml"))
	}},
	{name: "deleted and created slowly", change: func(t *testing.T, dir string) {
		must(t, os.Remove(dir+"/map.yaml"))
		time.Sleep(200 * time.Millisecond)
		writeSlowly(t, dir+"/map.yaml", after, os.O_CREATE)
	}},
	{name: "deleted for long, then created", change: func(t *testing.T, dir string) {
		must(t, os.Remove(dir+"/map.yaml"))
		time.Sleep(700 * time.Millisecond)
		put(t, dir+"/map.yaml", after)
	}},
	{name: "as an editor with a backup does", change: func(t *testing.T, dir string) {
		must(t, os.Rename(dir+"/map.yaml", dir+"/map.yaml~"))
		writeSlowly(t, dir+"/map.yaml", after, os.O_CREATE)
		must(t, os.Remove(dir+"/map.yaml~"))
	}},
	{name: "hard link put in its place", change: func(t *testing.T, dir string) {
		put(t, dir+"/other", after)
		must(t, os.Remove(dir+"/map.yaml"))
		must(t, os.Link(dir+"/other", dir+"/map.yaml"))
	}},
	{name: "link swapped", make: func(t *testing.T, dir string) {
		put(t, dir+"/v1", before)
		link(t, "v1", dir+"/map.yaml")
	}, change: func(t *testing.T, dir string) {
		put(t, dir+"/v2", after)
		link(t, "v2", dir+"/map.yaml")
	}},
	{name: "link deleted and created", make: func(t *testing.T, dir string) {
		put(t, dir+"/v1", before)
		link(t, "v1", dir+"/map.yaml")
	}, change: func(t *testing.T, dir string) {
		put(t, dir+"/v2", after)
		must(t, os.Remove(dir+"/map.yaml"))
		must(t, os.Symlink(dir+"/v2", dir+"/map.yaml"))
	}},
	{name: "link put in the place of the file", change: func(t *testing.T, dir string) {
		put(t, dir+"/v2", after)
		link(t, "v2", dir+"/map.yaml")
	}},
	{name: "file put in the place of the link", make: func(t *testing.T, dir string) {
		put(t, dir+"/v1", before)
		link(t, "v1", dir+"/map.yaml")
	}, change: func(t *testing.T, dir string) {
		must(t, os.Remove(dir+"/map.yaml"))
		writeSlowly(t, dir+"/map.yaml", after, os.O_CREATE)
	}},
	{name: "link to elsewhere, target written in place", make: func(t *testing.T, dir string) {
		put(t, dir+"/up/there/v1", before)
		must(t, os.Mkdir(dir+"/links", 0o755))
		link(t, "../up/there/v1", dir+"/links/one")
		link(t, "links/one", dir+"/map.yaml")
	}, change: func(t *testing.T, dir string) {
		writeSlowly(t, dir+"/up/there/v1", after, os.O_TRUNC)
	}},
	{name: "link to elsewhere, directory of the target replaced", make: func(t *testing.T, dir string) {
		put(t, dir+"/up/there/v1", before)
		link(t, "up/there/v1", dir+"/map.yaml")
	}, change: func(t *testing.T, dir string) {
		put(t, dir+"/new/there/v1", after)
		must(t, os.Rename(dir+"/up", dir+"/down"))
		must(t, os.Rename(dir+"/new", dir+"/up"))
	}},
	{name: "link to itself, then to a file", make: func(t *testing.T, dir string) {
		put(t, dir+"/v1", before)
		link(t, "v1", dir+"/map.yaml")
	}, change: func(t *testing.T, dir string) {
		put(t, dir+"/v2", after)
		link(t, "map.yaml", dir+"/map.yaml")
		time.Sleep(100 * time.Millisecond)
		link(t, "v2", dir+"/map.yaml")
	}},
	{name: "..data swapped as kubelet does", make: func(t *testing.T, dir string) {
		must(t, os.Mkdir(dir, 0o755))
		publish(t, dir, "1", map[string]string{"map.yaml": before})
	}, change: func(t *testing.T, dir string) {
		publish(t, dir, "2", map[string]string{"map.yaml": after})
	}},
	{name: "directory replaced by rename", change: func(t *testing.T, dir string) {
		put(t, dir+".new/map.yaml", after)
		must(t, os.Rename(dir, dir+".old"))
		must(t, os.Rename(dir+".new", dir))
	}},
	{name: "directory deleted and created", change: func(t *testing.T, dir string) {
		must(t, os.RemoveAll(dir))
		time.Sleep(100 * time.Millisecond)
		must(t, os.Mkdir(dir, 0o755))
		writeSlowly(t, dir+"/map.yaml", after, os.O_CREATE)
	}},
	{name: "directory moved away and back", change: func(t *testing.T, dir string) {
		must(t, os.Rename(dir, dir+".old"))
		must(t, os.Rename(dir+".old", dir))
		time.Sleep(100 * time.Millisecond)
		writeSlowly(t, dir+"/map.yaml", after, os.O_TRUNC)
	}},
	{name: "directory replaced by a link", change: func(t *testing.T, dir string) {
		put(t, dir+".v2/map.yaml", after)
		must(t, os.Rename(dir, dir+".v1"))
		link(t, filepath.Base(dir)+".v2", dir)
	}},
	{name: "directory above replaced", change: func(t *testing.T, dir string) {
		above, name := filepath.Split(dir)
		above = filepath.Clean(above)
		put(t, filepath.Join(above+".new", name, "map.yaml"), after)
		must(t, os.Rename(above, above+".old"))
		must(t, os.Rename(above+".new", above))
	}},
	{name: "permissions taken and given back", change: func(t *testing.T, dir string) {
		must(t, os.Chmod(dir+"/map.yaml", 0))
		time.Sleep(100 * time.Millisecond)
		must(t, os.Remove(dir+"/map.yaml"))
		put(t, dir+"/map.yaml", after)
		must(t, os.Chmod(dir+"/map.yaml", 0))
		time.Sleep(600 * time.Millisecond)
		must(t, os.Chmod(dir+"/map.yaml", 0o644))
	}},
	{name: "permissions of the directory taken and given back", change: func(t *testing.T, dir string) {
		must(t, os.Chmod(dir, 0))
		time.Sleep(600 * time.Millisecond)
		must(t, os.Chmod(dir, 0o755))
		put(t, dir+"/map.yaml", after)
	}},
	{name: "FIFO in its place, then a file", change: func(t *testing.T, dir string) {
		must(t, os.Remove(dir+"/map.yaml"))
		must(t, syscall.Mkfifo(dir+"/map.yaml", 0o644))
		time.Sleep(700 * time.Millisecond)
		must(t, os.Remove(dir+"/map.yaml"))
		put(t, dir+"/map.yaml", after)
	}},
	{name: "directory in its place, then a file", change: func(t *testing.T, dir string) {
		must(t, os.Remove(dir+"/map.yaml"))
		must(t, os.Mkdir(dir+"/map.yaml", 0o755))
		time.Sleep(700 * time.Millisecond)
		must(t, os.Remove(dir+"/map.yaml"))
		put(t, dir+"/map.yaml", after)
	}},
	{name: "renamed over, then written on", change: func(t *testing.T, dir string) {
		put(t, dir+"/map.yaml.tmp", before)
		must(t, os.Rename(dir+"/map.yaml.tmp", dir+"/map.yaml"))
		writeSlowly(t, dir+"/map.yaml", after, os.O_TRUNC)
	}},
	{name: "link swapped, then the target written on", make: func(t *testing.T, dir string) {
		put(t, dir+"/v1", before)
		link(t, "v1", dir+"/map.yaml")
	}, change: func(t *testing.T, dir string) {
		put(t, dir+"/v2", before)
		link(t, "v2", dir+"/map.yaml")
		time.Sleep(20 * time.Millisecond) // More than a tick of the file system's clock.
		writeSlowly(t, dir+"/map.yaml", after, os.O_TRUNC)
	}},
	{name: "the same length in the same moment", change: func(t *testing.T, dir string) {
		put(t, dir+"/map.yaml", after[:5])
		put(t, dir+"/map.yaml", after)
	}},
}

func TestLifeCycle_EveryWayAFileChanges(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		for _, way := range ways {
			t.Run(m.name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "above", "maps")
				must(t, os.Mkdir(filepath.Dir(dir), 0o755))
				if way.make != nil {
					way.make(t, dir)
				} else {
					put(t, dir+"/map.yaml", before)
				}
				path := dir + "/map.yaml"
				r := observe(t, m, path)
				if got := r.content(path); got != before {
					t.Fatalf("want %q at first, got %q", before, got)
				}
				r.onlyEver(path, before, after, "")

				way.change(t, dir)
				changed := time.Now()
				r.wait(path, after)
				t.Logf("in force %s after the last write", time.Since(changed).Round(time.Millisecond))
			})
		}
	}
}

// What is missing at first is found when it comes, wherever the way breaks off.
func TestLifeCycle_MissingAtFirst(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		for _, missing := range []string{"", "above", "above/maps"} {
			t.Run(m.name+"/"+missing, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(missing)), 0o755))
				path := filepath.Join(dir, "above/maps/map.yaml")
				r := observe(t, m, path)
				r.onlyEver(path, after, "")
				must(t, os.MkdirAll(filepath.Dir(path), 0o755))
				writeSlowly(t, path, after, os.O_CREATE)
				r.wait(path, after)

				must(t, os.RemoveAll(filepath.Join(dir, "above")))
				r.wait(path, "")
			})
		}
	}
}

// A writer that never pauses is not read in the middle, does not keep others
// from being read, and is read when it ends.
func TestLifeCycle_EndlessWriter(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			busy, calm := dir+"/busy", dir+"/calm"
			put(t, busy, before)
			put(t, calm, before)
			r := observe(t, m, busy, calm)
			r.onlyEver(busy, before, after)
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for {
					os.WriteFile(busy, []byte(after[:9]), 0o644)
					select {
					case <-stop:
						os.WriteFile(busy, []byte(after), 0o644)
						return
					case <-time.After(50 * time.Millisecond):
					}
				}
			}()
			put(t, calm, after)
			r.wait(calm, after)
			if got := r.content(busy); got != before {
				t.Errorf("want %q in force while it is written, got %q", before, got)
			}
			close(stop)
			<-done
			r.wait(busy, after)
		})
	}
}
