package fqdn

import (
	"strings"
	"testing"
)

// TestZones_LikeASet: the form in which they are held is not seen.
func TestZones_LikeASet(t *testing.T) {
	long := Name(strings.Repeat("x", near-4) + ".org.")
	names := []Name{"", ".", "org.", "example.org.", "www.example.org.", "anexample.org.", `a\.example.org.`, `a\\.example.org.`, "example.org.net.",
		"com.", long, "www." + long, long[1:], "x" + long, "www.x" + long}
	for _, set := range []Set{nil, {}, NewSet("."), NewSet("example.org."), NewSet("org."), NewSet("example.org.", "com."), NewSet(long), NewSet(long[1:]), NewSet("x" + long)} {
		z := NewZones(set)
		for _, n := range names {
			if got, want := z.Encloses(n), set.Encloses(n); got != want {
				t.Errorf("%v encloses %q: %t, want %t", set, n, got, want)
			}
			if got, want := z.AnyBelow(n), anyBelow(set, n); got != want {
				t.Errorf("%v has a zone below %q: %t, want %t", set, n, got, want)
			}
		}
		if len(z.Set()) != len(set) {
			t.Errorf("%v has become %v", set, z.Set())
		}
	}
}

// anyBelow is [Zones.AnyBelow], slow and obvious.
func anyBelow(set Set, n Name) bool {
	for apex := range set {
		if n != "" && apex != n && apex.In(n) {
			return true
		}
	}
	return false
}

func FuzzZones(f *testing.F) {
	for _, n := range []string{"www.example.org.", `a\.example.org.`, `\\.example.org.`, "anexample.org.", ".", "example.org."} {
		f.Add(n, "example.org.")
	}
	f.Fuzz(func(t *testing.T, n, apex string) {
		zone, err := Parse(apex)
		if err != nil {
			return // No zone has such a name.
		}
		set := NewSet(zone)
		if z, name := NewZones(set), Canonical(n); z.Encloses(name) != set.Encloses(name) {
			t.Errorf("%q encloses %q: %t", zone, name, z.Encloses(name))
		}
		if z, name := NewZones(set), Canonical(n); name != "" && z.AnyBelow(name) != anyBelow(set, name) {
			t.Errorf("%q lies below %q: %t", zone, name, z.AnyBelow(name))
		}
	})
}
