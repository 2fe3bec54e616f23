package source

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// A fileID tells one file of the machine from another for as long as it lives.
type fileID struct{ dev, ino uint64 }

// A place is where a path leads when every symbolic link is followed.
type place struct {
	dir   string // physical: no link in it; "" if the way there is broken
	name  string
	links string // followed on the way, each as "path\x00target\x00\x00"
	swung int64  // nanoseconds; when the last of the links was made
}

// linked is one link of a place's links.
func linked(path, target string) string { return path + "\x00" + target + "\x00\x00" }

// tick is for how long the clock of a file system may stand still: a hundredth of a
// second with the slowest of kernels.
const tick = 10 * time.Millisecond

// swapped reports whether a link now leads from a path to another file than
// before, and one that was last written before the link was made, as far as the
// clock can tell. Such a swap is made when the other file is ready: that is what it
// is for. A directory that appeared or was replaced proves nothing of its files.
func swapped(before, now stamp) bool {
	if now.place.links == before.place.links || before.place.dir == "" || !now.there() || now.mtime > now.place.swung-int64(tick) {
		return false
	}
	for link := range strings.SplitAfterSeq(now.place.links, "\x00\x00") {
		if !strings.Contains(before.place.links, link) {
			return true
		}
	}
	return false
}

// A stamp is what can be told of a file without reading it. Two equal stamps of
// one path mean the same content, but for writes of the same length within one
// tick of the file system's clock (4 ms on most kernels before 6.13).
type stamp struct {
	place place
	id    fileID
	mode  fs.FileMode
	size  int64
	mtime int64  // nanoseconds; of the last write
	ctime int64  // nanoseconds; of the last write, rename, link, chmod or chown
	stale bool   // no directory holds the file any more: the path is a mount of it
	err   string // why there is nothing to tell, or why a directory cannot be read
}

// absent is the err of a file that is not there.
const absent = "file does not exist"

// missing is the stamp of a file that is not there.
func missing(at place) stamp { return stamp{place: at, err: absent} }

// stampOf returns the stamp of the file that path leads to; at is what is known
// of where that is.
func stampOf(path string, at place) stamp {
	fi, err := os.Stat(path)
	if err != nil {
		return stamp{place: at, err: reason(orDangling(path, err))}
	}
	s := newStamp(path, fi)
	s.place = at
	if fi.IsDir() {
		// chown and access lists take a directory away without a trace in
		// its mode; only opening it tells.
		d, err := os.Open(path)
		if err != nil {
			s.err = reason(err)
			return s
		}
		d.Close()
	}
	return s
}

// newStamp returns the stamp without a place of an open or looked-up file.
func newStamp(path string, fi fs.FileInfo) stamp {
	id, ctime, links := details(path, fi)
	s := stamp{id: id, mode: fi.Mode()}
	if fi.IsDir() {
		return s // Its size and times follow the files in it, which have stamps of their own.
	}
	s.size, s.mtime, s.ctime, s.stale = fi.Size(), fi.ModTime().UnixNano(), ctime, links == 0
	return s
}

// sameContent reports whether two stamps speak of the same bytes: permissions
// may have changed between them.
func (s stamp) sameContent(o stamp) bool {
	return s.id == o.id && s.size == o.size && s.mtime == o.mtime &&
		s.mode.Type() == o.mode.Type() && (s.err == "") == (o.err == "")
}

// there reports whether there is a file, readable or not.
func (s stamp) there() bool { return s.err == "" }

// errDangling is for a link that leads to nothing: there is a file of the name, and what
// it leads to may come back, as with a mount.
var errDangling = errors.New("it is a link that leads to nothing")

// orDangling returns err, or [errDangling] where that is why nothing is at path.
func orDangling(path string, err error) error {
	if err != nil && reason(err) == absent {
		if fi, lerr := os.Lstat(path); lerr == nil && fi.Mode()&fs.ModeSymlink != 0 {
			return errDangling
		}
	}
	return err
}

// unreadable reports whether nothing can be told of what is there.
func (s stamp) unreadable() bool { return s.err != "" && s.err != absent }

// written returns when the file was last written, since being when its stamp was
// first seen: a time in the future counts as that.
func (s stamp) written(since time.Time) time.Time {
	if t := time.Unix(0, s.mtime); t.Before(since) {
		return t
	}
	return since
}

// young reports whether a file that is open for writing may be written on.
func (s stamp) young(now time.Time) bool { return now.Sub(s.written(now)) < patience }

// whole reports whether the last thing that happened to the file was no write:
// a rename, a link or a chmod has moved the ctime past the mtime, both of which
// a write sets to the same time.
func (s stamp) whole() bool { return s.there() && s.size > 0 && s.ctime > s.mtime }

// reason shortens the error of a look at a path to what is worth comparing.
func reason(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return absent
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}
