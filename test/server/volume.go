package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Volume is a folder that the kubelet fills with a ConfigMap or a Secret: the files are links
// through ..data, which is a link to the folder that holds them.
type Volume struct {
	Dir     string
	version int
}

// Publish makes the next version of the volume visible at one stroke, and removes the one
// before.
func (v *Volume) Publish(t testing.TB, files map[string]string) {
	t.Helper()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	old := v.path(v.name())
	v.version++
	do(os.MkdirAll(v.path(v.name()), 0o777))
	for name, text := range files {
		WriteFile(t, v.path(v.name(), name), text)
	}
	do(os.Symlink(v.name(), v.path("..data_tmp")))
	do(os.Rename(v.path("..data_tmp"), v.path("..data")))
	for name := range files {
		if _, err := os.Lstat(v.path(name)); err != nil {
			do(os.Symlink("..data/"+name, v.path(name)))
		}
	}
	entries, err := os.ReadDir(v.Dir)
	do(err)
	for _, e := range entries {
		if _, there := files[e.Name()]; !there && !strings.HasPrefix(e.Name(), "..") {
			do(os.Remove(v.path(e.Name())))
		}
	}
	do(os.RemoveAll(old))
}

func (v *Volume) name() string { return fmt.Sprintf("..2026_02_20_12_00_00.%d", v.version) }

func (v *Volume) path(parts ...string) string {
	return filepath.Join(v.Dir, filepath.Join(parts...))
}
