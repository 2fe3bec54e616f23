package state

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// saboteur makes one step fail: before it is done, or although it was, as a
// sync does of which nobody knows how far it came.
type saboteur struct {
	mu     sync.Mutex
	target int // the step's number, from 0
	after  bool
	seen   []step
}

func (s *saboteur) tamper(st step, do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, st)
	if len(s.seen)-1 != s.target {
		return do()
	}
	if s.after {
		_ = do()
	}
	return syscall.EIO
}

// failed returns the step that failed, if it came to that.
func (s *saboteur) failed() (step, bool) {
	if len(s.seen) <= s.target {
		return step{}, false
	}
	return s.seen[s.target], true
}

// Every step of a save fails once. What was saved before is still there, and the
// next save is as if nothing had been.
func TestState_EveryStepFails(t *testing.T) {
	t.Parallel()
	counts := make(map[string]int)
	for _, after := range []bool{false, true} {
		for target := 0; ; target++ {
			s := &saboteur{target: target, after: after}
			if !failOnce(t, s) {
				break
			}
			st, _ := s.failed()
			counts[st.kind]++
		}
	}
	t.Logf("failed steps by kind: %v", counts)
	for _, kind := range []string{"write", "sync", "rename", "syncdir", "mkdir", "remove"} {
		if counts[kind] == 0 {
			t.Errorf("no %s failed", kind)
		}
	}
}

// failOnce saves with one failing step, and reports whether it came to it.
func failOnce(t *testing.T, s *saboteur) bool {
	dir := t.TempDir()
	d := open(t, dir)
	must(t, save(d, 1))
	d.dir.disk.hook = s.tamper
	err := save(d, 2)
	d.dir.disk.hook = nil
	st, failed := s.failed()
	want := 1
	switch {
	case !failed || st.kind == "remove": // What is too much does no harm.
		must(t, err)
		want = 2
	case !errors.Is(err, syscall.EIO):
		t.Fatalf("%v failed: want an EIO, got %v", st, err)
	default:
		wantError(t, err, filepath.Join(dir, strings.TrimSuffix(st.name, tmpSuffix)))
		renamed := slices.Index(s.seen, step{"rename", manifestName + tmpSuffix})
		if renamed >= 0 && (s.after || renamed < s.target) {
			want = 2 // It is there, and may only not last, or lack its copy.
		}
	}
	wantSaved(t, d, want)
	again := open(t, dir)
	wantSaved(t, again, want)
	must(t, again.Close())
	must(t, save(d, 2))
	wantSaved(t, d, 2)
	must(t, d.Close())
	d = open(t, dir)
	wantSaved(t, d, 2)
	must(t, save(d, 3))
	wantSaved(t, d, 3)
	wantTidy(t, dir, 3)
	return failed
}
