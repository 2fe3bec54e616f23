package source

import (
	"os"
	"syscall"
	"time"
)

// How long a file must have been left alone before it is reported. New content
// is to be in force within one second of the last write: the rest of the second
// is for reading and compiling the content.
const (
	// settleDelay is for a file that is or may be written in place. The Watcher
	// waits for a writer that pauses for less.
	settleDelay = 500 * time.Millisecond
	// emptyDelay is for an empty file: nearly always a shell has emptied it for a
	// program that is about to write.
	emptyDelay = 900 * time.Millisecond
	// arrivalDelay is for a file that appeared with content, as by a link, or by
	// a rename from a directory that is not watched. If the file was created and
	// is being written instead, an event follows: the kernel sends one at the end
	// of each write.
	arrivalDelay = 30 * time.Millisecond
	// moveDelay is for a file that was certainly renamed, or reached by a swapped
	// link, and so was complete. If a process writes to it already, the event is
	// on its way through the channels.
	moveDelay = 10 * time.Millisecond
	// openPoll is the time between two looks at a file that a process has open
	// for writing: fsnotify has no event for the closing of a file.
	openPoll = 100 * time.Millisecond
	// maxWait is for how long a file that is open for writing must not have been
	// written before it is read as it is, and for how long a file may be written
	// without a pause before the Watcher logs a line about it.
	maxWait = 10 * time.Second
)

// A file is a path of the Set, or a document in a directory of the Set, whether
// the file exists or not.
type file struct {
	path        string // as the consumer knows it
	abs         string
	root        *root // the directory of the document; nil for a path of the Set
	hops        []hop // the lookups on the way to the file
	gen         int   // tree.gen when hops were looked up
	reported    stamp // as last reported to the consumer, or as first seen
	pending     *pending
	retry       time.Duration // the last pause before another try to read it; 0 after a success
	readOpen    bool          // reported although a process has it open for writing
	loggedOpen  bool          // a log line said that it was read so
	loggedMount fileID        // the unlinked file of which a log line was written
}

// A pending change is a change that was noticed and not yet reported.
type pending struct {
	noticed        time.Time
	due            time.Time // when to look whether the file has settled
	stamp          stamp     // the last look
	since          time.Time // when stamp was first seen
	named          bool      // an event named the file: report it even if the stamp is the reported one
	open           bool      // at the last look, a process had it open for writing
	loggedRestless bool      // a log line said that the file is always written
	retry          bool      // there was no event: the file could not be read
}

// note makes at the time of the change if only a failed read was pending before.
func (p *pending) note(at time.Time) {
	if p.retry {
		p.noticed, p.retry = at, false
	}
}

// observe sets the stamp, which was seen at now.
func (p *pending) observe(s stamp, now time.Time) {
	if s != p.stamp {
		p.stamp, p.since = s, now
	}
}

// stat returns the present stamp of f.
func (f *file) stat() stamp { return stampOf(f.abs, placeOf(f.hops)) }

// lastStamp returns the stamp of the last look at f.
func (f *file) lastStamp() stamp {
	if f.pending != nil {
		return f.pending.stamp
	}
	return f.reported
}

// startPending returns the pending change of f, a new one if there is none.
func (f *file) startPending(noticed time.Time) *pending {
	if f.pending == nil {
		f.pending = &pending{noticed: noticed, stamp: f.reported, since: noticed}
	}
	return f.pending
}

// applyEvents updates the pending change of f by events; s is the stamp of f after
// the events.
func (f *file) applyEvents(e pathEvents, s stamp, now time.Time) {
	idle := f.pending == nil || f.pending.retry
	p := f.startPending(e.first)
	link := linkSwapped(p.stamp, s)
	p.named = true
	p.note(e.first)
	p.observe(s, now)
	switch {
	case s.size > 0 && (link || e.created && !e.wrote):
		p.due = now.Add(delayOfArrival(s, link || e.moved))
	case idle || e.created || e.wrote || e.gone: // A chmod does not prolong the wait for a writer.
		p.due = e.last.Add(delayOfWrite(s))
	}
}

// applyStamp updates the pending change of f by a look at f without an event.
func (f *file) applyStamp(s stamp, now time.Time) {
	before := f.lastStamp()
	if s == before {
		return
	}
	p := f.startPending(now)
	p.note(now)
	p.observe(s, now)
	p.due = now.Add(delayOfWrite(s))
	if linkSwapped(before, s) {
		p.due = now.Add(delayOfArrival(s, true))
	}
}

// settled looks at f and reports whether it has settled, and whether to report it
// then. A file that has settled has no pending change any more.
func (f *file) settled(now time.Time) (settled, report bool) {
	p, s := f.pending, f.stat()
	if s != p.stamp { // Changed without an event.
		p.note(now)
		p.observe(s, now)
		p.due = now.Add(delayOfWrite(s))
		return false, false
	}
	if p.open = s.exists() && s.mode.IsRegular() && isOpen(f.abs); p.open && now.Sub(s.writtenAt(p.since)) < maxWait {
		p.due = now.Add(openPoll)
		return false, false
	}
	f.readOpen = p.open
	report = (p.named || s != f.reported) && (s.err != absent || f.reported.err != absent)
	f.reported, f.pending = s, nil
	return true, report
}

// isOpen reports whether a process has the regular file at path open for writing.
// It reports false if the system does not know.
func isOpen(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false // Read returns the error.
	}
	defer f.Close()
	open, _ := openForWriting(f)
	return open
}

// delayOfArrival returns for how long a file that appeared whole must be left
// alone; sure says that it was certainly renamed or reached by a swapped link.
func delayOfArrival(s stamp, sure bool) time.Duration {
	switch {
	case s.arrivedWhole():
		return 0
	case sure:
		return moveDelay
	}
	return arrivalDelay
}

// delayOfWrite returns for how long a file with the stamp s must be left alone
// after a write.
func delayOfWrite(s stamp) time.Duration {
	if s.exists() && s.size == 0 && s.mode.IsRegular() {
		return emptyDelay
	}
	return settleDelay
}
