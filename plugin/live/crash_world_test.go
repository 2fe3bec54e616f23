package live_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// crashWorld is a map on disk, a state, and what clients have seen of them.
type crashWorld struct {
	t     *testing.T
	rng   *rand.Rand
	dir   bool // the map is a directory
	disk  rig  // where the files are
	state string

	version  int            // the last one written, good or bad
	good     map[int]bool   // :: version → it may come into force
	seen     []sight        // in order, those in a row that are the same once
	aOf, bOf map[uint32]int // :: serial of the zone of a or b → version that clients saw with it

	count struct {
		writing, early      int // crashes
		edits               int
		restarts            [restartKinds]int
		last, before, ahead int // of those restarts that depended on the state
	}
}

// atRestart is what the map is when a process starts.
type atRestart int

const (
	noMap       atRestart = iota // missing or broken
	unprotected                  // without the protected map
	goodMap
	restartKinds
)

// part is a way to write the document of the protected map.
type part int

const (
	withMap part = iota
	withoutMap
	withMapDisabled
)

func newCrashWorld(t *testing.T, rng *rand.Rand, dir bool) *crashWorld {
	w := &crashWorld{
		t: t, rng: rng, dir: dir, disk: rig{t: t, dir: t.TempDir()},
		good: make(map[int]bool), aOf: make(map[uint32]int), bOf: make(map[uint32]int),
	}
	w.state = w.disk.path("state")
	w.prepare(goodMap)
	s, err := openPlain(w.path(), w.state) // so that there is a state to start with
	w.disk.do(err)
	w.look(see(s.Snapshot()))
	w.disk.do(s.Close())
	return w
}

// path is that of the map.
func (w *crashWorld) path() string {
	if w.dir {
		return w.disk.path("maps")
	}
	return w.disk.path("map.yaml")
}

// next returns a number for a version.
func (w *crashWorld) next() int {
	if w.version++; w.version >= 1<<16 {
		w.t.Fatal("out of addresses")
	}
	return w.version
}

// write writes version n of the tenants a and b, and the protected map.
func (w *crashWorld) write(how func(name, text string), n int, p part) {
	w.t.Helper()
	w.good[n] = p == withMap || w.dir // In a directory, each document is judged by itself.
	a, b := tenant("a", fmt.Sprintf("198.18.%d.%d", n>>8, n&255)), tenant("b", fmt.Sprintf("198.19.%d.%d", n>>8, n&255))
	keep := protectedTenant("keep", "192.0.2.1")
	switch {
	case p == withMapDisabled:
		keep = strings.NewReplacer("enabled: true", "enabled: false", "proxied: [www]", "proxied: []").Replace(keep)
	case p == withoutMap && w.dir:
		keep = fmt.Sprintf("accounts: [{id: keep}] # %d\n", n)
	case p == withoutMap:
		keep = ""
	}
	if !w.dir {
		how("map.yaml", "accounts:\n"+strings.ReplaceAll(a+b+keep, "accounts:\n", ""))
		return
	}
	to, whole := "maps/", true
	if _, err := os.Stat(w.disk.path("maps/b.yaml")); err != nil {
		to, whole = "new/", false // A directory that holds some of them would be without the others.
		w.disk.do(os.MkdirAll(w.disk.path(to), 0o777))
	}
	how(to+"a.yaml", a)
	how(to+"b.yaml", b)
	how(to+"keep.yaml", keep)
	if !whole {
		w.disk.do(os.RemoveAll(w.path())) // It is empty, if it is there.
		w.disk.do(os.Rename(w.disk.path(to), w.path()))
	}
}

// prepare makes the map what it is at a restart.
func (w *crashWorld) prepare(kind atRestart) {
	w.t.Helper()
	switch kind {
	case goodMap:
		w.write(w.disk.rename, w.next(), withMap)
	case unprotected:
		w.write(w.disk.rename, w.next(), []part{withoutMap, withMapDisabled}[w.rng.IntN(2)])
		if w.dir && w.rng.IntN(3) == 0 {
			w.disk.remove("maps/keep.yaml")
		}
	case noMap:
		w.spoil()
	}
}

// spoil makes the map missing or broken as a whole.
func (w *crashWorld) spoil() {
	w.t.Helper()
	// All at once: a directory that holds some documents is without the others.
	if err := os.Rename(w.path(), w.disk.path("old")); !errors.Is(err, fs.ErrNotExist) {
		w.disk.do(err)
	}
	w.disk.do(os.RemoveAll(w.disk.path("old")))
	text := []string{"", broken, "accounts: [", "\xff"}[w.rng.IntN(4)]
	switch {
	case w.rng.IntN(2) == 0: // missing
	case !w.dir:
		w.disk.write("map.yaml", text)
	case w.rng.IntN(2) == 0: // empty
		w.disk.do(os.Mkdir(w.path(), 0o777))
	default:
		for _, name := range []string{"a", "b", "keep"} {
			w.disk.write("new/"+name+".yaml", text)
		}
		w.disk.do(os.Rename(w.disk.path("new"), w.path()))
	}
}

// edit changes the map in one of many ways, most of them good.
func (w *crashWorld) edit() {
	w.t.Helper()
	w.count.edits++
	switch w.rng.IntN(12) {
	case 0:
		w.prepare(unprotected)
	case 1:
		w.spoil()
	case 2, 3:
		w.write(w.disk.write, w.next(), withMap)
	default:
		w.write(w.disk.rename, w.next(), withMap)
	}
}
