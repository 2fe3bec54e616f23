package live

import "time"

// Hasten makes documents that are gone count as removed sooner.
func Hasten(absent, calmFor time.Duration) { absence, calm = absent, calmFor }

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
