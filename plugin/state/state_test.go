package state

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// acquired returns the state in a directory that is the map's own, for writing.
func acquired(dir string) (*Dir, error) {
	d := openAt(dir, "/maps", "maps")
	if _, err := d.Acquire(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func opened(t testing.TB, dir string) *Dir {
	t.Helper()
	d, err := acquired(dir)
	must(t, err)
	return d
}

func open(t testing.TB, dir string) *Dir {
	t.Helper()
	d := opened(t, dir)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

// version returns the i-th version of a map: documents that change at different
// times, come and go, some with zone files, one of which two share.
func version(i int) (*Manifest, [][]byte) {
	m := &Manifest{Settings: strconv.Itoa(i), Serials: map[string]uint32{"example.org.": uint32(i), "example.net.": 1}}
	var texts [][]byte
	keep := func(format string, args ...any) Sum {
		text := fmt.Appendf(nil, format, args...)
		texts = append(texts, text)
		return sha256.Sum256(text)
	}
	for j := range 8 {
		if (i+j)%7 == 0 {
			continue
		}
		doc := Document{Name: fmt.Sprintf("%d.yaml", j), Text: keep("document %d, revision %d\n%s", j, i/(j+1), strings.Repeat("# filler\n", 100*j))}
		for z := range j % 3 {
			doc.ZoneFiles = append(doc.ZoneFiles, ZoneFile{Name: fmt.Sprintf("db.%d.%d", j, z), Text: keep("zone file %d, revision %d\n", z, i/3)})
		}
		m.Documents = append(m.Documents, doc)
	}
	return m, texts
}

// save saves the i-th version.
func save(d *Dir, i int) error {
	m, texts := version(i)
	if _, err := putAll(d, texts); err != nil {
		return err
	}
	return d.Save(m)
}

// saved returns which version is saved, 0 for none, and an error unless all of
// it can be loaded and read.
func saved(d *Dir) (int, error) {
	got, err := d.Load()
	if got == nil || err != nil {
		return 0, err
	}
	i, err := strconv.Atoi(got.Settings)
	if err != nil {
		return 0, err
	}
	want, texts := version(i)
	if !reflect.DeepEqual(got, want) {
		return 0, fmt.Errorf("want %+v, got %+v", want, got)
	}
	for _, text := range texts {
		data, err := d.Read(sha256.Sum256(text))
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(data, text) {
			return 0, fmt.Errorf("want the text %q, got %q", text, data)
		}
	}
	return i, nil
}

// wantSaved checks that the i-th version is saved, with all its texts.
func wantSaved(t testing.TB, d *Dir, i int) {
	t.Helper()
	if got, err := saved(d); err != nil || got != i {
		t.Fatalf("want version %d saved, got %d and error %v", i, got, err)
	}
}

// wantError checks that an error says all of the words.
func wantError(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("want an error with %q, got none", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("want an error with %q, got %q", w, err)
		}
	}
}

// files returns the names of all files of a directory, which have the right mode.
func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := e.Info()
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != dir && fi.Mode().Perm() != 0o700, !e.IsDir() && fi.Mode() != 0o600:
			t.Errorf("%s has mode %v", path, fi.Mode())
		case !e.IsDir():
			name, err := filepath.Rel(dir, path)
			names = append(names, name)
			return err
		}
		return nil
	}))
	return names
}

// wantTidy checks that there is nothing on disk but the i-th version.
func wantTidy(t testing.TB, dir string, i int) {
	t.Helper()
	_, texts := version(i)
	want := map[string]bool{manifestName: true, copyName: true}
	for _, text := range texts {
		want[filepath.FromSlash(Sum(sha256.Sum256(text)).path())] = true
	}
	got := files(t, dir)
	for _, name := range got {
		if !want[name] {
			t.Errorf("%s was left behind", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("want %d files, got %d", len(want), len(got))
	}
}

func TestState_SavedIsLoaded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "above", "state")
	for i := range 30 {
		d := opened(t, dir)
		wantSaved(t, d, i)
		if i%3 == 0 {
			wantSaved(t, d, i) // Nothing is used up.
		}
		must(t, save(d, i+1))
		wantSaved(t, d, i+1)
		must(t, d.Close())
		wantTidy(t, dir, i+1)
	}
	for _, name := range []string{dir, filepath.Dir(dir)} {
		if fi, err := os.Stat(name); err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("want %s to be for its owner only, got %v, %v", name, fi, err)
		}
	}
}

func TestState_Empty(t *testing.T) {
	d := open(t, t.TempDir())
	if m, err := d.Load(); m != nil || err != nil {
		t.Errorf("want nothing, got %v, %v", m, err)
	}
	must(t, d.Save(&Manifest{Documents: []Document{}, Serials: map[string]uint32{}}))
	if m, err := d.Load(); err != nil || !reflect.DeepEqual(m, &Manifest{}) {
		t.Errorf("want an empty manifest, got %+v, %v", m, err)
	}
	sum, err := put(d, nil)
	must(t, err)
	if data, err := d.Read(sum); err != nil || len(data) != 0 {
		t.Errorf("want an empty text, got %q, %v", data, err)
	}
}

func TestState_PutWritesOnce(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	steps := 0
	d.dir.disk.hook = func(_ step, do func() error) error { steps++; return do() }
	text := []byte("text")
	sum, err := put(d, text)
	must(t, err)
	if steps == 0 {
		t.Fatal("nothing was written")
	}
	wrote := steps
	for range 3 {
		_, err := put(d, text)
		must(t, err)
	}
	sums, err := putAll(d, [][]byte{text, text, text})
	must(t, err)
	if !reflect.DeepEqual(sums, []Sum{sum, sum, sum}) {
		t.Errorf("want %s three times, got %s", sum, sums)
	}
	if steps != wrote {
		t.Errorf("want nothing written again, got %d steps", steps-wrote)
	}
	for what, damage := range map[string]func(path string) error{
		"gone":    os.Remove,
		"shorter": func(path string) error { return os.Truncate(path, 1) },
	} {
		must(t, damage(filepath.Join(dir, sum.path())))
		_, err := put(d, text)
		must(t, err)
		if data, err := d.Read(sum); err != nil || string(data) != "text" {
			t.Errorf("%s: want the text written again, got %q, %v", what, data, err)
		}
	}
}

// A text of an earlier process is looked at before it is taken for written.
func TestState_PutMendsDamaged(t *testing.T) {
	dir := t.TempDir()
	d := opened(t, dir)
	must(t, save(d, 1))
	must(t, d.Close())
	_, texts := version(1)
	sum := Sum(sha256.Sum256(texts[2]))
	must(t, os.WriteFile(filepath.Join(dir, sum.path()), bytes.Repeat([]byte("x"), len(texts[2])), 0o600))

	d = open(t, dir)
	if _, err := d.Read(sum); !errors.Is(err, ErrDamaged) {
		t.Errorf("want an ErrDamaged, got %v", err)
	}
	d.dir.disk.hook = func(step, func() error) error { return syscall.EIO }
	if _, err := putAll(d, texts); !errors.Is(err, syscall.EIO) {
		t.Errorf("want an EIO, got %v", err)
	}
	d.dir.disk.hook = nil
	m, _ := version(1)
	wantError(t, d.Save(m), "put it first") // What is damaged is not there.
	_, err := putAll(d, texts)
	must(t, err)
	wantSaved(t, d, 1)
}

func TestState_SaveNeedsTexts(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	must(t, save(d, 1))
	m, _ := version(2)
	wantError(t, d.Save(m), dir, `"0.yaml"`, "put it first")
	wantSaved(t, d, 1)
	must(t, save(d, 2))
	wantSaved(t, d, 2)
}

// What is not named by the next Save goes, and what was never named.
func TestState_PutWithoutSave(t *testing.T) {
	dir := t.TempDir()
	d := opened(t, dir)
	must(t, save(d, 1))
	_, err := put(d, []byte("never named"))
	must(t, err)
	must(t, d.Close())
	d = open(t, dir)
	wantSaved(t, d, 1)
	_, err = put(d, []byte("not named next"))
	must(t, err)
	must(t, save(d, 2))
	wantTidy(t, dir, 2)
}

func TestState_Closed(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, d.Close())
	_, load := d.Load()
	_, read := d.Read(Sum{})
	_, put := put(d, nil)
	for _, err := range []error{load, read, put, d.Save(&Manifest{})} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("want an fs.ErrClosed, got %v", err)
		}
	}
	must(t, d.Close())
}

// Temporary files go at Open; what is not ours stays.
func TestState_LeftoversRemoved(t *testing.T) {
	dir := t.TempDir()
	d := opened(t, dir)
	must(t, save(d, 1))
	must(t, d.Close())
	_, texts := version(1)
	left := Sum(sha256.Sum256(texts[0])).path() + tmpSuffix
	ours := []string{manifestName + tmpSuffix, left}
	theirs := []string{"README", "notes.tmp", "blobs/README", "blobs/xy", filepath.Dir(left) + "/notes.tmp", filepath.Dir(left) + "/notes"}
	for _, name := range append(ours, theirs...) {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600))
	}
	d = open(t, dir)
	wantSaved(t, d, 1)
	must(t, save(d, 2))
	for _, name := range ours {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	for _, name := range theirs {
		must(t, os.Remove(filepath.Join(dir, name)))
	}
	wantTidy(t, dir, 2)
}
