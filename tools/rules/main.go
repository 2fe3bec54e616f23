// Command rules makes the reference of the rules from the archives of testdata, which
// the tests hold to what the plugin does, so that it cannot go stale, and the texts of the
// rules that the command addressmap has.
//
//	go run ./tools/rules           # write docs/rules.md and cmd/addressmap/rules.json
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

const (
	reference = "docs/rules.md"
	texts     = "cmd/addressmap/rules.json"
)

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
	page, err := render(b, parts)
	if err != nil {
		return err
	}
	short, err := renderTexts(b, parts)
	if err != nil {
		return err
	}
	return errors.Join(put(check, reference, page), put(check, texts, short))
}

// put writes a file, or returns an error if it is to be checked and is another.
func put(check bool, path string, want []byte) error {
	if !check {
		return os.WriteFile(path, want, 0o644)
	}
	got, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not what the archives of testdata give: run `go run ./tools/rules` and commit the reference", path)
	}
	return nil
}
