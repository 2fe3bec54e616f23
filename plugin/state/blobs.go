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
	// writers is how many texts are written at a time. A file system that
	// commits all that waits for it at once, as journaling ones do, then commits
	// that much less often.
	writers = 8
)

// shard returns the directory that a text is in, relative to the state's. A
// directory of 20,000 files would be slow on some file systems.
func (s Sum) shard() string { return path.Join(blobsName, s.String()[:2]) }

// path returns the file of a text, relative to the state directory.
func (s Sum) path() string { return path.Join(s.shard(), s.String()) }

// Read returns the text of that digest, verified: an ErrDamaged if it is not
// what was put, or is not there.
func (d *Dir) Read(sum Sum) ([]byte, error) {
	d.dir.mu.Lock()
	closed, disks := d.closed, []*disk{d.dir.disk, d.dir.old}
	d.dir.mu.Unlock()
	if closed {
		return nil, d.dir.closedError()
	}
	// Without the lock, so that many texts can be read at a time.
	how := "it is missing"
	for _, k := range disks {
		if k == nil {
			continue
		}
		data, err := k.read(sum.path())
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case isWrong(err):
			how = err.Error()
		case err != nil:
			return nil, err
		case sha256.Sum256(data) != sum:
			how = "it does not match the checksum that is its name"
		default:
			d.dir.verified(sum)
			return data, nil
		}
	}
	return nil, d.dir.lost(sum, how)
}

// verified notes that a text is intact.
func (d *directory) verified(sum Sum) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.blobs[sum]; ok {
		d.blobs[sum] = true
	}
}

// lost notes that a text is damaged, and returns the error that says so.
func (d *directory) lost(sum Sum, how string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.disk == nil {
		return fmt.Errorf("the state directory %q cannot be opened", d.path)
	}
	delete(d.blobs, sum) // until it is written anew
	return d.damage(sum.path(), how)
}

// Put keeps a text and returns its digest. The text is on disk when Put returns,
// but lasts only if the next Save names it. A text that is there already is not
// written again, unless what is there is damaged.
func (d *Dir) Put(data []byte) (Sum, error) {
	sums, err := d.PutAll([][]byte{data})
	if err != nil {
		return Sum{}, err
	}
	return sums[0], nil
}

// PutAll does what Put does for many texts in less time than one by one. After
// an error none counts as put.
func (d *Dir) PutAll(texts [][]byte) ([]Sum, error) {
	sums := make([]Sum, len(texts))
	for i, text := range texts {
		sums[i] = sha256.Sum256(text)
	}
	d.dir.mu.Lock()
	defer d.dir.mu.Unlock()
	if err := d.dir.usable(d); err != nil {
		return nil, err
	}
	missing := make(map[Sum][]byte)
	for i, sum := range sums {
		if !d.dir.intact(sum, len(texts[i])) {
			missing[sum] = texts[i]
		}
	}
	if err := d.dir.write(missing); err != nil {
		return nil, err
	}
	for _, sum := range sums {
		d.put[sum] = struct{}{}
	}
	return sums, nil
}

// intact reports whether the text of size bytes is on disk. Its content is
// looked at only if it was neither written nor read since the directory was
// locked.
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
		delete(d.blobs, sum) // until it is written anew
		return false
	}
	d.blobs[sum] = true
	return true
}

// write puts texts on disk, each whole or not at all. It returns the first
// error; the texts that were written by then stay.
func (d *directory) write(texts map[Sum][]byte) error {
	if err := d.prepare(texts); err != nil {
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
	for range min(writers, len(texts)) {
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

// prepare makes the directories that the texts go to.
func (d *directory) prepare(texts map[Sum][]byte) error {
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
		d.disk.unsettled(shard)
	}
	return nil
}

// settle makes the names of texts durable: a file that was synced can still be
// lost with its directory's entry of it. What an earlier process has renamed
// may not have been settled by it, so that all directories need it once after they
// were locked.
func (d *directory) settle(texts map[Sum]struct{}) error {
	var needed [256]bool // by the first byte, which is the shard's name
	for sum := range texts {
		needed[sum[0]] = true
	}
	for b, need := range needed {
		if !need {
			continue
		}
		if err := d.disk.settle(Sum{byte(b)}.shard()); err != nil {
			return err
		}
	}
	if len(texts) > 0 {
		if err := d.disk.settle(blobsName); err != nil {
			return err
		}
	}
	return d.disk.settle(".")
}

// sweep removes the texts that no Dir keeps. One that cannot be removed stays
// for the next time: it takes space, and does no other harm.
func (d *directory) sweep() {
	for sum := range d.blobs {
		if !d.kept(sum) && d.disk.remove(sum.path()) == nil {
			delete(d.blobs, sum)
		}
	}
}

func (d *directory) kept(sum Sum) bool {
	for dir := range d.users {
		if _, ok := dir.base[sum]; ok {
			return true
		}
		if _, ok := dir.put[sum]; ok {
			return true
		}
	}
	return false
}

// closedError is what the methods of a closed Dir return.
func (d *directory) closedError() error {
	return fmt.Errorf("state directory %q: %w", d.path, fs.ErrClosed)
}
