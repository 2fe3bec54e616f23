package state

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestState_TwoProcesses(t *testing.T) {
	dir := t.TempDir()
	first := start(t, "hold", dir)
	if !first.out.Scan() || first.out.Text() != "open" {
		t.Fatalf("want the directory open, got %q", first.out.Text())
	}
	for range 2 {
		_, err := acquired(dir)
		wantError(t, err, dir, "process "+strconv.Itoa(first.cmd.Process.Pid), `"maps for example.org."`, "a directory of its own")
	}
	first.kill(t, "")
	d := open(t, dir)
	must(t, save(d, 1))

	second := start(t, "hold", dir)
	if second.out.Scan() {
		t.Errorf("want the directory refused, got %q", second.out.Text())
	}
	must(t, second.in.Close())
	if err := second.cmd.Wait(); err == nil || err.Error() != "exit status 1" {
		t.Errorf("want the second process to fail, got %v", err)
	}
	wantError(t, errors.New(second.errs.String()), dir, "process "+strconv.Itoa(os.Getpid())+` ("maps") uses it`)
	wantSaved(t, d, 1)
}

// Maps of one process in one directory are separate by path. Under whatever path,
// a directory is one.
func TestState_TwoMaps(t *testing.T) {
	above := t.TempDir()
	dir, link := filepath.Join(above, "state"), filepath.Join(above, "link")
	must(t, os.Symlink(dir, link))
	for i, path := range []string{"/etc/a/maps.yaml", "/etc/b/maps.yaml", "/" + strings.Repeat("x", 255)} {
		var dirs []*Dir
		for _, dir := range []string{dir, link, dir + "/../state/"} {
			d := Open(dir, path, "maps.yaml")
			if i, err := saved(d); i != 0 && len(dirs) == 0 || err != nil {
				t.Errorf("%s begins with version %d of another map, %v", path, i, err)
			}
			_, err := d.Acquire()
			must(t, err)
			must(t, save(d, 10*i+len(dirs)+1))
			dirs = append(dirs, d)
		}
		for _, d := range dirs {
			wantSaved(t, d, 10*i+3)
			defer d.Close()
		}
	}
	again := Open(dir, "/etc/a/maps.yaml", "maps.yaml")
	defer again.Close()
	wantSaved(t, again, 3)
	if names, err := os.ReadDir(dir); err != nil || len(names) != 4 {
		t.Errorf("want a lock and a directory for each map, got %v, %v", names, err)
	}
}

// As in a Corefile reload: the new instance opens while the old one goes on,
// and either can be the one that stays.
func TestState_Reload(t *testing.T) {
	for _, stays := range []string{"old", "new"} {
		t.Run(stays, func(t *testing.T) {
			dir := t.TempDir()
			d := open(t, dir)
			must(t, save(d, 1))
			next := open(t, dir)
			wantSaved(t, next, 1)

			_, texts := version(4)
			_, err := putAll(next, texts)
			must(t, err)
			must(t, save(d, 2)) // The texts of 4 are not in it.
			m, _ := version(4)
			must(t, next.Save(m))
			wantSaved(t, next, 4)
			wantSaved(t, d, 4)
			m, _ = version(2) // Its texts are not in 4, and not put again.
			must(t, d.Save(m))
			wantSaved(t, d, 2)

			if stays == "old" {
				d, next = next, d
			}
			must(t, d.Close())
			wantSaved(t, next, 2)
			must(t, save(next, 5))
			wantSaved(t, next, 5)
			wantTidy(t, dir, 5)
			must(t, next.Close())
			wantSaved(t, open(t, dir), 5)
		})
	}
}

// What an open Dir has loaded and nothing else names stays for that Dir to read.
func TestState_ReloadKeepsLoaded(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, save(d, 1))
	next := open(t, d.dir.disk.path)
	if _, err := next.Load(); err != nil {
		t.Fatal(err)
	}
	must(t, d.Close())
	other := open(t, next.dir.disk.path)
	must(t, save(other, 5))
	m, texts := version(1)
	for _, text := range texts {
		if _, err := next.Read(sha256.Sum256(text)); err != nil {
			t.Error(err)
		}
	}
	must(t, next.Save(m))
	wantSaved(t, next, 1)
}

func TestState_Concurrent(t *testing.T) {
	dir := t.TempDir()
	must(t, save(open(t, dir), 1))
	var work sync.WaitGroup
	for g := range 4 {
		work.Go(func() {
			for i := range 10 {
				d, err := acquired(dir)
				if err == nil {
					_, err = d.Load()
				}
				if err == nil {
					err = save(d, 1+10*g+i)
				}
				if err == nil {
					err = d.Close()
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	d := open(t, dir)
	i, err := saved(d)
	if err != nil || i == 0 {
		t.Fatalf("want a version saved, got %d, %v", i, err)
	}
	must(t, d.Save(&Manifest{}))
	must(t, save(d, i))
	must(t, d.Close())
}

func TestState_ReloadsLeaveNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts descriptors in /proc")
	}
	descriptors := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(names)
	}
	dir := t.TempDir()
	goroutines, before := runtime.NumGoroutine(), descriptors()
	old := opened(t, dir)
	for i := range 100 {
		next := opened(t, dir)
		must(t, save(next, i+1))
		must(t, old.Close())
		old = next
	}
	if n := descriptors() - before; n != 2 {
		t.Errorf("want two descriptors in use, got %d", n)
	}
	must(t, old.Close())
	if n := descriptors(); n != before || len(openState.directories) != 0 {
		t.Errorf("want %d open descriptors as before and no open directory, got %d and %d", before, n, len(openState.directories))
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("want at most %d goroutines as before, got %d", goroutines, n)
	}
}

// An operator moves the directory away and does not stop the server first: nothing
// is written to where nobody would find it, and it comes back when it is acquired.
func TestState_RemovedWhileInUse(t *testing.T) {
	for name, remove := range map[string]func(dir string) error{
		"directory": os.RemoveAll,
		"replaced": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o700))
		},
		"above": func(dir string) error { return os.RemoveAll(filepath.Dir(dir)) },
		"lock":  func(dir string) error { return os.Remove(filepath.Join(filepath.Dir(dir), lockName)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "above", "state")
			d := open(t, dir)
			must(t, save(d, 1))
			if !d.Ready() {
				t.Error("want it ready")
			}
			must(t, remove(dir))
			m, _ := version(1)
			wantError(t, d.Save(m), filepath.Dir(dir), "removed or replaced", "acquire")
			_, err := put(d, nil)
			wantError(t, err, filepath.Dir(dir), "removed or replaced", "acquire")
			if d.Ready() {
				t.Error("want it not ready")
			}
			there, err := d.Acquire()
			must(t, err)
			if there == nil || (there.Serials == nil) == (name == "lock") {
				t.Errorf("want what is there now, got %+v", there)
			}
			if again, err := d.Acquire(); again != nil || err != nil {
				t.Errorf("want nothing new, got %+v, %v", again, err)
			}
			if lacks := d.Lacks(m); len(lacks) == 0 {
				t.Error("want all texts lacking: nobody knows what was done to them")
			}
			must(t, save(d, 2))
			wantTidy(t, dir, 2)
			must(t, d.Close())
			wantSaved(t, open(t, dir), 2)
		})
	}
}

func TestState_NoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, path := range []string{file, file + "/state"} {
		_, err := acquired(path)
		wantError(t, err, fmt.Sprintf("cannot use the state directory %q", path), "not a directory")
	}
	if len(openState.directories) != 0 {
		t.Errorf("want no open directory after errors, got %d", len(openState.directories))
	}
}

// Without rights to the directory. Root has all of them.
func TestState_NoPermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may do everything; TestState_Disk tries a read-only disk")
	}
	dir := t.TempDir()
	d := open(t, dir)
	must(t, save(d, 1))
	must(t, os.Chmod(dir, 0o500))
	defer os.Chmod(dir, 0o700)
	err := save(d, 2)
	wantError(t, err, dir, "let the server read and write there")
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("want an fs.ErrPermission, got %v", err)
	}
	wantSaved(t, d, 1)
}
