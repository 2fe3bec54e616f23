package live

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/source"
)

// silent is a log that nobody reads.
type silent struct{}

func (silent) Infof(string, ...any)    {}
func (silent) Warningf(string, ...any) {}
func (silent) Errorf(string, ...any)   {}

// A document that is not there while its directory is moved away, and is listed
// again right after, is not gone.
func TestLife_GoneForAMoment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(path, []byte("anycast: [192.0.2.1]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	l := newLoader(Options{Path: dir, Log: silent{}}, nil, nil)
	if err := l.start(nil); err != nil {
		t.Fatal(err)
	}
	b := l.read([]string{path}, func(string, int64) ([]byte, error) { return nil, fs.ErrNotExist })
	if len(b.gone) > 0 || len(b.problems) > 0 || !b.unsettled {
		t.Errorf("gone %q, problems %v, unsettled %v", b.gone, b.problems, b.unsettled)
	}
}

// At the start, a file that has gone since the watcher saw it is waited for: its
// directory may be on its way back.
func TestLifeCycle_GoneAtTheStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "map.yaml")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	w := source.New(source.Options{Poll: time.Hour})
	defer w.Close()
	w.Set([]string{path})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Read(path, maxBytes); !errors.Is(err, source.ErrUnsettled) {
		t.Fatalf("Read() = %v, want that it is unsettled", err)
	}
	l := newLoader(Options{Path: path, Log: silent{}}, w, nil)
	l.startUntil = time.Now().Add(time.Minute)
	if _, err := l.readFirst(path, maxBytes); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("readFirst() = %v, want that it is gone, once that has settled", err)
	}
}

// A document that comes to count as removed while a load is under way is looked at again:
// nothing else may ever bring about another load.
func TestDirectory_DueDuringALoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "b.yaml")
	for _, p := range []string{filepath.Join(dir, "a.yaml"), path} {
		if err := os.WriteFile(p, []byte("{}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	woken := make(chan struct{}, 1)
	l := newLoader(Options{Path: dir, Log: silent{}}, nil, nil)
	l.wake = func() { woken <- struct{}{} }
	l.waits = patience{absence: time.Hour}
	if err := l.start(nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	b := l.read([]string{path}, source.Read)
	l.apply(b)
	if len(l.docs) != 2 || len(l.absent) != 1 {
		t.Fatalf("%d documents in force, absent %v; want that one is waited for", len(l.docs), l.absent)
	}
	l.absent[path] = l.judged.Add(time.Nanosecond - time.Hour) // It is due right after it was judged.
	l.report(b, l.snapshot(), time.Now(), Unchanged)
	select {
	case <-woken:
	case <-time.After(time.Minute):
		t.Error("nobody looks at it again")
	}
}
