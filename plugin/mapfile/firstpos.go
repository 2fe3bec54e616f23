package mapfile

// firstPos has the first place of each key of one list, to recognise duplicates.
// Nearly all lists are short, and there may be a hundred thousand of them: only a long
// list gets a hash table.
type firstPos[K comparable] struct {
	few  []entry[K]
	many map[K]Pos
}

type entry[K comparable] struct {
	key K
	pos Pos
}

// fewEntries is the longest list that is searched faster than a hash table.
const fewEntries = 16

// reset empties s for a list of n items.
func (s *firstPos[K]) reset(n int) {
	s.few, s.many = s.few[:0], nil
	if n > fewEntries {
		s.many = make(map[K]Pos, n)
	}
}

// add adds key at pos. For a duplicate it returns the first place of key, and true.
func (s *firstPos[K]) add(key K, pos Pos) (Pos, bool) {
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
