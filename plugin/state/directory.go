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

// directory is a state directory as this process holds it: once, however many
// Dirs are open on it.
type directory struct {
	owner string
	self  os.FileInfo // of the directory
	lock  *os.File

	mu    sync.Mutex // guards the following and what the Dirs say it does
	disk  *disk
	users map[*Dir]struct{}
	blobs map[Sum]bool // :: text on disk → seen to be intact by this process
}

// held are the directories that this process has open. The lock of a file
// belongs to the process, so what is locked is the process's knowledge too: a
// second Dir must find the first.
var held struct {
	sync.Mutex
	directories []*directory
}

// acquire returns a new Dir of the directory at path.
func acquire(path, owner string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := mkdirAll(path); err != nil {
		return nil, err
	}
	held.Lock()
	defer held.Unlock()
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	self, err := root.Stat(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	i := slices.IndexFunc(held.directories, func(d *directory) bool { return os.SameFile(d.self, self) })
	if i >= 0 {
		_ = root.Close() // it was only looked at
		if d := held.directories[i]; d.owner != owner {
			return nil, fmt.Errorf("%s uses it already: give %s a directory of its own", d.owner, owner)
		}
		return held.directories[i].user(), nil
	}
	d := &directory{
		owner: owner,
		self:  self,
		disk:  &disk{path: path, root: root, settled: make(map[string]bool)},
		users: make(map[*Dir]struct{}),
		blobs: make(map[Sum]bool),
	}
	if err := d.begin(); err != nil {
		return nil, errors.Join(err, d.end())
	}
	held.directories = append(held.directories, d)
	return d.user(), nil
}

// release closes a Dir, and the directory with its last one.
func release(dir *Dir) error {
	held.Lock()
	defer held.Unlock()
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
	held.directories = slices.DeleteFunc(held.directories, func(o *directory) bool { return o == d })
	return d.end()
}

// user returns a new Dir of d.
func (d *directory) user() *Dir {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := &Dir{dir: d, put: make(map[Sum]struct{})}
	d.users[dir] = struct{}{}
	return dir
}

// begin locks the directory and looks what is in it.
func (d *directory) begin() (err error) {
	if d.lock, err = lock(d.disk, d.owner); err != nil {
		return err
	}
	_ = d.disk.root.Remove(manifestName + tmpSuffix)
	shards, err := d.list(blobsName)
	if err != nil {
		return err
	}
	for _, shard := range shards {
		if b, err := hex.DecodeString(shard); err != nil || len(b) != 1 {
			continue // not ours
		}
		if err := d.take(path.Join(blobsName, shard)); err != nil {
			return err
		}
	}
	return nil
}

// take notes the texts of a shard, and removes what a crash has left there.
func (d *directory) take(shard string) error {
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
			_ = d.disk.root.Remove(path.Join(shard, name))
		default:
			d.blobs[sum] = false
		}
	}
	return nil
}

// list returns the names in a directory, none if it is absent.
func (d *directory) list(name string) ([]string, error) {
	f, err := d.disk.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
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

// end lets go of the directory. The lock goes with its file, but not if a child
// of this process is just being started, which has all files until it runs.
func (d *directory) end() error {
	var err error
	if d.lock != nil {
		err = errors.Join(unlock(d.lock), d.lock.Close())
	}
	return errors.Join(err, d.disk.root.Close())
}

// usable returns an error if a Dir is closed, or if its directory is no longer
// what is found at its path and locked there: what is written would be lost, or
// in another process's way.
func (d *directory) usable(dir *Dir) error {
	if dir.closed {
		return d.closedError()
	}
	now, err := os.Stat(d.disk.path)
	if err != nil || !os.SameFile(now, d.self) {
		return fmt.Errorf("the state directory %q was removed or replaced while in use: restart the server", d.disk.path)
	}
	mine, err := d.lock.Stat()
	if err != nil {
		return d.disk.failed("look at", lockName, err)
	}
	if now, err = d.disk.root.Stat(lockName); err != nil || !os.SameFile(now, mine) {
		return fmt.Errorf("%q was removed or replaced while in use: restart the server", filepath.Join(d.disk.path, lockName))
	}
	return nil
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
