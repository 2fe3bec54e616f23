package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// disk is the files of the map, in a directory that may be a link, or in
// another one's place, and what is in them.
type disk struct {
	root  string
	files map[string]atName // :: name → what is there
	count int               // of what was put aside

	heldUp func(time.Duration) // called when a writer paused for so long that its file may have been read
}

// atName is what is at a name.
type atName struct {
	*edition // of a regular file
	kind     string
	hidden   bool // the permission to read it is taken away
}

// What may be in a document's place.
const (
	aFile       = ""
	aFIFO       = "a FIFO"
	aDirectory  = "a directory"
	marksName   = "marks.zone"
	longGap     = 400 * time.Millisecond // for which a writer may pause and its file not be read
	longestWait = 800 * time.Millisecond // the same, of an empty file
)

// mishap is a disk that does not do what a test wants: no fault of ours.
type mishap struct{ error }

func mustDisk(err error) {
	if err != nil {
		panic(mishap{err})
	}
}

func (d *disk) dir() string             { return filepath.Join(d.root, "site", "maps") }
func (d *disk) path(name string) string { return filepath.Join(d.dir(), name) }

// aside returns a new path for something that is not in use yet, or any more.
func (d *disk) aside(what string) string {
	d.count++
	return filepath.Join(d.root, "aside", fmt.Sprintf("%s%d", what, d.count))
}

func writeFile(path, text string) {
	mustDisk(os.MkdirAll(filepath.Dir(path), 0o755))
	mustDisk(os.WriteFile(path, []byte(text), 0o644))
}

// way is one of the ways to give a file new content.
type way struct {
	name string
	do   func(d *disk, rng *rand.Rand, name, text string)
}

// ways are those that change one file.
var ways = []way{
	{"renamed over", func(d *disk, rng *rand.Rand, name, text string) {
		d.clear(name, aDirectory)
		d.slowly(rng, d.path(name)+"~", text, os.O_TRUNC)
		mustDisk(os.Rename(d.path(name)+"~", d.path(name)))
	}},
	{"renamed over from elsewhere", func(d *disk, rng *rand.Rand, name, text string) {
		d.clear(name, aDirectory)
		tmp := d.aside("file")
		writeFile(tmp, text)
		mustDisk(os.Rename(tmp, d.path(name)))
	}},
	{"written in place", func(d *disk, rng *rand.Rand, name, text string) {
		d.clear(name, aDirectory, aFIFO)
		d.slowly(rng, d.path(name), text, os.O_TRUNC)
	}},
	{"truncated, then written", func(d *disk, rng *rand.Rand, name, text string) {
		d.clear(name, aDirectory, aFIFO)
		begin := time.Now()
		mustDisk(os.WriteFile(d.path(name), nil, 0o644))
		time.Sleep(time.Duration(rng.IntN(600)) * time.Millisecond)
		d.within(longestWait, begin)
		d.slowly(rng, d.path(name), text, 0)
	}},
	{"deleted and created", func(d *disk, rng *rand.Rand, name, text string) {
		d.clear(name, aDirectory, aFIFO, aFile)
		begin := time.Now()
		time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
		d.within(longGap, begin)
		d.slowly(rng, d.path(name), text, os.O_EXCL)
	}},
	{"backed up and created", func(d *disk, rng *rand.Rand, name, text string) {
		d.clear(name, aDirectory, aFIFO)
		if err := os.Rename(d.path(name), d.path(name)+"~"); !errors.Is(err, fs.ErrNotExist) {
			mustDisk(err)
		}
		d.slowly(rng, d.path(name), text, os.O_EXCL)
		_ = os.Remove(d.path(name) + "~")
	}},
	{"linked to another file", func(d *disk, rng *rand.Rand, name, text string) {
		d.clear(name, aDirectory)
		target := d.aside("targets/file") // in the zone_files of the Corefile
		writeFile(target, text)
		d.link(target, d.path(name))
	}},
	{"directory renamed", func(d *disk, rng *rand.Rand, name, text string) {
		d.replace(d.copy(name, text))
	}},
	{"directory linked to another one", func(d *disk, rng *rand.Rand, name, text string) {
		fresh := d.copy(name, text)
		if info, err := os.Lstat(d.dir()); err == nil && info.IsDir() {
			mustDisk(os.Rename(d.dir(), d.aside("old")))
		}
		d.link(fresh, d.dir())
	}},
	{"..data swapped", func(d *disk, rng *rand.Rand, name, text string) { d.publish(name, text) }},
	{"moved away with all above, and back", func(d *disk, rng *rand.Rand, name, text string) {
		d.clear(name, aDirectory)
		above, away := filepath.Dir(d.dir()), d.aside("site")
		mustDisk(os.Rename(above, away))
		writeFile(filepath.Join(away, "maps", name+"~"), text)
		mustDisk(os.Rename(filepath.Join(away, "maps", name+"~"), filepath.Join(away, "maps", name)))
		mustDisk(os.Rename(away, above))
	}},
}

// clear makes way for a file if what is there now is of one of these kinds.
func (d *disk) clear(name string, kinds ...string) {
	f, ok := d.files[name]
	switch {
	case ok && slices.Contains(kinds, f.kind):
		mustDisk(os.RemoveAll(d.path(name)))
	case ok && f.hidden:
		mustDisk(os.Chmod(d.path(name), 0o644))
	}
}

// slowly writes text in some writes with pauses, each shorter than the time that
// a file is left to settle.
func (d *disk) slowly(rng *rand.Rand, path, text string, flag int) {
	begin := time.Now()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flag, 0o644)
	mustDisk(err)
	defer f.Close()
	for parts := 1 + rng.IntN(4); len(text) > 0; parts-- {
		n := len(text)
		if parts > 1 {
			n = 1 + rng.IntN(n)
		}
		_, err := f.WriteString(text[:n])
		mustDisk(err)
		d.within(longGap, begin)
		begin = time.Now()
		if text = text[n:]; len(text) > 0 {
			time.Sleep(time.Duration(max(0, rng.IntN(350)-100)) * time.Millisecond)
		}
	}
}

// within tells if a writer took longer than limit.
func (d *disk) within(limit time.Duration, begin time.Time) {
	if gap := time.Since(begin); gap > limit {
		d.heldUp(gap)
	}
}

// link makes the symbolic link at path point to target, by rename.
func (d *disk) link(target, path string) {
	tmp := d.aside("link")
	mustDisk(os.Symlink(target, tmp))
	mustDisk(os.Rename(tmp, path))
}

// put makes what is at a name in dir what it is in the model.
func (d *disk) put(dir, name string, f atName) {
	path := filepath.Join(dir, name)
	switch f.kind {
	case aFIFO:
		mustDisk(mkfifo(path))
	case aDirectory:
		mustDisk(os.Mkdir(path, 0o755))
	default:
		writeFile(path, f.text)
		if f.hidden {
			mustDisk(os.Chmod(path, 0))
		}
	}
}

// copy makes a directory like the one in use, but for one file, and returns its
// path.
func (d *disk) copy(name, text string) string {
	files := maps.Clone(d.files)
	if name != "" {
		files[name] = atName{edition: &edition{text: text}}
	}
	return d.make(files)
}

func (d *disk) make(files map[string]atName) string {
	fresh := d.aside("dir")
	mustDisk(os.MkdirAll(fresh, 0o755))
	for name, f := range files {
		d.put(fresh, name, f)
	}
	return fresh
}

// replace puts a directory in the place of the one in use.
func (d *disk) replace(fresh string) {
	mustDisk(os.Rename(d.dir(), d.aside("old")))
	mustDisk(os.Rename(fresh, d.dir()))
}

// publish does what kubelet does for a ConfigMap: a directory with the payload,
// the ..data link swapped over to it by rename, then the links that readers see,
// and at last the old payload removed.
func (d *disk) publish(name, text string) {
	d.count++
	payload := fmt.Sprintf("..2026_02_20_%d", d.count)
	mustDisk(os.Rename(d.copy(name, text), d.path(payload)))
	old, _ := os.Readlink(d.path("..data"))
	d.link(payload, d.path("..data"))
	entries, err := os.ReadDir(d.path(payload))
	mustDisk(err)
	for _, e := range entries {
		if to, err := os.Readlink(d.path(e.Name())); err == nil && strings.HasPrefix(to, "..data/") {
			continue
		}
		d.clear(e.Name(), aDirectory)
		d.link(filepath.Join("..data", e.Name()), d.path(e.Name()))
	}
	entries, err = os.ReadDir(d.dir())
	mustDisk(err)
	for _, e := range entries {
		to, err := os.Readlink(d.path(e.Name()))
		if _, err2 := os.Lstat(d.path(filepath.Join(payload, e.Name()))); err == nil && strings.HasPrefix(to, "..data/") && err2 != nil {
			mustDisk(os.Remove(d.path(e.Name())))
		}
	}
	if old != "" {
		mustDisk(os.RemoveAll(d.path(old)))
	}
}

// remove takes a file away, by itself or with the directory it is in.
func (d *disk) remove(rng *rand.Rand, name string) {
	rest := maps.Clone(d.files)
	delete(rest, name)
	if rng.IntN(2) == 0 {
		d.replace(d.make(rest))
	} else {
		mustDisk(os.RemoveAll(d.path(name)))
	}
}
