package source

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// A fileID identifies a file of the machine for as long as the file exists.
type fileID struct{ dev, ino uint64 }

// A place is where a path leads when every symbolic link is followed.
type place struct {
	dir      string // physical: no link in it; "" if the way there is broken
	name     string
	links    string // followed on the way, each as "path\x00target\x00\x00"
	linkTime int64  // nanoseconds; when the last of the links was made
}

// linkText returns one link as place.links has it.
func linkText(path, target string) string { return path + "\x00" + target + "\x00\x00" }

// clockTick is for how long the clock of a file system may stand still: a hundredth
// of a second with the slowest of kernels.
const clockTick = 10 * time.Millisecond

// linkSwapped reports whether a link now leads to another file than before, and to a
// file that was last written before the link was made, as far as the clock shows. A
// writer swaps a link when the new file is complete. A directory that appeared or
// was replaced says nothing about the files in it.
func linkSwapped(before, now stamp) bool {
	return leadsElsewhere(before, now) && now.mtime <= now.place.linkTime-int64(clockTick)
}

// leadsElsewhere reports whether there is a link now, and a file that it leads to, that was
// not on the way before.
func leadsElsewhere(before, now stamp) bool {
	if now.place.links == before.place.links || before.place.dir == "" || !now.exists() {
		return false
	}
	for link := range strings.SplitAfterSeq(now.place.links, "\x00\x00") {
		if !strings.Contains(before.place.links, link) {
			return true
		}
	}
	return false
}

// A stamp is the state of a file as known without reading the file. Two equal stamps
// of one path mean the same content, but for writes of the same length within one
// tick of the file system's clock (4 ms on most kernels before 6.13).
type stamp struct {
	place    place
	id       fileID
	mode     fs.FileMode
	size     int64
	mtime    int64  // nanoseconds; of the last write
	ctime    int64  // nanoseconds; of the last write, rename, link, chmod or chown
	unlinked bool   // no directory has an entry of the file any more: the path is a mount of it
	err      string // why the file is unknown, or why a directory cannot be read; "" if neither
}

// absent is the err of a file that is not there.
const absent = "file does not exist"

// missingStamp is the stamp of a file that is not there.
func missingStamp(at place) stamp { return stamp{place: at, err: absent} }

// stampOf returns the stamp of the file that path leads to; at becomes its place.
func stampOf(path string, at place) stamp {
	fi, err := os.Stat(path)
	if err != nil {
		return stamp{place: at, err: shortReason(orDangling(path, err))}
	}
	s := newStamp(path, fi)
	s.place = at
	if fi.IsDir() {
		// chown and access lists make a directory unreadable without a trace in
		// its mode; only opening the directory shows it.
		d, err := os.Open(path)
		if err != nil {
			s.err = shortReason(err)
			return s
		}
		d.Close()
	}
	return s
}

// newStamp returns the stamp, without a place, of an open or looked-up file.
func newStamp(path string, fi fs.FileInfo) stamp {
	id, ctime, links := fileDetails(path, fi)
	s := stamp{id: id, mode: fi.Mode()}
	if fi.IsDir() {
		return s // Its size and times follow the files in it, which have stamps of their own.
	}
	s.size, s.mtime, s.ctime, s.unlinked = fi.Size(), fi.ModTime().UnixNano(), ctime, links == 0
	return s
}

// sameContent reports whether two stamps stand for the same bytes. Permissions may
// differ.
func (s stamp) sameContent(o stamp) bool {
	return s.id == o.id && s.size == o.size && s.mtime == o.mtime &&
		s.mode.Type() == o.mode.Type() && (s.err == "") == (o.err == "")
}

// exists reports whether there is a file that can be looked at.
func (s stamp) exists() bool { return s.err == "" }

// errDangling is for a link whose target does not exist. The target may come back, as
// with a mount.
var errDangling = errors.New("it is a link that leads to nothing")

// orDangling returns [errDangling] if err says that path does not exist and path is a
// link, and err otherwise.
func orDangling(path string, err error) error {
	if err != nil && shortReason(err) == absent {
		if fi, lerr := os.Lstat(path); lerr == nil && fi.Mode()&fs.ModeSymlink != 0 {
			return errDangling
		}
	}
	return err
}

// unreadable reports whether there is a file that cannot be looked at.
func (s stamp) unreadable() bool { return s.err != "" && s.err != absent }

// writtenAt returns when the file was last written, but not a time after since, when
// its stamp was first seen.
func (s stamp) writtenAt(since time.Time) time.Time {
	if t := time.Unix(0, s.mtime); t.Before(since) {
		return t
	}
	return since
}

// recentlyWritten reports whether the writer of a file that is open for writing may
// still go on.
func (s stamp) recentlyWritten(now time.Time) bool { return now.Sub(s.writtenAt(now)) < maxWait }

// arrivedWhole reports whether the last change of the file was no write: a rename, a
// link or a chmod has set the ctime to later than the mtime. A write sets both to
// the same time.
func (s stamp) arrivedWhole() bool { return s.exists() && s.size > 0 && s.ctime > s.mtime }

// shortReason returns the error of a look at a path without the path, and absent for
// every error that says that the path does not exist.
func shortReason(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return absent
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}
