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

// Reasons that a file was not read. Errors of this package wrap them or those of
// package fs.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("file is too large")
	// ErrUnsettled is for a file that a [Watcher] will name again: it is being
	// written, or may be.
	ErrUnsettled = errors.New("file is being written")
	// ErrBeingWritten is for a file that was waited for long enough.
	ErrBeingWritten = errors.New("is being written: close it, or write another file and rename it over this one")
)

// A file that changes while it is read is read again this often, so long apart.
const (
	attempts = 5
	pause    = 20 * time.Millisecond
)

// Read returns all bytes of the file at path, at most limit. What is no regular
// file is refused with [ErrNotRegular] and not even opened: to open a device can
// have effects, and a FIFO would wait for a writer. A file of more than limit
// bytes is refused with [ErrTooLarge] before memory is taken for it, one that
// does not stop changing with [ErrBeingWritten] after about a tenth of a second,
// and so is one that a process has open for writing, if the system tells, unless
// it was last written more than ten seconds ago. The error is an fs.ErrNotExist
// also if a directory on the way is none.
//
// Where the system does not tell who has a file open, Read cannot tell a writer's
// pause from its end; [Await] and [Watcher.Read] can.
func Read(path string, limit int64) ([]byte, error) {
	r, err := readStable(path, limit, stamp{})
	return r.data, err
}

// Await is [Read], but waits for a writer until then; also, where the system does
// not tell whether there is one, for half a second after the last write.
func Await(path string, limit int64, until time.Time) ([]byte, error) {
	r, err := await(path, limit, until, func(reading, error) bool { return true })
	return r.data, err
}

// A reading is a file as read, or as refused.
type reading struct {
	data  []byte
	stamp stamp // if there is nothing there, its err says so
	open  bool  // a process has it open for writing
	known bool  // the system tells whether it is open
}

// await reads path until nobody writes it and the outcome is as wanted, or until
// the time given. The error is ErrBeingWritten then.
func await(path string, limit int64, until time.Time, wanted func(reading, error) bool) (reading, error) {
	var seen stamp
	var since time.Time
	for {
		r, err := readStable(path, limit, stamp{})
		now := time.Now()
		if since.IsZero() || !seen.sameContent(r.stamp) {
			seen, since = r.stamp, now
		}
		restless := err == nil && !r.known && !r.stamp.whole() && now.Sub(r.stamp.written(since)) < settle
		if restless || err != nil && !errors.Is(err, ErrBeingWritten) && !wanted(r, err) {
			err = beingWritten(path)
		}
		if !errors.Is(err, ErrBeingWritten) || !now.Before(until) {
			return r, err
		}
		time.Sleep(min(lookAgain, until.Sub(now)))
	}
}

func beingWritten(path string) error { return fmt.Errorf("%q %w", path, ErrBeingWritten) }

// readStable reads path until it gets through without a change. A file with the
// stamp asIs is read whoever has it open for writing.
func readStable(path string, limit int64, asIs stamp) (r reading, err error) {
	for i := range attempts {
		if i > 0 {
			time.Sleep(pause)
		}
		r, err = readOnce(path, limit, asIs)
		if !errors.Is(err, ErrBeingWritten) || r.open { // Who has it open will hardly be done so soon.
			break
		}
	}
	return r, err
}

func readOnce(path string, limit int64, asIs stamp) (r reading, err error) {
	fi, err := os.Stat(path)
	if err = orDangling(path, err); err != nil {
		return reading{stamp: stamp{err: reason(err)}}, notThere(fmt.Errorf("reading %q: %w", path, err))
	}
	r.stamp = newStamp(path, fi)
	if err := refuse(path, fi, limit); err != nil {
		return r, err
	}
	// Without O_NONBLOCK, a FIFO put in the file's place since would hang us.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if reason(err) == absent {
			r.stamp = stamp{err: absent}
		}
		return r, notThere(err)
	}
	defer f.Close()
	if fi, err = f.Stat(); err != nil {
		return r, fmt.Errorf("reading %q: %w", path, err)
	}
	r.stamp = newStamp(path, fi)
	if err := refuse(path, fi, limit); err != nil {
		return r, err
	}
	asItIs := r.stamp.sameContent(asIs) || !r.stamp.young(time.Now())
	if r.open, r.known = openForWriting(f); r.open && !asItIs {
		return r, beingWritten(path)
	}
	data, err := readExactly(f, fi.Size())
	switch {
	case errors.Is(err, errOtherSize):
		return r, beingWritten(path)
	case err != nil:
		return r, fmt.Errorf("reading %q: %w", path, err)
	}
	// One who has opened it since may have written as many bytes within a tick.
	open, _ := openForWriting(f)
	if fi, err = f.Stat(); err != nil {
		return r, fmt.Errorf("reading %q: %w", path, err)
	}
	if !newStamp(path, fi).sameContent(r.stamp) || open && !asItIs {
		return r, beingWritten(path)
	}
	r.data = data
	return r, nil
}

// Temporary reports whether err is of a file or directory that is there and could
// not be read for want of something that may come back: descriptors, memory,
// permission, a mount.
func Temporary(err error) bool {
	for _, other := range []error{fs.ErrNotExist, ErrNotRegular, ErrTooLarge, ErrUnsettled, ErrBeingWritten} {
		if errors.Is(err, other) {
			return false
		}
	}
	return err != nil && reason(err) != absent
}

// notThere makes err an fs.ErrNotExist if a directory on the way is none.
func notThere(err error) error {
	if reason(err) == absent && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// errOtherSize is for a file that does not have the size it was seen with.
var errOtherSize = errors.New("file has another size now")

// readExactly returns the size bytes of f, and errOtherSize if there are fewer or
// more.
func readExactly(f io.Reader, size int64) ([]byte, error) {
	data := make([]byte, size+1) // One more to see the end, or that it is none.
	n, err := io.ReadFull(f, data)
	switch {
	case err == nil, (err == io.EOF || err == io.ErrUnexpectedEOF) && int64(n) != size:
		return nil, errOtherSize
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, err
	}
	return data[:n:n], nil
}

// refuse says why a file is not to be read, nil if it is.
func refuse(path string, fi fs.FileInfo, limit int64) error {
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%q is %s, %w: put a file in its place", path, kind(fi.Mode()), ErrNotRegular)
	}
	if fi.Size() > limit {
		return fmt.Errorf("%w: %q has %d bytes and is larger than %d: split it into a directory of documents",
			ErrTooLarge, path, fi.Size(), limit)
	}
	return nil
}

// kind names a file that is not a regular one.
func kind(m fs.FileMode) string {
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
