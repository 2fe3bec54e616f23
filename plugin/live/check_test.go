package live_test

import (
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
)

// A map that is checked has the digest that a server shows which has it in force: of a
// directory that of the documents that are good.
func TestCheck_SHA256(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	dir := newRig(t, map[string]string{"maps/a.yaml": version("192.0.2.1"), "maps/b.yaml": "accounts: [{id: b}]\n", "maps/c.yaml": broken}, "maps", live.Options{})
	for _, c := range []struct {
		path, want string
	}{{r.path("map.yaml"), r.last().SHA256}, {dir.path("maps"), dir.last().SHA256}} {
		if checked, err := live.Check(live.Options{Path: c.path}); err != nil || checked.SHA256 != c.want {
			t.Errorf("%s: got %+v, %v, want %s", c.path, checked, err, c.want)
		}
	}
}
