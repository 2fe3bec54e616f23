package source

import (
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The stamps of a file before and after a change.
var (
	here      = place{dir: "/maps", name: "a.yaml"}
	old       = stamp{place: here, id: fileID{1, 1}, mode: 0o644, size: 9, mtime: 100, ctime: 100}
	written   = stamp{place: here, id: fileID{1, 1}, mode: 0o644, size: 5, mtime: 200, ctime: 200}
	emptied   = stamp{place: here, id: fileID{1, 1}, mode: 0o644, size: 0, mtime: 200, ctime: 200}
	created   = stamp{place: here, id: fileID{1, 2}, mode: 0o644, size: 5, mtime: 200, ctime: 200}
	renamed   = stamp{place: here, id: fileID{1, 2}, mode: 0o644, size: 5, mtime: 200, ctime: 204}
	relinked  = stamp{place: place{"/v2", "a.yaml", linkText("/maps/a.yaml", "/v2/a.yaml"), 200 + int64(clockTick)}, id: fileID{1, 2}, mode: 0o644, size: 5, mtime: 200, ctime: 200}
	rewritten = stamp{place: relinked.place, id: fileID{1, 2}, mode: 0o644, size: 2, mtime: 204, ctime: 204} // within a tick of the link
)

func TestLifeCycle_SettlingByEvent(t *testing.T) {
	const chmod = fsnotify.Chmod
	tests := []struct {
		name   string
		events []fsnotify.Op // before the look; moved stands for a Create by rename
		look   stamp
		want   time.Duration
	}{
		{"written", []fsnotify.Op{fsnotify.Write}, written, settleDelay},
		{"emptied", []fsnotify.Op{fsnotify.Write}, emptied, emptyDelay},
		{"removed", []fsnotify.Op{fsnotify.Remove}, missingStamp(here), settleDelay},
		{"renamed away", []fsnotify.Op{fsnotify.Rename}, missingStamp(here), settleDelay},
		{"chmod", []fsnotify.Op{chmod}, old, settleDelay},
		{"created, empty as yet", []fsnotify.Op{fsnotify.Create}, emptied, emptyDelay},
		{"created and written", []fsnotify.Op{fsnotify.Create, fsnotify.Write}, created, settleDelay},
		{"removed, created and written", []fsnotify.Op{fsnotify.Remove, fsnotify.Create, fsnotify.Write}, created, settleDelay},
		{"appeared with content", []fsnotify.Op{fsnotify.Create}, created, arrivalDelay},
		{"appeared with content after its last write", []fsnotify.Op{fsnotify.Create}, renamed, 0},
		{"written, then renamed over", []fsnotify.Op{fsnotify.Write, fsnotify.Create}, renamed, 0},
		{"renamed over, then written", []fsnotify.Op{fsnotify.Create, fsnotify.Write}, renamed, settleDelay},
		{"moved", []fsnotify.Op{moved}, renamed, 0},
		{"moved within a tick of the clock", []fsnotify.Op{moved}, created, moveDelay},
		{"moved, then written", []fsnotify.Op{moved, fsnotify.Write}, created, settleDelay},
		{"moved, empty", []fsnotify.Op{moved}, emptied, emptyDelay},
		{"link swapped", []fsnotify.Op{fsnotify.Remove}, relinked, moveDelay}, // As touched has it.
		{"link swapped, then the target written", []fsnotify.Op{fsnotify.Remove}, rewritten, settleDelay},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, now := newInbox(), time.Now()
			for _, op := range tt.events {
				ev := fsEvent(t, op)
				in.put(ev.Name, event{ev.Op, isMove(ev), now})
			}
			events, lost := in.take()
			if len(events) != 1 || lost {
				t.Fatalf("want the events of one path and nothing lost, got %v, %t", events, lost)
			}
			f := &file{reported: old}
			f.applyEvents(events[0], tt.look, now)
			if got := f.pending.due.Sub(now); got != tt.want {
				t.Errorf("want %s of rest, got %s", tt.want, got)
			}
		})
	}
}

// Of a file that is being written, a chmod does not change when it is reported,
// another write does.
func TestLifeCycle_SettlingGoesOn(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration, b pathEvents) pathEvents {
		b.first, b.last = now.Add(d), now.Add(d)
		return b
	}
	f := &file{reported: old}
	f.applyEvents(at(0, pathEvents{wrote: true}), written, now)
	f.applyEvents(at(100*time.Millisecond, pathEvents{}), written, now.Add(100*time.Millisecond))
	if got := f.pending.due.Sub(now); got != settleDelay {
		t.Errorf("after a chmod: want %s of rest, got %s", settleDelay, got)
	}
	f.applyEvents(at(200*time.Millisecond, pathEvents{wrote: true}), written, now.Add(200*time.Millisecond))
	if got := f.pending.due.Sub(now); got != 200*time.Millisecond+settleDelay {
		t.Errorf("after a write: want %s of rest, got %s", 200*time.Millisecond+settleDelay, got)
	}
	if !f.pending.noticed.Equal(now) {
		t.Errorf("want the first event at %s, got %s", now, f.pending.noticed)
	}
}

// Without events, only what differs is settled, and a rename is as good as a
// write: no event says that nobody writes.
func TestLifeCycle_SettlingByPoll(t *testing.T) {
	tests := []struct {
		name string
		look stamp
		want time.Duration // -1: nothing to settle
	}{
		{"same", old, -1},
		{"written", written, settleDelay},
		{"emptied", emptied, emptyDelay},
		{"renamed over", renamed, settleDelay},
		{"gone", missingStamp(here), settleDelay},
		{"link swapped", relinked, moveDelay},
		{"link swapped, then the target written", rewritten, settleDelay},
		{"link to nothing", missingStamp(relinked.place), settleDelay},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Now()
			f := &file{reported: old}
			f.applyStamp(tt.look, now)
			got := time.Duration(-1)
			if f.pending != nil {
				got = f.pending.due.Sub(now)
			}
			if got != tt.want {
				t.Errorf("want %s of rest, got %s", tt.want, got)
			}
		})
	}
}

func TestSwapped(t *testing.T) {
	at := func(dir string, links ...string) stamp {
		s := old
		s.place = place{dir: dir, name: "a.yaml", linkTime: s.mtime + int64(clockTick)}
		for i := 0; i < len(links); i += 2 {
			s.place.links += linkText(links[i], links[i+1])
		}
		return s
	}
	late := func(s stamp) stamp {
		s.mtime++
		return s
	}
	tests := []struct {
		name          string
		before, after stamp
		want          bool
	}{
		{"no links", at("/maps"), at("/maps"), false},
		{"same link", at("/v1", "/maps", "v1"), at("/v1", "/maps", "v1"), false},
		{"other target", at("/v1", "/maps", "v1"), at("/v2", "/maps", "v2"), true},
		{"target with the old one as its end", at("/v1", "/maps", "/v1"), at("/x/v1", "/maps", "/x/v1"), true},
		{"link for a directory", at("/maps"), at("/v2", "/maps", "v2"), true},
		{"directory for a link", at("/v1", "/maps", "v1"), at("/maps"), false},
		{"one link less", at("/v1", "/a", "b", "/b", "v1"), at("/b", "/a", "b"), false},
		{"second link", at("/v1", "/a", "b", "/b", "v1"), at("/v2", "/a", "b", "/b", "v2"), true},
		{"to nothing", at("/v1", "/maps", "v1"), missingStamp(at("/v2", "/maps", "v2").place), false},
		{"written within a tick of the link", at("/v1", "/maps", "v1"), late(at("/v2", "/maps", "v2")), false},
		{"the way was broken", missingStamp(place{}), at("/v1", "/maps", "v1"), false},
	}
	for _, tt := range tests {
		if got := linkSwapped(tt.before, tt.after); got != tt.want {
			t.Errorf("%s: want %t, got %t", tt.name, tt.want, got)
		}
	}
}
