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

// packages returns all packages of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	lookAround(t)
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Doc,GoFiles,Imports", "./...")
	cmd.Dir = repository
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
