package source

import (
	"os"
	"syscall"
	"time"
)

// How long a file must have been left alone before it is told of. New content
// is to be in force within one second of the last write, so what is not spent
// here is left for reading and compiling it.
const (
	// settle is for a file that is or may be written in place. A writer that
	// pauses for less is waited for.
	settle = 500 * time.Millisecond
	// settleEmpty is for an empty file: as good as always, a shell has emptied
	// it for a program that is about to write.
	settleEmpty = 900 * time.Millisecond
	// settleArrival is for a file that appeared with content, as one does that
	// was linked, or renamed from a directory that is not watched. If it was
	// created and is being written instead, an event will say so: the kernel
	// sends it at the end of each write.
	settleArrival = 30 * time.Millisecond
	// settleMove is for a file that is known to have been renamed or reached by
	// a swapped link, and so was complete: if it is being written on already,
	// the event is on its way through the channels.
	settleMove = 10 * time.Millisecond
	// lookAgain is the time between two looks at a file that a process has open
	// for writing: fsnotify does not tell when it is closed.
	lookAgain = 100 * time.Millisecond
	// patience is for how long a file that is open for writing must not have been
	// written before it is read as it is; and for how long a file may be written
	// without a settling pause before that is worth a line in the log.
	patience = 10 * time.Second
)

// A file is a file of the Set, there or not: one of its paths, or a document in
// a directory of it.
type file struct {
	path    string // as the consumer knows it
	abs     string
	in      *root // of which it is a document; nil for the root's own file
	hops    []hop // how it is found
	gen     int   // of the tree, when it was
	told    stamp // what the consumer was last told of, or the first look
	pending *pending
	retry   time.Duration // the last pause before another try to read it; 0 after a success
	asIs    bool          // told of although a process has it open for writing
	saidAs  bool          // and that was logged
	warned  fileID        // the mount of a replaced file that was logged
}

// A pending change is one that has been noticed and not yet been told.
type pending struct {
	noticed time.Time
	due     time.Time // when to look whether the file has settled
	seen    stamp     // the last look
	since   time.Time // when that was first seen
	named   bool      // an event named it: tell of it even if the stamp is as told
	open    bool      // at the last look, a process had it open for writing
	warned  bool      // it is said to be restless
	retry   bool      // nothing has happened but that it could not be read
}

// happens takes note that something does, at the time given.
func (p *pending) happens(at time.Time) {
	if p.retry {
		p.noticed, p.retry = at, false
	}
}

// see takes note of a look.
func (p *pending) see(s stamp, now time.Time) {
	if s != p.seen {
		p.seen, p.since = s, now
	}
}

// look returns the stamp of f now.
func (f *file) look() stamp { return stampOf(f.abs, at(f.hops)) }

// seen returns the stamp of the last look at f.
func (f *file) seen() stamp {
	if f.pending != nil {
		return f.pending.seen
	}
	return f.told
}

// pend returns the pending change of f.
func (f *file) pend(noticed time.Time) *pending {
	if f.pending == nil {
		f.pending = &pending{noticed: noticed, seen: f.told, since: noticed}
	}
	return f.pending
}

// touch takes note of what events told of f. s is a look at it after them.
func (f *file) touch(b burst, s stamp, now time.Time) {
	idle := f.pending == nil || f.pending.retry
	p := f.pend(b.first)
	link := swapped(p.seen, s)
	p.named = true
	p.happens(b.first)
	p.see(s, now)
	switch {
	case s.size > 0 && (link || b.created && !b.wrote):
		p.due = now.Add(arrival(s, link || b.moved))
	case idle || b.created || b.wrote || b.gone: // A chmod does not prolong the wait for a writer.
		p.due = b.last.Add(quiet(s))
	}
}

// compare takes note of a look at f that no event has asked for.
func (f *file) compare(s stamp, now time.Time) {
	before := f.seen()
	if s == before {
		return
	}
	p := f.pend(now)
	p.happens(now)
	p.see(s, now)
	p.due = now.Add(quiet(s))
	if swapped(before, s) {
		p.due = now.Add(arrival(s, true))
	}
}

// settled looks whether f has come to rest, and if so, whether it is to be told
// of. Nothing is pending then.
func (f *file) settled(now time.Time) (rest, tell bool) {
	p, s := f.pending, f.look()
	if s != p.seen { // Changed, and no event told of it.
		p.happens(now)
		p.see(s, now)
		p.due = now.Add(quiet(s))
		return false, false
	}
	if p.open = s.there() && s.mode.IsRegular() && isOpen(f.abs); p.open && now.Sub(s.written(p.since)) < patience {
		p.due = now.Add(lookAgain)
		return false, false
	}
	f.asIs = p.open
	tell = (p.named || s != f.told) && (s.err != absent || f.told.err != absent)
	f.told, f.pending = s, nil
	return true, tell
}

// isOpen reports whether a process has the regular file at path open for writing.
// If that cannot be told, nobody has.
func isOpen(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false // Whoever reads it will hear why.
	}
	defer f.Close()
	open, _ := openForWriting(f)
	return open
}

// arrival returns for how long to wait whether a file that appeared whole is
// being written nevertheless; sure is whether it is known how it came.
func arrival(s stamp, sure bool) time.Duration {
	switch {
	case s.whole():
		return 0
	case sure:
		return settleMove
	}
	return settleArrival
}

// quiet returns for how long a file with that stamp must be left alone.
func quiet(s stamp) time.Duration {
	if s.there() && s.size == 0 && s.mode.IsRegular() {
		return settleEmpty
	}
	return settle
}
