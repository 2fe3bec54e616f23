package source

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Samba and NFS servers have write leases of files that their clients use. They give one up
// when somebody opens the file, a moment later: the start waits for that.
func TestAwait_Leased(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.yaml")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	holder, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if errno := setLease(holder.Fd(), syscall.F_WRLCK); errno != 0 {
		t.Skipf("no leases here: %v", errno)
	}
	_, err = Await(path, 100, time.Now())
	if !Temporary(err) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "lease") {
		t.Errorf("got %v, want that there is a lease", err)
	}
	read := make(chan error, 1)
	go func() {
		text, err := Await(path, 100, time.Now().Add(patienceOfTests))
		if err == nil && string(text) != "text" {
			t.Errorf("read %q", text)
		}
		read <- err
	}()
	select {
	case err := <-read:
		t.Fatalf("the lease is not waited for: %v", err)
	case <-time.After(3 * openPoll): // To give it time to end where it must not.
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}
