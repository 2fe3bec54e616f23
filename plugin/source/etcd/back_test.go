package etcd

import "testing"

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
