package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// repository is the top of the repository. It is absolute because the tests
// change directories, and go test's cache must know which files they read.
var repository = func() string {
	here, err := os.Getwd() // go test starts in the package's folder
	if err != nil {
		panic(err)
	}
	return filepath.Dir(here)
}()

// pkg is what the go command tells about one package; the names are its own.
type pkg struct {
	Dir        string
	ImportPath string
	Doc        string   // the first sentence of the package comment
	GoFiles    []string // without tests
	Imports    []string // of GoFiles
}

// room returns the folder of the package in the repository, "" for the root.
func (p pkg) room() string {
	room, _ := roomOf(p.ImportPath)
	return room
}

// modules are the folders of the repository that have a go.mod: `go list ./...` ends at
// the border of a module.
var modules = []string{"", "bench", "packaging/kubernetes", "tools/licences"}

// packages returns all packages of the repository.
func packages(t *testing.T) []pkg {
	t.Helper()
	lookAround(t)
	var list []pkg
	for _, folder := range modules {
		list = append(list, packagesOf(t, filepath.Join(repository, folder))...)
	}
	return list
}

// packagesOf returns the packages of the module in a folder.
func packagesOf(t *testing.T, folder string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Doc,GoFiles,Imports", "./...")
	cmd.Dir = folder
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.Bytes())
	}
	var list []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatalf("reading the output of %v: %v", cmd, err)
		}
		list = append(list, p)
	}
}

// No rule would look into a module that is missing in the list.
func TestModules_AllKnown(t *testing.T) {
	var got []string
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "go.mod" {
			folder, _ := filepath.Rel(repository, filepath.Dir(path))
			got = append(got, strings.TrimPrefix(folder, "."))
		}
		return err
	})
	slices.Sort(got)
	if err != nil || !slices.Equal(got, modules) {
		t.Errorf("want a go.mod in %q, got %q and %v", modules, got, err)
	}
}

// lookAround reads the folders with code, so that go test does not show a
// cached result when a file was added: it knows of what the test itself reads,
// not of what the go command reads for it.
func lookAround(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPackageComments(t *testing.T) {
	for _, wrong := range uncommented(packages(t)) {
		t.Error(wrong)
	}
}

func TestPackageComments_CanFail(t *testing.T) {
	if got := uncommented([]pkg{{ImportPath: module + "/plugin/x", GoFiles: []string{"x.go"}}}); len(got) != 1 {
		t.Errorf("want one complaint, got %q", got)
	}
}

func uncommented(packages []pkg) []string {
	var wrong []string
	for _, p := range packages {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			wrong = append(wrong, fmt.Sprintf("%s has no package comment: say what it is for", title(p.room())))
		}
	}
	return wrong
}
