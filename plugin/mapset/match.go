package mapset

import (
	"slices"
	"strings"
)

// successors returns, for each address map of old, the one of next that it
// became, or nil if it is gone; next may be nil. A map is known by its id.
//
// An id that is made from the position says nothing of what the map is: a map
// inserted before another would take its place. Such a map is therefore known by
// what it holds: first by both its addresses and its members, then by its
// addresses, then by its members. It is gone if no map of next has either.
func successors(old, next *account) []*addressMap {
	out := make([]*addressMap, len(old.maps))
	if next == nil {
		return out
	}
	taken := make(map[*addressMap]bool)
	byID := make(map[string]*addressMap, len(next.maps))
	for i := range next.maps {
		if m := &next.maps[i]; !madeUp(next.id, m.id) {
			byID[m.id] = m
		}
	}
	for i := range old.maps {
		if n := byID[old.maps[i].id]; n != nil {
			out[i], taken[n] = n, true
		}
	}
	for _, same := range []func(a, b *addressMap) bool{
		func(a, b *addressMap) bool { return a.sameIPs(b) && a.sameMembers(b) },
		(*addressMap).sameIPs,
		(*addressMap).sameMembers,
	} {
		for _, i := range unprotectedFirst(old) {
			m := &old.maps[i]
			if out[i] != nil || !madeUp(old.id, m.id) {
				continue
			}
			if n := pick(m, next.maps, taken, same); n != nil {
				out[i], taken[n] = n, true
			}
		}
	}
	return out
}

// pick returns a map that is the same as m by what same compares, preferably
// the one in its place.
func pick(m *addressMap, from []addressMap, taken map[*addressMap]bool, same func(a, b *addressMap) bool) *addressMap {
	var found *addressMap
	for i := range from {
		n := &from[i]
		if taken[n] || !same(m, n) {
			continue
		}
		if n.id == m.id {
			return n
		}
		if found == nil {
			found = n
		}
	}
	return found
}

// unprotectedFirst returns the places of the account's maps, those of protected
// ones last: where two want the same successor, it must not be by a guess that
// the protected one lives on.
func unprotectedFirst(a *account) []int {
	out := make([]int, 0, len(a.maps))
	for _, want := range []bool{false, true} {
		for i := range a.maps {
			if a.maps[i].protected() == want {
				out = append(out, i)
			}
		}
	}
	return out
}

// madeUp reports whether the id of a map is of the form that the document's
// reader makes from the map's place in its account, as "acme/0".
func madeUp(account, id string) bool {
	digits, ok := strings.CutPrefix(id, account+"/")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

func (m *addressMap) sameIPs(o *addressMap) bool     { return slices.Equal(m.ips.written, o.ips.written) }
func (m *addressMap) sameMembers(o *addressMap) bool { return slices.Equal(m.members, o.members) }

func (m *addressMap) equal(o *addressMap) bool {
	return m.enabled == o.enabled && m.canDelete == o.canDelete && m.canModifyIPs == o.canModifyIPs &&
		m.sameIPs(o) && m.sameMembers(o) && slices.Equal(m.ips.usable, o.ips.usable)
}
