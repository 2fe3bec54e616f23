// Command rules makes the reference of the rules from the archives of testdata, which
// the tests hold to what the plugin does, so that it cannot go stale.
//
//	go run ./tools/rules           # write docs/rules.md
//	go run ./tools/rules -check    # fail if the reference is not what the archives give
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

const reference = "docs/rules.md"

func main() {
	check := flag.Bool("check", false, "write nothing, fail if the reference is not current")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "rules:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	b, err := openBook(os.DirFS("testdata"))
	if err != nil {
		return fmt.Errorf("reading the archives (run this at the top of the repository): %w", err)
	}
	want, err := render(b, parts)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(reference, want, 0o644)
	}
	got, err := os.ReadFile(reference)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not what the archives of testdata give: run `go run ./tools/rules` and commit the reference", reference)
	}
	return nil
}
