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

// directory is the state directory of a map. The process has one for each map,
// however many Dirs are open on it.
type directory struct {
	path     string // absolute
	key      string // path with its links followed, when the directory was opened
	mapPath  string // the path of the map
	owner    string
	readOnly bool // nothing is made, locked or written

	mu         sync.Mutex // guards the fields below, and those of the Dirs that say so
	disk       *disk      // nil while there is no directory to open
	info       os.FileInfo
	read       os.FileInfo // of the manifest, when it was last read without the lock
	parent     *parent     // has the lock
	lock       *os.File    // nil while this process may only read
	lockCount  int         // how many times the directory was locked
	generation uint64      // of the last manifest that was read or written
	onLock     *Manifest   // as read when the directory was locked, until takeManifest
	dirs       map[*Dir]struct{}
	blobs      map[Sum]bool // :: text on disk → this process has verified it
	unreported []error      // damaged files that Damage has not returned yet
}

// openState lists the directories that this process has open: a second Dir of a map
// shares the directory of the first.
var openState struct {
	sync.Mutex
	directories []*directory
}

// openAt returns a new Dir of the directory at path, which is for the map at mapPath.
func openAt(path, mapPath, owner string) *Dir {
	parentPath := filepath.Dir(path)
	_ = mkdirAll(parentPath) // Its links can be followed then.
	openState.Lock()
	defer openState.Unlock()
	p := parentAt(parentPath)
	key := filepath.Join(p.key, filepath.Base(path))
	i := slices.IndexFunc(openState.directories, func(d *directory) bool { return d.key == key })
	if i < 0 {
		i = len(openState.directories)
		openState.directories = append(openState.directories, &directory{
			path: path, key: key, mapPath: mapPath, owner: owner, parent: p,
			dirs:  make(map[*Dir]struct{}),
			blobs: make(map[Sum]bool),
		})
	}
	d := openState.directories[i]
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := &Dir{dir: d, added: make(map[Sum]struct{})}
	d.dirs[dir] = struct{}{}
	_ = d.acquire() // Acquire returns the error.
	return dir
}

// openToRead returns a Dir of the directory at path that makes, locks and writes nothing.
// No other Dir shares it.
func openToRead(path, mapPath string) *Dir {
	parentPath := filepath.Dir(path)
	d := &directory{
		path: path, key: path, mapPath: mapPath, owner: mapPath, readOnly: true,
		parent: &parent{path: parentPath, key: parentPath, directories: make(map[*directory]struct{})},
		dirs:   make(map[*Dir]struct{}),
	}
	dir := &Dir{dir: d, added: make(map[Sum]struct{})}
	d.dirs[dir] = struct{}{}
	return dir
}

// closeDir closes a Dir, and the directory with its last Dir.
func closeDir(dir *Dir) error {
	openState.Lock()
	defer openState.Unlock()
	d := dir.dir
	d.mu.Lock()
	defer d.mu.Unlock()
	if dir.closed {
		return nil
	}
	dir.closed = true
	delete(d.dirs, dir)
	if len(d.dirs) > 0 {
		return nil
	}
	openState.directories = slices.DeleteFunc(openState.directories, func(o *directory) bool { return o == d })
	return errors.Join(d.unlock(), d.closeDisk())
}

// acquire makes and locks the directory, unless this process has locked it. After an
// error the directory can still be read, if it can be opened at all.
func (d *directory) acquire() error {
	if d.readOnly {
		return errors.New("it was opened to be read only")
	}
	if d.lock != nil {
		if d.checkInPlace() == nil {
			return nil
		}
		_ = d.unlock() // The locked directory is elsewhere now.
	}
	if err := mkdirAll(d.path); err != nil {
		_ = d.openDisk()
		return (&disk{path: d.path}).stepError("make", "", err)
	}
	if err := d.openDisk(); err != nil {
		return (&disk{path: d.path}).stepError("open", "", err)
	}
	var err error
	if d.lock, err = d.parent.lockFor(d); err != nil {
		return err
	}
	if err := d.prepareLocked(); err != nil {
		return errors.Join(err, d.unlock())
	}
	d.lockCount++
	return nil
}

// openDisk opens the directory at the path, unless it is open.
func (d *directory) openDisk() error {
	now, err := os.Stat(d.path)
	if err == nil && d.disk != nil && os.SameFile(now, d.info) {
		return nil
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	info, err := root.Stat(".")
	if err != nil {
		return errors.Join(err, root.Close())
	}
	_ = d.closeDisk() // The directory at the path was another one.
	d.disk, d.info = &disk{path: d.path, root: root}, info
	return nil
}

// prepareLocked tidies and reads a directory that was just locked.
func (d *directory) prepareLocked() error {
	d.blobs = make(map[Sum]bool)
	for _, name := range manifestNames {
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
		if err := d.collectShard(path.Join(blobsName, shard)); err != nil {
			return err
		}
	}
	d.onLock, err = d.readManifest()
	return err
}

// collectShard adds the texts of a shard to blobs, and removes the unfinished files
// of a crash.
func (d *directory) collectShard(shard string) error {
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

// list returns the names in a directory, none if it is absent. Another kind of file
// in its place is damage.
func (d *directory) list(name string) ([]string, error) {
	fi, err := d.disk.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !fi.IsDir() {
		d.noteDamage(name, "it is no directory")
		return nil, nil
	}
	f, err := d.disk.root.Open(name)
	if err != nil {
		return nil, d.disk.stepError("read", name, err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, d.disk.stepError("read", name, err)
	}
	return names, nil
}

// unlock gives up the lock.
func (d *directory) unlock() error {
	d.lock, d.onLock = nil, nil
	return d.parent.unlockFor(d)
}

// closeDisk closes the directory, if it is open.
func (d *directory) closeDisk() error {
	if d.disk == nil {
		return nil
	}
	err := d.disk.root.Close()
	d.disk = nil
	return err
}

// checkWritable returns an error if a Dir is closed, or if its directory must not be
// written to: the files would be lost, or in another process's way.
func (d *directory) checkWritable(dir *Dir) error {
	if dir.closed {
		return d.closedError()
	}
	if d.lock == nil {
		return fmt.Errorf("the state directory %q is not locked: acquire it first", d.path)
	}
	return d.checkInPlace()
}

// checkInPlace returns an error if the directory at the path is no longer the one
// that was opened and locked.
func (d *directory) checkInPlace() error {
	now, err := os.Stat(d.path)
	if err != nil || !os.SameFile(now, d.info) {
		return fmt.Errorf("the state directory %q was removed or replaced while in use: acquire it anew", d.path)
	}
	return d.parent.checkLocked(d.lock)
}

// mkdirAll makes a directory and the missing ones above it, durably.
func mkdirAll(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // Opening it returns the error.
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
		return nil // A directory without permission to read cannot be synced.
	}
	defer f.Close()
	return syncEntries(f)
}
