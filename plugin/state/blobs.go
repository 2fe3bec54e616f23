package state

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
)

const (
	blobsName = "blobs"
	// maxWriters is how many texts are written at a time. A file system that
	// commits all waiting writes at once, as journaling ones do, then commits
	// less often by that factor.
	maxWriters = 8
)

// shard returns the directory of a text, relative to the state directory. A
// directory of 20,000 files would be slow on some file systems.
func (s Sum) shard() string { return path.Join(blobsName, s.String()[:2]) }

// path returns the file of a text, relative to the state directory.
func (s Sum) path() string { return path.Join(s.shard(), s.String()) }

// Read returns the text of the digest sum, verified. The error is an ErrDamaged if
// the text is missing or is not as it was put.
func (d *Dir) Read(sum Sum) ([]byte, error) {
	d.dir.mu.Lock()
	closed, k := d.closed, d.dir.disk
	d.dir.mu.Unlock()
	if closed {
		return nil, d.dir.closedError()
	}
	// Reading is outside the mutex, so that many texts can be read at a time.
	how := "it is missing"
	if k != nil {
		data, err := k.read(sum.path())
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case isContentError(err):
			how = err.Error()
		case err != nil:
			return nil, err
		case sha256.Sum256(data) != sum:
			how = "it does not match the checksum that is its name"
		default:
			d.dir.markIntact(sum)
			return data, nil
		}
	}
	return nil, d.dir.textDamaged(sum, how)
}

// markIntact sets that a text was verified.
func (d *directory) markIntact(sum Sum) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.blobs[sum]; ok {
		d.blobs[sum] = true
	}
}

// textDamaged removes a damaged text from blobs and returns the error about it.
func (d *directory) textDamaged(sum Sum, how string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.disk == nil {
		return fmt.Errorf("the state directory %q cannot be opened", d.path)
	}
	delete(d.blobs, sum) // It must be written anew.
	return d.noteDamage(sum.path(), how)
}

// PutAll writes texts to disk. They are on disk when PutAll returns, but stay only if
// the next Save names them. An intact text on disk is not written again. After an error
// none of them counts as put.
func (d *Dir) PutAll(texts [][]byte) error {
	all := make(map[Sum][]byte, len(texts))
	for _, text := range texts {
		all[sha256.Sum256(text)] = text // not by a digest of then: memory can be damaged
	}
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if err := d.dir.checkWritable(d); err != nil {
		return err
	}
	missing := make(map[Sum][]byte)
	for sum, text := range all {
		if !d.dir.intact(sum, len(text)) {
			missing[sum] = text
		}
	}
	if err := d.dir.writeTexts(missing); err != nil {
		return err
	}
	for sum := range all {
		d.added[sum] = struct{}{}
	}
	return nil
}

// intact reports whether the text of size bytes is on disk. Its content is compared
// only if this process has neither written nor read it since it locked the directory.
func (d *directory) intact(sum Sum, size int) bool {
	verified, ok := d.blobs[sum]
	if !ok {
		return false
	}
	fi, err := d.disk.root.Stat(sum.path())
	ok = err == nil && fi.Mode().IsRegular() && fi.Size() == int64(size)
	if ok && !verified {
		data, err := d.disk.read(sum.path())
		ok = err == nil && sha256.Sum256(data) == sum
	}
	if !ok {
		delete(d.blobs, sum) // It must be written anew.
		return false
	}
	d.blobs[sum] = true
	return true
}

// writeTexts writes texts to disk, each whole or not at all. It returns the first
// error; the texts that were written before stay.
func (d *directory) writeTexts(texts map[Sum][]byte) error {
	if err := d.makeShards(texts); err != nil {
		return err
	}
	type outcome struct {
		sum Sum
		err error
	}
	todo, done := make(chan Sum, len(texts)), make(chan outcome, len(texts))
	for sum := range texts {
		todo <- sum
	}
	close(todo)
	var work sync.WaitGroup
	for range min(maxWriters, len(texts)) {
		work.Go(func() {
			for sum := range todo {
				err := d.disk.replace(sum.path(), texts[sum])
				done <- outcome{sum, err}
				if err != nil {
					return
				}
			}
		})
	}
	work.Wait()
	close(done)
	var err error
	for o := range done {
		if o.err == nil {
			d.blobs[o.sum] = true
		} else if err == nil {
			err = o.err
		}
	}
	return err
}

// makeShards makes the directories of texts.
func (d *directory) makeShards(texts map[Sum][]byte) error {
	shards := make(map[string]struct{})
	for sum := range texts {
		shards[sum.shard()] = struct{}{}
	}
	if len(shards) > 0 {
		if err := d.disk.mkdir(blobsName); err != nil {
			return err
		}
	}
	for shard := range shards {
		if err := d.disk.mkdir(shard); err != nil {
			return err
		}
		d.disk.markUnsynced(shard)
	}
	return nil
}

// syncTexts makes the names of texts durable: a synced file can still be lost with
// its entry in the directory. An earlier process may not have synced its renames, so
// that every directory needs one sync after it was locked.
func (d *directory) syncTexts(texts map[Sum]struct{}) error {
	var needed [256]bool // :: first byte of a digest, which names the shard → sync it
	for sum := range texts {
		needed[sum[0]] = true
	}
	for b, need := range needed {
		if !need {
			continue
		}
		if err := d.disk.syncOnce(Sum{byte(b)}.shard()); err != nil {
			return err
		}
	}
	if len(texts) > 0 {
		if err := d.disk.syncOnce(blobsName); err != nil {
			return err
		}
	}
	return d.disk.syncOnce(".")
}

// removeUnreferenced removes the texts that no Dir references. A text that cannot be
// removed stays until the next call: it takes space, and does no other harm.
func (d *directory) removeUnreferenced() {
	for sum := range d.blobs {
		if !d.isReferenced(sum) && d.disk.remove(sum.path()) == nil {
			delete(d.blobs, sum)
		}
	}
}

// isReferenced reports whether a Dir has loaded, put or saved a text.
func (d *directory) isReferenced(sum Sum) bool {
	for dir := range d.dirs {
		if _, ok := dir.saved[sum]; ok {
			return true
		}
		if _, ok := dir.added[sum]; ok {
			return true
		}
	}
	return false
}

// closedError is the error of the methods of a closed Dir.
func (d *directory) closedError() error {
	return fmt.Errorf("state directory %q: %w", d.path, fs.ErrClosed)
}
