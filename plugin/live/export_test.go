package live

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/mapset"
)

// Snapshot returns what is in force by the options of the first view.
func (s *Store) Snapshot() *mapset.Snapshot {
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	return s.loader.views.lead().Snapshot()
}

// Hasten makes documents that are gone count as removed sooner, in stores to come.
// It is looked at more often which drains are in force.
func Hasten(absence, calm time.Duration) {
	waits.absence, waits.calm = absence, calm
	lookAtDrains = 10 * time.Millisecond
}

// SetClock gives the store another clock for its drains.
func SetClock(s *Store, clock func() time.Time) {
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	s.loader.drains.clock = clock
}

// Await makes documents of a store that are gone count as removed after this time, from
// its next load on.
func Await(s *Store, absence, calm time.Duration) {
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	s.loader.waits.absence, s.loader.waits.calm = absence, calm
}

// AwaitMove makes documents of a store wait for so long for others to take what they let go of.
func AwaitMove(s *Store, move time.Duration) {
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	s.loader.waits.move = move
}

// Moving returns the documents that wait for others to take what they let go of.
func Moving(s *Store) string {
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(s.loader.moving)), " ")
}

// Failures returns how often in a row the state could not be written, as far as its pauses
// tell: they double each time.
func Failures(s *Store) (n int) {
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	for pause := s.loader.durable.pause; pause >= firstPause; pause /= 2 {
		n++
	}
	return n
}

// Waits returns the documents that are waited for, "none" if there are none.
func Waits(s *Store) string {
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	out := ""
	for p := range s.loader.absent {
		out += p
	}
	if out == "" {
		return "none"
	}
	return out
}

// InForce returns the paths of the documents in force.
func InForce(s *Store) string {
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	out := ""
	for p := range s.loader.docs {
		out += p + "\n"
	}
	return out
}
