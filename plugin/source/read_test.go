//go:build unix

package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/file", before)
	put(t, dir+"/empty", "")
	must(t, os.Symlink("file", dir+"/link"))
	must(t, os.Symlink("nowhere", dir+"/dangling"))
	must(t, os.Symlink("loop", dir+"/loop"))
	must(t, syscall.Mkfifo(dir+"/fifo", 0o644))
	must(t, os.Symlink("fifo", dir+"/link to fifo"))
	sock, err := net.Listen("unix", filepath.Join(dir, "s"))
	must(t, err)
	defer sock.Close()
	size := int64(len(before))
	tests := []struct {
		path  string
		limit int64
		want  string
		err   error
		text  string
	}{
		{"file", size, before, nil, ""},
		{"link", size, before, nil, ""},
		{"empty", 0, "", nil, ""},
		{"file", size - 1, "", ErrTooLarge, `is larger than 21: split it into a directory of documents`},
		{"nowhere", size, "", fs.ErrNotExist, ""},
		{"dangling", size, "", errDangling, "leads to nothing"},
		{"file/below", size, "", fs.ErrNotExist, ""},
		{"loop", size, "", syscall.ELOOP, ""},
		{".", size, "", ErrNotRegular, "is a directory, not a regular file: put a file in its place"},
		{"fifo", size, "", ErrNotRegular, "is a FIFO, not a regular file"},
		{"link to fifo", size, "", ErrNotRegular, "is a FIFO"},
		{"s", size, "", ErrNotRegular, "is a socket"},
		{"/dev/null", size, "", ErrNotRegular, "is a device"},
	}
	for _, tt := range tests {
		path := tt.path
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		data, err := Read(path, tt.limit)
		if !errors.Is(err, tt.err) || err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: want error %v with %q, got %v", tt.path, tt.err, tt.text, err)
		}
		if string(data) != tt.want {
			t.Errorf("%s: want %q, got %q", tt.path, tt.want, data)
		}
	}
}

// A file of more than memory allows costs no memory; it is sparse, so that it
// costs no disk either.
func TestRead_LargerThanMemory(t *testing.T) {
	path := t.TempDir() + "/huge"
	put(t, path, "")
	must(t, os.Truncate(path, 1<<40))
	if n := testing.AllocsPerRun(1, func() {
		if _, err := Read(path, 1<<20); !errors.Is(err, ErrTooLarge) {
			t.Errorf("want %v, got %v", ErrTooLarge, err)
		}
	}); n > 50 {
		t.Errorf("want next to no allocations, got %v", n)
	}
}

// What grows or shrinks while it is read is not read.
func TestRead_Unsettled(t *testing.T) {
	for _, size := range []int64{3, 5} {
		if _, err := readExactly(bytes.NewReader([]byte("1234")), size); !errors.Is(err, errOtherSize) {
			t.Errorf("4 bytes where %d were seen: want %v, got %v", size, errOtherSize, err)
		}
	}
	if data, err := readExactly(bytes.NewReader([]byte("1234")), 4); err != nil || string(data) != "1234" {
		t.Errorf("want all 4 bytes, got %q, %v", data, err)
	}
	if _, err := readExactly(io.MultiReader(strings.NewReader("12"), errReader{}), 4); !errors.Is(err, syscall.EIO) {
		t.Errorf("want the reader's error, got %v", err)
	}

	path := t.TempDir() + "/busy"
	put(t, path, before)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				os.WriteFile(path, bytes.Repeat([]byte{'x'}, i%100_000), 0o644)
			}
		}
	}()
	for range 100 {
		data, err := Read(path, 1<<20)
		if err != nil && !errors.Is(err, ErrBeingWritten) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("want bytes or %v, got %v", ErrBeingWritten, err)
		}
		_ = data
	}
	close(stop)
	<-done
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, syscall.EIO }

// Between a change and the word of it, the Watcher's Read refuses the file, for
// it may be half written; also if it is gone, for it may be about to be created.
func TestWatcherRead_OnlyAsTold(t *testing.T) {
	dir := t.TempDir()
	path, doc, other := dir+"/file", dir+"/maps/a.yaml", dir+"/maps/b.yaml"
	put(t, path, before)
	put(t, doc, before)
	w := newWatcher(Options{}, closedWatchSet()) // There is no event: the fallback poll is a second away.
	defer w.Close()
	w.Set([]string{path, dir + "/maps", dir + "/none"})
	read := func(p string, want error, data string) {
		t.Helper()
		got, err := w.Read(p, 1<<20)
		if !errors.Is(err, want) || string(got) != data {
			t.Errorf("%s: want %q, %v, got %q, %v", p, data, want, got, err)
		}
	}
	read(path, nil, before)
	read(doc, nil, before)
	read(other, fs.ErrNotExist, "")
	read(dir+"/none", fs.ErrNotExist, "")
	put(t, path, after)
	put(t, doc, after[:5])
	put(t, other, after[:5])
	put(t, dir+"/none", after[:5])
	put(t, dir+"/unknown", after)
	read(path, ErrUnsettled, "")
	read(doc, ErrUnsettled, "")
	read(other, ErrUnsettled, "")
	read(dir+"/none", ErrUnsettled, "")
	read(dir+"/unknown", nil, after)
	must(t, os.Remove(path))
	must(t, os.Remove(doc))
	read(path, ErrUnsettled, "")
	read(doc, ErrUnsettled, "")
	must(t, syscall.Mkfifo(path, 0o644))
	read(path, ErrUnsettled, "")
	var named []string
	for deadline := time.After(patienceOfTests); !slices.Contains(named, path); {
		select {
		case c := <-w.Changes():
			named = c.Paths
		case <-deadline:
			t.Fatalf("%s was not named", path)
		}
	}
	read(path, ErrNotRegular, "")
}

// A chmod does not make the content unsettled.
func TestWatcherRead_AfterChmod(t *testing.T) {
	path := t.TempDir() + "/file"
	put(t, path, before)
	w := newWatcher(Options{}, closedWatchSet())
	defer w.Close()
	w.Set([]string{path})
	time.Sleep(10 * time.Millisecond) // Longer than a tick of the file system's clock.
	must(t, os.Chmod(path, 0o600))
	if data, err := w.Read(path, 1<<20); err != nil || string(data) != before {
		t.Errorf("want %q, got %q, %v", before, data, err)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.yaml", "a.yml", "c.json", "B.yaml", ".hidden.yaml", "..data/d.yaml", "README.md", "a.yaml~", "yaml", ".yaml", "e.YAML", "d.yaml/inner.yaml"} {
		put(t, filepath.Join(dir, name), before)
	}
	must(t, os.Symlink("..data/d.yaml", dir+"/link.yaml"))
	got, err := List(dir + "/")
	want := []string{"B.yaml", "a.yml", "b.yaml", "c.json", "d.yaml", "link.yaml"}
	for i := range want {
		want[i] = filepath.Join(dir, want[i])
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("want %q, got %q, %v", want, got, err)
	}
	if _, err := List(dir + "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want %v, got %v", fs.ErrNotExist, err)
	}
}
