// Command man makes the manual page from the README, so that the two cannot
// say different things.
//
//	go run ./tools/man           # write man/coredns-addressmap.7
//	go run ./tools/man -check    # fail if the page is not what the README gives
//
// It is run at the top of the repository.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
)

const (
	readme = "README.md"
	page   = "man/coredns-addressmap.7"
)

func main() {
	check := flag.Bool("check", false, "write nothing, fail if the page is not current")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	source, err := os.ReadFile(readme)
	if err != nil {
		return fmt.Errorf("reading the README (run this at the top of the repository): %w", err)
	}
	want, err := render(source)
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	if !check {
		return os.WriteFile(page, want, 0o644)
	}
	got, err := os.ReadFile(page)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not what %s gives: run `go run ./tools/man` and commit the page", page, readme)
	}
	return nil
}
