package mapfile

// seen finds what stands twice in one list. Nearly all lists are short, and
// there may be a hundred thousand of them: only a long one gets a hash table.
type seen[K comparable] struct {
	few  []entry[K]
	many map[K]Pos
}

type entry[K comparable] struct {
	key K
	pos Pos
}

// fewEntries is up to where looking through them beats a hash table.
const fewEntries = 16

// reset empties s for a list of n items.
func (s *seen[K]) reset(n int) {
	s.few, s.many = s.few[:0], nil
	if n > fewEntries {
		s.many = make(map[K]Pos, n)
	}
}

// add notes that key stands at pos. If it was there before, it returns where
// it stood first, and true.
func (s *seen[K]) add(key K, pos Pos) (Pos, bool) {
	if s.many != nil {
		first, dup := s.many[key]
		if !dup {
			s.many[key] = pos
		}
		return first, dup
	}
	for i := range s.few {
		if s.few[i].key == key {
			return s.few[i].pos, true
		}
	}
	s.few = append(s.few, entry[K]{key, pos})
	return Pos{}, false
}
