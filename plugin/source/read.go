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

// Reasons that a file was not read. Errors of [Read] and [Watcher.Read] wrap
// them or those of package fs.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("file is too large")
	ErrUnsettled  = errors.New("file is being written")
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
// does not stop changing with [ErrUnsettled] after about a tenth of a second.
// The error is an fs.ErrNotExist also if a directory on the way is none.
//
// Read cannot tell a writer's pause from its end; [Watcher.Read] can.
func Read(path string, limit int64) ([]byte, error) {
	data, _, err := readStable(path, limit)
	return data, err
}

// readStable reads path until it gets through without a change. The stamp is of
// what was read or refused; if there is nothing there, its err says so.
func readStable(path string, limit int64) (data []byte, s stamp, err error) {
	for i := range attempts {
		if i > 0 {
			time.Sleep(pause)
		}
		data, s, err = readOnce(path, limit)
		if !errors.Is(err, ErrUnsettled) {
			break
		}
	}
	return data, s, err
}

func readOnce(path string, limit int64) ([]byte, stamp, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, stamp{err: reason(err)}, notThere(err)
	}
	s := newStamp(path, fi)
	if err := refuse(path, fi, limit); err != nil {
		return nil, s, err
	}
	// Without O_NONBLOCK, a FIFO put in the file's place since would hang us.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if reason(err) == absent {
			s = stamp{err: absent}
		}
		return nil, s, notThere(err)
	}
	defer f.Close()
	if fi, err = f.Stat(); err != nil {
		return nil, s, fmt.Errorf("reading %q: %w", path, err)
	}
	s = newStamp(path, fi)
	if err := refuse(path, fi, limit); err != nil {
		return nil, s, err
	}
	data, err := readExactly(f, fi.Size())
	if err != nil {
		return nil, s, fmt.Errorf("reading %q: %w", path, err)
	}
	if fi, err = f.Stat(); err != nil {
		return nil, s, fmt.Errorf("reading %q: %w", path, err)
	}
	if now := newStamp(path, fi); !now.sameContent(s) {
		return nil, s, fmt.Errorf("reading %q: %w", path, ErrUnsettled)
	}
	return data, s, nil
}

// notThere makes err an fs.ErrNotExist if a directory on the way is none.
func notThere(err error) error {
	if reason(err) == absent && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// readExactly returns the size bytes of f, and ErrUnsettled if there are fewer
// or more.
func readExactly(f io.Reader, size int64) ([]byte, error) {
	data := make([]byte, size+1) // One more to see the end, or that it is none.
	n, err := io.ReadFull(f, data)
	switch {
	case err == nil, (err == io.EOF || err == io.ErrUnexpectedEOF) && int64(n) != size:
		return nil, ErrUnsettled
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
