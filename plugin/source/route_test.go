//go:build unix

package source

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A route passes every directory that a path leads through, links followed, and
// ends where the kernel ends.
func TestWalk(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	put(t, base+"/real/deep/file", before)
	put(t, base+"/other/file", before)
	for path, target := range map[string]string{
		"abs":          base + "/real",
		"rel":          "real",
		"chain":        "rel/deep",
		"real/up":      "../other",
		"real/deep/up": "../up/../real/./deep/", // To real/deep again.
		"loop":         "loop",
		"nowhere":      "none/deep",
		"dot":          ".",
	} {
		must(t, os.Symlink(target, filepath.Join(base, path)))
	}
	tests := []struct {
		path   string
		dir    string // "" if broken
		passes string // below base
		names  string // looked up below base
	}{
		{"real", "real", ". real", "real"},
		{"real/deep", "real/deep", ". real real/deep", "real deep"},
		{"abs/deep", "real/deep", ". real real/deep", "abs real deep"},
		{"rel/", "real", ". real", "rel real"},
		{"chain", "real/deep", ". real real/deep", "chain rel real deep"},
		{"chain/..", "real", ". real real/deep", "chain rel real deep"},
		{"rel/up", "other", ". real other", "rel real up other"},
		{"dot/dot/real", "real", ". real", "dot dot real"},
		{"real/deep/up", "real/deep", ". real real/deep other", "real deep up up other real deep"},
		{"none/deep", "", ".", "none"},
		{"nowhere", "", ".", "nowhere none"},
		{"real/deep/file", "", ". real real/deep", "real deep file"},
		{"real/deep/file/x", "", ". real real/deep", "real deep file"},
		{"loop", "", ".", strings.TrimSpace(strings.Repeat("loop ", maxLinks+1))},
	}
	for _, tt := range tests {
		r := walkRoute(base + "/" + tt.path)
		want := ""
		if tt.dir != "" {
			want = filepath.Join(base, tt.dir)
			real, err := filepath.EvalSymlinks(base + "/" + tt.path)
			if err != nil || r.dir != real {
				t.Errorf("%s: want %s, where the kernel goes, got %s (%v)", tt.path, real, r.dir, err)
			}
		}
		if r.dir != want {
			t.Errorf("%s: want to %q, got %q", tt.path, want, r.dir)
		}
		passes := make(map[string]bool)
		var ids []fileID
		for _, p := range r.passed {
			if rel, err := filepath.Rel(base, p.path); err == nil && !strings.HasPrefix(rel, "..") {
				passes[rel] = true
				ids = append(ids, p.id)
			}
		}
		for _, p := range strings.Fields(tt.passes) {
			if !passes[p] {
				t.Errorf("%s: want to pass %s, got %v", tt.path, p, r.passed)
			}
		}
		if n := len(strings.Fields(tt.passes)); len(passes) != n {
			t.Errorf("%s: want to pass %d directories, got %v", tt.path, n, passes)
		}
		var names []string
		for _, s := range r.entries {
			if slices.Contains(ids, s.dir) {
				names = append(names, s.name)
			}
		}
		if got := strings.Join(names, " "); got != tt.names {
			t.Errorf("%s: want to look up %q, got %q", tt.path, tt.names, got)
		}
	}
}

// The root directory, whose names fsnotify writes with two slashes.
func TestWalk_Root(t *testing.T) {
	r := walkRoute("/")
	if r.dir != "/" || len(r.passed) != 1 || len(r.entries) != 0 {
		t.Errorf("want to be there at once, got %+v", r)
	}
	if dir, name := splitPath("/name"); dir != "/" || name != "name" {
		t.Errorf("want / and name, got %q and %q", dir, name)
	}
}

func TestFollow(t *testing.T) {
	tests := []struct{ target, dir, name string }{
		{"b", "/a/", "b"},
		{"../b", "/a/../", "b"},
		{"b/c", "/a/b/", "c"},
		{"b/", "/a/", "b"},
		{"/b", "/", "b"},
		{"/", "/", "."},
		{".", "/a/./", "."},
		{"b/..", "/a/b/../", "."},
	}
	for _, tt := range tests {
		if dir, name := follow("/a", tt.target); dir != tt.dir || name != tt.name {
			t.Errorf("%q in /a: want %q, %q, got %q, %q", tt.target, tt.dir, tt.name, dir, name)
		}
	}
}

func TestMountPoints(t *testing.T) {
	info := filepath.Join(t.TempDir(), "mountinfo")
	put(t, info, `22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw
410 28 254:0 /host/map.yaml /etc/a\040b\134c\011.yaml rw - ext4 /dev/vda rw
411 28 254:0 / /etc/odd\09\ rw - ext4 /dev/vda rw
short line
`)
	got, err := mountPoints(info)
	must(t, err)
	want := map[string]bool{"/proc": true, "/etc/a b\\c\t.yaml": true, `/etc/odd\09\`: true}
	if len(got) != len(want) {
		t.Errorf("want %v, got %v", want, got)
	}
	for p := range want {
		if !got[p] {
			t.Errorf("want %q among %v", p, got)
		}
	}
	if got, err := mountPoints(info + ".none"); got != nil || err != nil {
		t.Errorf("want none without the file, got %v", got)
	}
}
