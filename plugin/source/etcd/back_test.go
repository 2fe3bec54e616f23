package etcd

import (
	"fmt"
	"testing"
)

// Each sign by itself says that a store went back: what else is looked at may not tell.
func TestWentBack_EachSign(t *testing.T) {
	for name, tc := range map[string]struct {
		next store
		want bool
	}{
		"nothing new":                     {store{cluster: 1, revision: 7, headRevision: 3}, false},
		"a later head":                    {store{cluster: 1, revision: 9, headRevision: 8}, false},
		"another cluster":                 {store{cluster: 2, revision: 9, headRevision: 3}, true},
		"a revision below the last seen":  {store{cluster: 1, revision: 6, headRevision: 3}, true},
		"another head at a revision seen": {store{cluster: 1, revision: 9, headRevision: 4}, true},
		"no head any more":                {store{cluster: 1, revision: 9}, true},
	} {
		s := &Source{follower: follower{store: &store{cluster: 1, revision: 5, headRevision: 3}, seen: 7}}
		if got := s.wentBack(&tc.next); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// A store that has another history is known by each document of the last transaction that
// was seen, whichever of them is the same.
func TestIsSameHistory_WholeTransaction(t *testing.T) {
	const prefix = string(testMap) + "/documents/"
	for lost := range 4 {
		m := newMemory()
		m.write(map[string][]byte{prefix + "0.yaml": []byte("1"), prefix + "1.yaml": []byte("1"), prefix + "2.yaml": []byte("1"), prefix + "3.yaml": []byte("1")})
		s := newSource(Options{Map: testMap, Log: t.Logf})
		before, all, others := m.revision(), make(map[string][]byte), make(map[string][]byte)
		for i := range 4 {
			key := fmt.Sprintf("%s%d.yaml", prefix, i)
			all[key] = []byte("2")
			if i != lost {
				others[key] = []byte("2")
			}
		}
		m.write(all)
		if err := s.list(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if same, err := s.isSameHistory(t.Context(), m); !same || err != nil {
			t.Fatalf("the same store: %t, %v", same, err)
		}
		m = m.restored(before)
		m.write(others)
		if same, err := s.isSameHistory(t.Context(), m); same || err != nil {
			t.Errorf("without %d.yaml: %t, %v", lost, same, err)
		}
	}
}
