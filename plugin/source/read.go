package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Reasons why a file was not read. Errors of this package wrap one of them or an
// error of package fs.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("file is too large")
	// ErrUnsettled is for a file that is or may be being written. A [Watcher]
	// names such a file again.
	ErrUnsettled = errors.New("file is being written")
	// ErrBeingWritten is for a file whose writer did not end in the time given.
	ErrBeingWritten = errors.New("is being written: close it, or write another file and rename it over this one")
)

// A file that changes while it is read is read readAttempts times, readPause apart.
const (
	readAttempts = 5
	readPause    = 20 * time.Millisecond
)

// Read returns all bytes of the file at path, at most limit. Read refuses
//
//   - a path that is no regular file with [ErrNotRegular], without opening it: to
//     open a device can have effects, and a FIFO would wait for a writer;
//   - a file of more than limit bytes with [ErrTooLarge], before it takes memory for
//     the file;
//   - a file that changes for about a tenth of a second with [ErrBeingWritten];
//   - a file that a process has open for writing with [ErrBeingWritten], if the
//     system knows, unless it was last written more than ten seconds ago.
//
// The error is an fs.ErrNotExist also if a directory on the way is none.
//
// Where the system does not know who has a file open, Read cannot distinguish a
// writer's pause from its end; [Await] and [Watcher.Read] can.
func Read(path string, limit int64) ([]byte, error) {
	r, err := readStable(path, limit, stamp{})
	return r.data, err
}

// Await is [Read], but waits until the time given for a writer, and for the process that has
// a lease of the file; also, where the system does not know the writers of a file, for half a
// second after the last write.
func Await(path string, limit int64, until time.Time) ([]byte, error) {
	r, err := await(path, limit, until, func(reading, error) bool { return true })
	return r.data, err
}

// A reading is a file as it was read or refused.
type reading struct {
	data  []byte
	stamp stamp // its err says whether the file is absent
	open  bool  // a process has it open for writing
	known bool  // the system knows whether the file is open
}

// await reads path until nobody writes to the file and wanted accepts the outcome,
// or until the time given. The error is ErrBeingWritten then.
func await(path string, limit int64, until time.Time, wanted func(reading, error) bool) (reading, error) {
	var seen stamp
	var since time.Time
	for {
		r, err := readStable(path, limit, stamp{})
		now := time.Now()
		if since.IsZero() || !seen.sameContent(r.stamp) {
			seen, since = r.stamp, now
		}
		restless := err == nil && !r.known && !r.stamp.arrivedWhole() && now.Sub(r.stamp.writtenAt(since)) < settleDelay
		if restless || err != nil && !errors.Is(err, ErrBeingWritten) && !wanted(r, err) {
			err = beingWritten(path)
		}
		if !errors.Is(err, ErrBeingWritten) && !isLeased(err) || !now.Before(until) {
			return r, err
		}
		time.Sleep(min(openPoll, until.Sub(now)))
	}
}

// isLeased reports whether a file could not be opened because another process has a write
// lease of it, as Samba and NFS servers have. That process has been asked by the kernel to give
// it up, which takes a moment; 45 seconds later the kernel takes it (fcntl(2), "Leases").
func isLeased(err error) bool { return errors.Is(err, syscall.EAGAIN) }

// beingWritten returns an ErrBeingWritten for path.
func beingWritten(path string) error { return fmt.Errorf("%q %w", path, ErrBeingWritten) }

// readStable reads path until the file does not change meanwhile. A file with the
// stamp openStamp is read although a process has it open for writing.
func readStable(path string, limit int64, openStamp stamp) (r reading, err error) {
	for i := range readAttempts {
		if i > 0 {
			time.Sleep(readPause)
		}
		r, err = readOnce(path, limit, openStamp)
		if !errors.Is(err, ErrBeingWritten) || r.open { // A writer will hardly close the file so soon.
			break
		}
	}
	return r, err
}

// readOnce reads path once; the error is an ErrBeingWritten if the file changes
// meanwhile.
func readOnce(path string, limit int64, openStamp stamp) (r reading, err error) {
	fi, err := os.Stat(path)
	if err = orDangling(path, err); err != nil {
		return reading{stamp: stamp{err: shortReason(err)}}, asNotExist(fmt.Errorf("reading %q: %w", path, err))
	}
	r.stamp = newStamp(path, fi)
	if err := refusal(path, fi, limit); err != nil {
		return r, err
	}
	// Without O_NONBLOCK, a FIFO that has replaced the file since would block.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if shortReason(err) == absent {
			r.stamp = stamp{err: absent}
		}
		if isLeased(err) {
			err = fmt.Errorf("another process has a lease of it and was asked to give it up: %w", err)
		}
		return r, asNotExist(err)
	}
	defer f.Close()
	if fi, err = f.Stat(); err != nil {
		return r, fmt.Errorf("reading %q: %w", path, err)
	}
	r.stamp = newStamp(path, fi)
	if err := refusal(path, fi, limit); err != nil {
		return r, err
	}
	allowed := r.stamp.sameContent(openStamp) || !r.stamp.recentlyWritten(time.Now())
	if r.open, r.known = openForWriting(f); r.open && !allowed {
		return r, beingWritten(path)
	}
	data, err := readExactly(f, fi.Size())
	switch {
	case errors.Is(err, errOtherSize):
		return r, beingWritten(path)
	case err != nil:
		return r, fmt.Errorf("reading %q: %w", path, err)
	}
	// A writer that has opened the file since may have written as many bytes within
	// one tick of the clock.
	open, _ := openForWriting(f)
	if fi, err = f.Stat(); err != nil {
		return r, fmt.Errorf("reading %q: %w", path, err)
	}
	if !newStamp(path, fi).sameContent(r.stamp) || open && !allowed {
		return r, beingWritten(path)
	}
	r.data = data
	return r, nil
}

// Temporary reports whether err is about an existing file or directory that could
// not be read for lack of a resource that may come back: descriptors, memory,
// permission, a mount.
func Temporary(err error) bool {
	for _, other := range []error{fs.ErrNotExist, ErrNotRegular, ErrTooLarge, ErrUnsettled, ErrBeingWritten} {
		if errors.Is(err, other) {
			return false
		}
	}
	return err != nil && shortReason(err) != absent
}

// asNotExist makes err an fs.ErrNotExist if a directory on the way is none.
func asNotExist(err error) error {
	if shortReason(err) == absent && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// errOtherSize is for a file whose size has changed since it was looked at.
var errOtherSize = errors.New("file has another size now")

// readExactly returns the size bytes of f, and errOtherSize if there are fewer or
// more.
func readExactly(f io.Reader, size int64) ([]byte, error) {
	data := make([]byte, size+1) // The byte more shows whether the file ends at size.
	n, err := io.ReadFull(f, data)
	switch {
	case err == nil, (err == io.EOF || err == io.ErrUnexpectedEOF) && int64(n) != size:
		return nil, errOtherSize
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, err
	}
	return data[:n:n], nil
}

// refusal returns why the file must not be read, or nil.
func refusal(path string, fi fs.FileInfo, limit int64) error {
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%q is %s, %w: put a file in its place", path, kindOf(fi.Mode()), ErrNotRegular)
	}
	if fi.Size() > limit {
		return fmt.Errorf("%w: %q has %d bytes and is larger than %d: split it into a directory of documents",
			ErrTooLarge, path, fi.Size(), limit)
	}
	return nil
}

// kindOf names the kind of a file that is not a regular one.
func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "of an unknown kind"
}
