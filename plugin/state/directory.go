package state

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// directory is the state directory of a map as this process has it: once, however
// many Dirs are open on it.
type directory struct {
	path  string // absolute
	key   string // the same with its links followed when it was opened
	of    string // the path of the map
	owner string

	mu         sync.Mutex // guards the following and what the Dirs say it does
	disk       *disk      // nil while there is nothing to be opened
	self       os.FileInfo
	above      *above    // whose lock it is
	lock       *os.File  // nil while this process may only read
	turn       int       // how many times it was locked
	generation uint64    // of the last manifest that was read or written
	found      *Manifest // what there was when it was locked, until somebody takes it
	users      map[*Dir]struct{}
	blobs      map[Sum]bool // :: text on disk → seen to be intact by this process
	damaged    []error      // what was found damaged and not told yet
	old        *disk        // the directory above, if this map's state is there yet; nil if not
}

// inUse are the directories that this process has open: a second Dir must find the
// first.
var inUse struct {
	sync.Mutex
	directories []*directory
}

// openAt returns a new Dir of the directory at path, which has the state of one map.
func openAt(path, of, owner string) *Dir {
	dir := filepath.Dir(path)
	_ = mkdirAll(dir) // so that its links can be followed
	inUse.Lock()
	defer inUse.Unlock()
	over := aboveAt(dir)
	key := filepath.Join(over.key, filepath.Base(path))
	i := slices.IndexFunc(inUse.directories, func(d *directory) bool { return d.key == key })
	if i < 0 {
		i = len(inUse.directories)
		inUse.directories = append(inUse.directories, &directory{
			path: path, key: key, of: of, owner: owner, above: over,
			users: make(map[*Dir]struct{}),
			blobs: make(map[Sum]bool),
		})
	}
	d := inUse.directories[i]
	d.mu.Lock()
	defer d.mu.Unlock()
	user := &Dir{dir: d, put: make(map[Sum]struct{})}
	d.users[user] = struct{}{}
	_ = d.acquire() // Acquire says what is wrong
	return user
}

// release closes a Dir, and the directory with its last one.
func release(dir *Dir) error {
	inUse.Lock()
	defer inUse.Unlock()
	d := dir.dir
	d.mu.Lock()
	defer d.mu.Unlock()
	if dir.closed {
		return nil
	}
	dir.closed = true
	delete(d.users, dir)
	if len(d.users) > 0 {
		return nil
	}
	inUse.directories = slices.DeleteFunc(inUse.directories, func(o *directory) bool { return o == d })
	return errors.Join(d.unlock(), d.shut())
}

// acquire makes the directory this process's to write to, unless it is. After an
// error it is still there to read from, if it can be opened at all.
func (d *directory) acquire() error {
	if d.lock != nil {
		if d.inPlace() == nil {
			return nil
		}
		_ = d.unlock() // of a directory that is elsewhere now
	}
	if err := mkdirAll(d.path); err != nil {
		_ = d.look()
		return (&disk{path: d.path}).failed("make", "", err)
	}
	if err := d.look(); err != nil {
		return (&disk{path: d.path}).failed("open", "", err)
	}
	var err error
	if d.lock, err = d.above.join(d); err != nil {
		return err
	}
	if err := d.begin(); err != nil {
		return errors.Join(err, d.unlock())
	}
	d.turn++
	return nil
}

// look opens what is at the path now, unless it is open.
func (d *directory) look() error {
	now, err := os.Stat(d.path)
	if err == nil && d.disk != nil && os.SameFile(now, d.self) {
		return nil
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	self, err := root.Stat(".")
	if err != nil {
		return errors.Join(err, root.Close())
	}
	_ = d.shut() // what was there before
	d.disk, d.self = &disk{path: d.path, root: root, settled: make(map[string]bool)}, self
	return nil
}

// begin looks what is in a directory that was just locked, and tidies it.
func (d *directory) begin() error {
	if err := d.migrate(); err != nil {
		return err
	}
	if d.old != nil { // What is there has moved here.
		_ = d.old.root.Close()
		d.old = nil
	}
	d.blobs = make(map[Sum]bool)
	for _, name := range copies {
		_ = d.disk.root.RemoveAll(name + tmpSuffix)
	}
	shards, err := d.list(blobsName)
	if err != nil {
		return err
	}
	for _, shard := range shards {
		if b, err := hex.DecodeString(shard); err != nil || len(b) != 1 {
			continue // not ours
		}
		if err := d.collect(path.Join(blobsName, shard)); err != nil {
			return err
		}
	}
	d.found, err = d.saved()
	return err
}

// collect notes the texts of a shard, and removes what a crash has left there.
func (d *directory) collect(shard string) error {
	names, err := d.list(shard)
	if err != nil {
		return err
	}
	for _, name := range names {
		digest, unfinished := strings.CutSuffix(name, tmpSuffix)
		sum, err := parseSum(digest)
		switch {
		case err != nil || sum.shard() != shard: // not ours
		case unfinished:
			_ = d.disk.root.RemoveAll(path.Join(shard, name))
		default:
			d.blobs[sum] = false
		}
	}
	return nil
}

// list returns the names in a directory, none if it is absent. What is there and is
// no directory is damaged.
func (d *directory) list(name string) ([]string, error) {
	fi, err := d.disk.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !fi.IsDir() {
		d.damage(name, "it is no directory")
		return nil, nil
	}
	f, err := d.disk.root.Open(name)
	if err != nil {
		return nil, d.disk.failed("read", name, err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, d.disk.failed("read", name, err)
	}
	return names, nil
}

// unlock lets others write.
func (d *directory) unlock() error {
	d.lock, d.found = nil, nil
	return d.above.leave(d)
}

// shut closes what is open of the directory, and of the one above.
func (d *directory) shut() error {
	var err error
	for _, k := range []*disk{d.disk, d.old} {
		if k != nil {
			err = errors.Join(err, k.root.Close())
		}
	}
	d.disk, d.old = nil, nil
	return err
}

// usable returns an error if a Dir is closed, or if its directory cannot be written
// to: what is written would be lost, or in another process's way.
func (d *directory) usable(dir *Dir) error {
	if dir.closed {
		return d.closedError()
	}
	if d.lock == nil {
		return fmt.Errorf("the state directory %q is not locked: acquire it first", d.path)
	}
	return d.inPlace()
}

// inPlace returns an error if the directory is no longer what is found at its path
// and locked there.
func (d *directory) inPlace() error {
	now, err := os.Stat(d.path)
	if err != nil || !os.SameFile(now, d.self) {
		return fmt.Errorf("the state directory %q was removed or replaced while in use: acquire it anew", d.path)
	}
	return d.above.inPlace(d.lock)
}

// mkdirAll makes a directory and those above it that are missing, durably.
func mkdirAll(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // what is wrong with it shows when it is opened
	}
	above := filepath.Dir(path)
	if above != path {
		if err := mkdirAll(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(above)
	if err != nil {
		return nil // It may be for us to write to and not to read: it cannot be synced then.
	}
	defer f.Close()
	return syncEntries(f)
}
