package state

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// damages are the ways to damage a file.
var damages = map[string]func(path string) error{
	"an octet flipped": func(path string) error {
		data, err := os.ReadFile(path)
		if err == nil && len(data) > 0 {
			data[len(data)/2] ^= 4
		}
		return errors.Join(err, os.WriteFile(path, data, 0o600))
	},
	"cut": func(path string) error {
		fi, err := os.Stat(path)
		return errors.Join(err, os.Truncate(path, fi.Size()/2))
	},
	"empty":   func(path string) error { return os.Truncate(path, 0) },
	"removed": os.Remove,
	"a directory": func(path string) error {
		return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "with", "something"), 0o700))
	},
	"a link to nowhere": func(path string) error {
		return errors.Join(os.Remove(path), os.Symlink("nowhere", path))
	},
}

// Each file of a state is damaged in turn and in each way. Its content is lost, and
// nothing else; that is said, with the file and a remedy; and the next version is
// saved as ever.
func TestState_EachFileDamaged(t *testing.T) {
	t.Parallel()
	const n = 3
	m, texts := version(n)
	fresh := func() (dir string) {
		dir = t.TempDir()
		d := opened(t, dir)
		must(t, save(d, n))
		must(t, d.Close())
		return dir
	}
	for _, kind := range sorted(damages) {
		for _, name := range files(t, fresh()) {
			dir := fresh()
			must(t, damages[kind](filepath.Join(dir, name)))
			d := open(t, dir)
			got, err := d.Load()
			if err != nil || got == nil || string(got.encode()) != string(m.encode()) {
				t.Errorf("%s %s: want all that was saved, got %+v, %v", name, kind, got, err)
				continue
			}
			var lost []string
			for _, text := range texts {
				sum := Sum(sha256.Sum256(text))
				data, err := d.Read(sum)
				if err == nil && string(data) != string(text) {
					t.Fatalf("%s %s: %s is read wrong", name, kind, sum)
				}
				if err != nil && !slices.Contains(lost, sum.path()) {
					lost = append(lost, sum.path())
				}
			}
			var want []string
			if strings.HasPrefix(name, blobsName) {
				want = []string{name}
			}
			if !slices.Equal(lost, want) {
				t.Errorf("%s %s: want %q lost, got %q", name, kind, want, lost)
			}
			said := errors.Join(d.Damage()...)
			wantError(t, said, filepath.Join(dir, name), "backup")
			_, err = os.Lstat(filepath.Join(dir, damagedName, filepath.Base(name)))
			var aside bool
			switch kind {
			case "removed":
			case "a directory":
				aside = true
			case "a link to nowhere":
				aside = !strings.HasPrefix(name, manifestName) // which is renamed over
			default:
				aside = true
			}
			if aside != (err == nil) {
				t.Errorf("%s %s: want it set aside: %t, got %v", name, kind, aside, err)
			}
			must(t, save(d, n+1))
			wantSaved(t, d, n+1)
			must(t, d.Close())
			must(t, os.RemoveAll(filepath.Join(dir, damagedName)))
			d = open(t, dir)
			wantSaved(t, d, n+1)
			if said := d.Damage(); len(said) > 0 {
				t.Errorf("%s %s: want it mended, got %v", name, kind, said)
			}
			wantTidy(t, dir, n+1)
		}
	}
}

func sorted(ways map[string]func(string) error) (names []string) {
	for name := range ways {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// The lock file holds nothing: whatever becomes of it, nothing is lost or said, and it
// is locked again.
func TestState_LockDamaged(t *testing.T) {
	for _, kind := range sorted(damages) {
		dir := filepath.Join(t.TempDir(), "maps")
		d := opened(t, dir)
		must(t, save(d, 1))
		must(t, d.Close())
		must(t, damages[kind](filepath.Join(filepath.Dir(dir), lockName)))
		d = opened(t, dir)
		wantSaved(t, d, 1)
		must(t, save(d, 2))
		if said := d.Damage(); len(said) > 0 {
			t.Errorf("%s: want nothing said, got %v", kind, said)
		}
		_, err := os.Lstat(filepath.Join(filepath.Dir(dir), damagedName, lockName))
		if aside := strings.HasPrefix(kind, "a "); aside != (err == nil) {
			t.Errorf("%s: want it set aside: %t, got %v", kind, aside, err)
		}
		must(t, d.Close())
	}
}

// Directories of it that are none any more cost the texts in them.
func TestState_DirectoriesDamaged(t *testing.T) {
	m, texts := version(1)
	shard := Sum(sha256.Sum256(texts[0])).shard()
	for _, name := range []string{blobsName, shard, damagedName} {
		dir := t.TempDir()
		d := opened(t, dir)
		must(t, save(d, 1))
		must(t, d.Close())
		must(t, os.RemoveAll(filepath.Join(dir, name)))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
		must(t, os.Truncate(filepath.Join(dir, copyName), 10))
		d = open(t, dir)
		got, err := d.Load()
		if err != nil || string(got.encode()) != string(m.encode()) {
			t.Errorf("%s: want what was saved, got %+v, %v", name, got, err)
		}
		must(t, save(d, 1))
		wantSaved(t, d, 1)
		if fi, err := os.Stat(filepath.Join(dir, damagedName)); err != nil || !fi.IsDir() {
			t.Errorf("%s: want the damaged files set aside, got %v", name, err)
		}
	}
}

// Every octet of the manifest flipped: the other copy has all of it. Of both copies
// damaged nothing is left, and it begins anew.
func TestState_ManifestOctetsFlipped(t *testing.T) {
	dir := t.TempDir()
	d := opened(t, dir)
	must(t, save(d, 1))
	must(t, d.Close())
	good, err := os.ReadFile(filepath.Join(dir, manifestName))
	must(t, err)
	for _, name := range manifestNames {
		for i := range good {
			bad := slices.Clone(good)
			bad[i] ^= 1 << (i % 8)
			must(t, os.WriteFile(filepath.Join(dir, name), bad, 0o600))
			d := opened(t, dir)
			wantSaved(t, d, 1)
			wantError(t, errors.Join(d.Damage()...), name, "checksum", filepath.Join(dir, damagedName, name))
			must(t, d.Close())
		}
		must(t, os.WriteFile(filepath.Join(dir, name), good, 0o600))
	}
	for _, name := range manifestNames {
		must(t, os.Truncate(filepath.Join(dir, name), 50))
	}
	d = open(t, dir)
	wantSaved(t, d, 0)
	if said := d.Damage(); len(said) != 2 {
		t.Errorf("want both copies said to be damaged, got %v", said)
	}
	must(t, save(d, 2))
	wantSaved(t, d, 2)
}

// A disk that goes on damaging files does not fill up with them.
func TestState_SetAsideIsBounded(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	for i := range 5 * maxDamaged {
		sum, err := put(d, []byte{byte(i)})
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, sum.path()), nil, 0o600))
		if _, err := d.Read(sum); !errors.Is(err, ErrDamaged) {
			t.Fatalf("want an ErrDamaged, got %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, damagedName, sum.String())); err != nil {
			t.Fatalf("want the last one set aside: %v", err)
		}
	}
	if names, err := os.ReadDir(filepath.Join(dir, damagedName)); err != nil || len(names) > maxDamaged {
		t.Errorf("want at most %d, got %d, %v", maxDamaged, len(names), err)
	}
}

// What a later version has saved is neither read nor written over, also where only a line
// of it is unknown.
func TestState_LaterFormat(t *testing.T) {
	for _, name := range manifestNames {
		for body, says := range map[string]string{
			"addressmap state 2\nsomething new\n":                        `"addressmap state 2"`,
			firstLine + "\nsettings \"\"\nsomething 1 \"new\"\n":         `line 3: unknown word "something"`,
			firstLine + "\nsource \"in another place\"\nsettings \"\"\n": "not as this program writes them",
		} {
			laterFormat(t, name, body, says)
		}
	}
}

func laterFormat(t *testing.T, name, body, says string) {
	t.Helper()
	dir := t.TempDir()
	d := opened(t, dir)
	must(t, save(d, 1))
	must(t, d.Close())
	later := seal([]byte(body))
	must(t, os.WriteFile(filepath.Join(dir, name), later, 0o600))
	before := files(t, dir)
	_, err := acquired(dir)
	wantError(t, err, filepath.Join(dir, name), says, "later version", "another directory")
	d = openAt(dir, "/maps", "maps")
	m, err := d.Load()
	if m != nil {
		t.Errorf("want nothing read, got %+v", m)
	}
	wantError(t, err, "later version")
	wantError(t, save(d, 2), "not locked")
	must(t, d.Close())
	if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != string(later) {
		t.Errorf("%s: want it as it was, got %q, %v", name, data, err)
	}
	if after := files(t, dir); !slices.Equal(after, before) {
		t.Errorf("%s: want the files as they were, %q, got %q", name, before, after)
	}
}

// Whoever has the directory locked, it can be read; and when it is free, what the
// other process has saved is returned once.
func TestState_ReadWhileLocked(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "save", dir)
	for range 3 {
		if !p.out.Scan() {
			t.Fatal("want versions saved")
		}
	}
	d := openAt(dir, "/maps", "maps")
	t.Cleanup(func() { must(t, d.Close()) })
	_, err := d.Acquire()
	wantError(t, err, "uses it")
	if m, err := d.Load(); err != nil || m == nil || m.Serials["example.org."] < 2 {
		t.Errorf("want what was saved, got %+v, %v", m, err)
	}
	wantError(t, save(d, 1), "not locked")
	p.kill(t, "")
	p = start(t, "hold", dir)
	if !p.out.Scan() {
		t.Fatal("want the directory locked")
	}
	copied := filepath.Join(dir, copyName)
	must(t, os.Truncate(copied, 5))
	if m, err := d.Load(); m == nil || err != nil {
		t.Errorf("want the whole copy, got %v, %v", m, err)
	}
	wantError(t, errors.Join(d.Damage()...), copied, "backup")
	if fi, err := os.Stat(copied); err != nil || fi.Size() != 5 {
		t.Errorf("want what another process has left where it is, got %v", err)
	}
	p.kill(t, "")
	m, err := d.Acquire()
	must(t, err)
	if now, err := d.Load(); err != nil || m == nil || string(m.encode()) != string(now.encode()) {
		t.Errorf("want %+v, got %+v, %v", now, m, err)
	}
	if m, err := d.Acquire(); m != nil || err != nil {
		t.Errorf("want it once, got %+v, %v", m, err)
	}
	must(t, save(d, 1))
	wantSaved(t, d, 1)
}

// A copy that is whole and old, as one put back from a backup, costs nothing: the other one
// is newer.
func TestState_StaleCopy(t *testing.T) {
	for _, name := range manifestNames {
		dir := t.TempDir()
		d := opened(t, dir)
		must(t, save(d, 1))
		old, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		for i := 2; i <= 4; i++ {
			must(t, save(d, i))
		}
		must(t, d.Close())
		must(t, os.WriteFile(filepath.Join(dir, name), old, 0o600))
		d = opened(t, dir)
		wantSaved(t, d, 4)
		must(t, save(d, 5))
		must(t, d.Close())
		d = opened(t, dir)
		wantSaved(t, d, 5)
		must(t, d.Close())
	}
}
