package source

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Mounts are tried in a mount namespace of their own, which only root can have:
// the test starts itself there.
func TestLifeCycle_BindMounts(t *testing.T) {
	if os.Getenv(mountChild) != "" {
		t.Run("file written", bindFileWritten)
		t.Run("file replaced", bindFileReplaced)
		t.Run("directory", bindDirectory)
		t.Run("directory of two watchers", bindDirectoryOfTwo)
		return
	}
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("mounting takes root")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLifeCycle_BindMounts$", "-test.v", "-test.parallel=9", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), mountChild+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // Go makes its mounts private.
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil && !strings.Contains(string(out), "--- ") {
		t.Skipf("no mount namespace to be had: %v", err)
	}
	if err != nil {
		t.Error(err)
	}
}

func bind(t *testing.T, from, to string) {
	t.Helper()
	if err := syscall.Mount(from, to, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("mounting: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(to, syscall.MNT_DETACH) })
}

// unmount takes the mount at path away at once (umount -l). Without MNT_DETACH the kernel
// answers EBUSY while the poll of a watcher has a file below path open.
func unmount(t *testing.T, path string) {
	t.Helper()
	must(t, syscall.Unmount(path, syscall.MNT_DETACH))
}

// As docker run -v host/map.yaml:inside/map.yaml does. What is written to the
// file has its events at the directory it was mounted from only.
func bindFileWritten(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		dir := t.TempDir()
		host, inside := dir+"/host/map.yaml", dir+"/in side/map.yaml"
		put(t, host, before)
		put(t, inside, "")
		bind(t, host, inside)
		r := observe(t, m, inside)
		r.onlyEver(inside, before, after)
		writeSlowly(t, host, after, os.O_TRUNC)
		r.wait(inside, after)
		writeSlowly(t, inside, before, os.O_TRUNC)
		r.wait(inside, before)
	}
}

// The file on the host is replaced: the mount keeps the old one, which nobody
// but the log can change; when it is mounted anew, the poll finds it.
func bindFileReplaced(t *testing.T) {
	t.Parallel()
	for _, watched := range []string{"map.yaml", ""} {
		dir := t.TempDir()
		host, inside := dir+"/host/map.yaml", dir+"/inside/map.yaml"
		put(t, host, before)
		put(t, inside, "")
		bind(t, host, inside)
		var d diary
		r := readFrom(t, newWatcher(Options{Poll: 100 * time.Millisecond, Log: d.log}, newWatchSet(shared)), filepath.Join(dir, "inside", watched))
		r.wait(inside, before)
		r.onlyEver(inside, before, after)
		put(t, host+".tmp", after)
		must(t, os.Rename(host+".tmp", host))
		d.want(t, "still has its old content: mount the directory it is in", 1)
		if got := r.content(inside); got != before {
			t.Errorf("want %q in force, got %q", before, got)
		}
		unmount(t, inside)
		bind(t, host, inside)
		r.wait(inside, after)
		writeSlowly(t, host, before, os.O_TRUNC)
		r.wait(inside, before)
		d.want(t, "still has its old content", 1)
	}
}

// A directory mounted twice is one to the kernel, which names the directory by one of
// its paths.
func bindDirectory(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		dir := t.TempDir()
		host, inside := dir+"/host", dir+"/inside"
		put(t, host+"/a.yaml", before)
		must(t, os.Mkdir(inside, 0o755))
		bind(t, host, inside)
		a, b := filepath.Join(inside, "a.yaml"), filepath.Join(host, "a.yaml")
		r := observe(t, m, inside, host)
		r.onlyEver(a, before, after)
		put(t, host+"/tmp", after)
		must(t, os.Rename(host+"/tmp", host+"/a.yaml"))
		r.wait(a, after)
		r.wait(b, after)
		writeSlowly(t, inside+"/a.yaml", before, os.O_TRUNC)
		r.wait(a, before)
		r.wait(b, before)
	}
}

// The same, with a watcher for each of its paths: the one sees what the other
// is, and goes on when the other's path is gone.
func bindDirectoryOfTwo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	host, inside := dir+"/host", dir+"/inside"
	put(t, host+"/a.yaml", before)
	must(t, os.Mkdir(inside, 0o755))
	bind(t, host, inside)
	k := newNotifier()
	first := readFrom(t, newWatcher(Options{Log: t.Logf}, newWatchSet(k)), inside)
	second := readFrom(t, newWatcher(Options{Log: t.Logf}, newWatchSet(k)), host)
	a, b := inside+"/a.yaml", host+"/a.yaml"
	put(t, host+"/tmp", after)
	must(t, os.Rename(host+"/tmp", b))
	first.wait(a, after)
	second.wait(b, after)
	writeSlowly(t, a, before, os.O_TRUNC)
	first.wait(a, before)
	second.wait(b, before)

	unmount(t, inside)
	second.w.Set([]string{host, host + "/more"}) // Places the watches again.
	writeSlowly(t, b, after, os.O_TRUNC)
	second.wait(b, after)
}
