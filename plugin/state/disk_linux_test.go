package state

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mountChild marks the process that has mounts of its own.
const mountChild = "ADDRESSMAP_STATE_MOUNTS"

// A full disk and a read-only one, each small and in memory. Mounts are tried in
// a mount namespace of their own, which only root can have: the test starts
// itself there.
func TestState_Disk(t *testing.T) {
	if os.Getenv(mountChild) != "" {
		t.Run("full", diskFull)
		t.Run("read-only", diskReadOnly)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("SKIPPED, a full and a read-only disk are not tried: mounting takes root")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestState_Disk$", "-test.v")
	cmd.Env = append(os.Environ(), mountChild+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // Go makes its mounts private.
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	switch {
	case err != nil && !strings.Contains(string(out), "--- "):
		t.Skipf("SKIPPED, a full and a read-only disk are not tried: no mount namespace to be had: %v", err)
	case err != nil:
		t.Error(err)
	}
}

func mountSmall(t *testing.T) (dir string) {
	dir = t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=128k"); err != nil {
		t.Skipf("SKIPPED: mounting: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func diskFull(t *testing.T) {
	disk := mountSmall(t)
	dir, filler := filepath.Join(disk, "state"), filepath.Join(disk, "filler")
	d := open(t, dir)
	must(t, save(d, 1))
	err := os.WriteFile(filler, make([]byte, 1<<20), 0o600)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("want the disk full, got %v", err)
	}

	full := func(err error, file string) {
		t.Helper()
		wantError(t, err, file, "no space left on device", "make room there")
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("want an ENOSPC, got %v", err)
		}
		wantSaved(t, d, 1)
		for _, name := range files(t, dir) {
			if strings.HasSuffix(name, tmpSuffix) {
				t.Errorf("%s takes space", name)
			}
		}
	}
	for i := 2; i < 5; i++ {
		full(save(d, i), filepath.Join(dir, blobsName))
	}
	_, err = put(d, bytes.Repeat([]byte("x"), 1<<20))
	full(err, filepath.Join(dir, blobsName))
	m, _ := version(1)
	full(d.Save(m), filepath.Join(dir, manifestName))

	must(t, d.Close())
	d = open(t, dir) // A start, with no space even for the note of its process.
	wantSaved(t, d, 1)
	full(save(d, 2), dir)

	must(t, os.Remove(filler))
	must(t, save(d, 2))
	wantSaved(t, d, 2)
	wantTidy(t, dir, 2)
}

func diskReadOnly(t *testing.T) {
	disk := mountSmall(t)
	dir := filepath.Join(disk, "state")
	d := open(t, dir)
	must(t, save(d, 1))
	remount := func(flags uintptr) { must(t, syscall.Mount("none", disk, "", syscall.MS_REMOUNT|flags, "")) }
	must(t, d.Close()) // A file that is open for writing keeps the disk writable.
	remount(syscall.MS_RDONLY)

	_, err := acquired(filepath.Join(disk, "another"))
	wantError(t, err, "another", "read-only file system")
	d = openAt(dir, "/maps", "maps")
	defer d.Close()
	_, err = d.Acquire()
	wantError(t, err, dir, "read-only file system", "let the server read and write there")
	wantSaved(t, d, 1)
	wantError(t, save(d, 2), dir, "not locked")
	wantSaved(t, d, 1)

	remount(0)
	m, err := d.Acquire()
	must(t, err)
	if m == nil || m.Serials["example.org."] != 1 {
		t.Errorf("want the serials that are there, got %+v", m)
	}
	must(t, save(d, 2))
	wantSaved(t, d, 2)
}

// A FIFO in a file's place would keep a reader waiting for its writer.
func TestState_Fifo(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	must(t, save(d, 1))
	_, texts := version(1)
	sum := Sum(sha256.Sum256(texts[0]))
	for _, name := range []string{manifestName, sum.path()} {
		must(t, os.Remove(filepath.Join(dir, name)))
		must(t, syscall.Mkfifo(filepath.Join(dir, name), 0o600))
	}
	_, err := d.Load()
	must(t, err)
	_, read := d.Read(sum)
	for _, err := range append(d.Damage()[:1], read) {
		wantError(t, err, "no regular file")
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("want an ErrDamaged, got %v", err)
		}
	}
	must(t, save(d, 1))
	wantSaved(t, d, 1)
}

// A child process that was started at the wrong moment has the lock file too.
func TestState_CloseUnlocks(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	heir, err := syscall.Dup(int(d.dir.lock.Fd()))
	must(t, err)
	defer syscall.Close(heir)
	must(t, d.Close())
	open(t, dir)
}
