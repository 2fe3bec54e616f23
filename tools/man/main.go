// Command man makes the manual pages from what else says the same, so that the two cannot
// say different things: coredns-addressmap(7) from the README, addressmap-map(5) from
// docs/map.md, and those of section 1 from the help of cmd/addressmap.
//
//	go run ./tools/man           # write the pages in man
//	go run ./tools/man -check    # fail if they are not what their sources give
//
// It is run at the top of the repository.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

const (
	readme    = "README.md"
	reference = "docs/map.md"
	folder    = "man"
)

func main() {
	check := flag.Bool("check", false, "write nothing, fail if a page is not current")
	flag.Parse()
	if err := run(*check, commands); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// run writes the pages, or compares them with those that are there. commands returns
// those of cmd/addressmap.
func run(check bool, commands func() (map[string][]byte, error)) error {
	want, err := commands()
	if err != nil {
		return fmt.Errorf("the pages of cmd/addressmap: %w", err)
	}
	for name, source := range map[string]struct {
		path   string
		render func([]byte) ([]byte, error)
	}{
		"coredns-addressmap.7": {readme, render},
		"addressmap-map.5":     {reference, renderReference},
	} {
		text, err := os.ReadFile(source.path)
		if err != nil {
			return fmt.Errorf("a page's source (run this at the top of the repository): %w", err)
		}
		if want[name], err = source.render(text); err != nil {
			return fmt.Errorf("%s: %w", source.path, err)
		}
	}
	if check {
		return compare(want)
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	for name, page := range want {
		if err := os.WriteFile(filepath.Join(folder, name), page, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare returns an error if the folder does not have the pages, and no other.
func compare(want map[string][]byte) error {
	const remedy = "run `go run ./tools/man` and commit the pages"
	got, err := read(folder)
	if err != nil {
		return fmt.Errorf("%w: %s", err, remedy)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !bytes.Equal(got[name], want[name]) {
			return fmt.Errorf("%s is not what its source gives: %s", filepath.Join(folder, name), remedy)
		}
		delete(got, name)
	}
	for name := range got {
		return fmt.Errorf("%s has no source: %s", filepath.Join(folder, name), remedy)
	}
	return nil
}

// read returns the files of a folder by their names.
func read(folder string) (map[string][]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name())); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// commands returns the pages that cmd/addressmap writes, without the date that they get.
func commands() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "addressmap-man-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "run", "./cmd/addressmap", "man", dir)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	pages, err := read(dir)
	for name, page := range pages {
		pages[name] = bytes.Replace(page, []byte(`"Jan 1970"`), []byte(`""`), 1)
	}
	return pages, err
}
