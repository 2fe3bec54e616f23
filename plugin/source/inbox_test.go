package source

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// moved stands for the Create event of a file that came by rename.
const moved fsnotify.Op = 1 << 30

// event returns an event about one name. What fsnotify knows of a rename cannot
// be made up: a real one is caught.
func fsEvent(t *testing.T, op fsnotify.Op) fsnotify.Event {
	t.Helper()
	if op != moved {
		return fsnotify.Event{Name: "/maps/a.yaml", Op: op}
	}
	ev := catch(t, func(dir string) { must(t, os.Rename(dir+"/x", dir+"/a.yaml")) })
	ev.Name = "/maps/a.yaml"
	return ev
}

// catch returns the Create event that do gives in a directory with a file x.
func catch(t *testing.T, do func(dir string)) fsnotify.Event {
	t.Helper()
	dir := t.TempDir()
	put(t, dir+"/x", before)
	fw := newFsnotify(t)
	defer fw.Close()
	must(t, fw.Add(dir))
	do(dir)
	deadline := time.After(patienceOfTests)
	for {
		select {
		case ev := <-fw.Events:
			if ev.Has(fsnotify.Create) {
				return ev
			}
		case <-deadline:
			t.Fatal("no event")
		}
	}
}

// The text of fsnotify's events alone shows a rename: notice when a new
// version writes it otherwise.
func TestIsMove(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "y")
	put(t, outside, after)
	tests := []struct {
		name string
		do   func(dir string)
		want bool
	}{
		{"renamed within", func(dir string) { must(t, os.Rename(dir+"/x", dir+"/a ← b.yaml")) }, true},
		{"renamed from outside", func(dir string) { must(t, os.Rename(outside, dir+"/a.yaml")) }, false},
		{"created", func(dir string) { put(t, dir+"/a ← b.yaml", after) }, false},
		{"hard link", func(dir string) { must(t, os.Link(dir+"/x", dir+"/a.yaml")) }, false},
	}
	for _, tt := range tests {
		if ev := catch(t, tt.do); isMove(ev) != tt.want {
			t.Errorf("%s: want %t for %s", tt.name, tt.want, ev)
		}
	}
}

// Events come in the order in which they ended, and the first event of each
// counts as its beginning.
func TestInbox_Order(t *testing.T) {
	in, now := newInbox(), time.Now()
	for i, path := range []string{"/a", "/b", "/c", "/a"} {
		in.put(path, event{op: fsnotify.Write, at: now.Add(time.Duration(i))})
	}
	events, _ := in.take()
	var got []string
	for _, e := range events {
		got = append(got, e.path)
	}
	if len(got) != 3 || got[0] != "/b" || got[1] != "/c" || got[2] != "/a" {
		t.Errorf("want /b, /c, /a, got %q", got)
	}
	if a := events[2]; !a.first.Equal(now) || !a.last.Equal(now.Add(3)) {
		t.Errorf("want a from %s to %s, got %s to %s", now, now.Add(3), a.first, a.last)
	}
	if events, _ := in.take(); len(events) != 0 {
		t.Errorf("want nothing the second time, got %v", events)
	}
}
