// Command licences prints which licence each module has that is linked into the binaries, and
// fails if there is one that this project may not pass on.
//
//	cd tools/licences && go run .                                # the table
//	cd tools/licences && go run . -texts ../../THIRD-PARTY.txt   # all texts, to go with the binaries
//	cd tools/licences && go run . -sbom LIST.spdx.json BINARY    # the modules of one binary
//
// Licences ask for their text, and Apache-2.0 for the file NOTICE, beside a binary: an archive
// or package of a release takes what -texts writes. The tool is a module of its own, so that
// what it needs is nobody else's dependency.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/google/licensecheck"
)

// allowed are the licences that a binary under Apache-2.0 may be linked with.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MPL-2.0"}

// binary is a command as it is built.
type binary struct {
	name string
	env  []string // for which system
	args []string // of go list
}

// binaries are what is released.
var binaries = []binary{
	{"coredns", linux, []string{"./cmd/coredns"}},
	{"coredns, full", linux, []string{"-tags", "full", "./cmd/coredns"}},
	{"addressmap", linux, []string{"./cmd/addressmap"}},
}

var linux = []string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}

func main() {
	texts := flag.String("texts", "", "write all licences and notices to this file")
	sbom := flag.String("sbom", "", "write to this `FILE`, as SPDX, which modules the binary named after it is made of")
	flag.Parse()
	var err error
	switch {
	case *sbom != "" && flag.NArg() == 1:
		err = writeSBOM("../..", flag.Arg(0), *sbom)
	case *sbom != "" || flag.NArg() > 0:
		err = fmt.Errorf("-sbom takes a file to write and one binary to read")
	default:
		err = run(os.Stdout, "../..", *texts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// run looks at the binaries of the repository.
func run(out io.Writer, repository, texts string) error {
	modules, err := linked(repository, binaries)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var wrong []string
	for _, m := range modules {
		ids, err := judge(m.files)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s %s: %v", m.path, m.version, err))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m.path, m.version, strings.Join(ids, ", "), strings.Join(m.in, "; "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("not to be passed on, look at the licence, and take another module or allow it:\n%s", strings.Join(wrong, "\n"))
	}
	if texts == "" {
		return nil
	}
	return os.WriteFile(texts, allTexts(modules), 0o644)
}

// judge returns the licences of a module by its files, and an error if there is none, or one
// that is not allowed.
func judge(files []file) (ids []string, err error) {
	for _, f := range files {
		if f.isNotice() {
			continue
		}
		found := licensecheck.Scan(f.text)
		for _, match := range found.Match {
			if !slices.Contains(ids, match.ID) {
				ids = append(ids, match.ID)
			}
			if !slices.Contains(allowed, match.ID) {
				err = fmt.Errorf("%s has the licence %s", f.name, match.ID)
			}
		}
		// Whatever is in the rest of the text may take back what the licence gives.
		if found.Percent < 75 {
			err = fmt.Errorf("%.0f %% of %s are a known licence", found.Percent, f.name)
		}
	}
	if len(ids) == 0 && err == nil {
		err = fmt.Errorf("it has no licence")
	}
	slices.Sort(ids)
	return ids, err
}

// allTexts returns the licences and notices of all modules, each text once.
func allTexts(modules []*module) []byte {
	var out strings.Builder
	out.WriteString("The binaries coredns and addressmap are linked with the modules below, each under the licence that follows it.\n" +
		"The source of each is the Go module of that name and version, unchanged.\n")
	var order []string
	of := make(map[string][]string) // :: text → the modules that have it
	for _, m := range modules {
		for _, f := range m.files {
			text := strings.TrimSpace(string(f.text))
			if of[text] == nil {
				order = append(order, text)
			}
			of[text] = append(of[text], m.path+" "+m.version+": "+f.name)
		}
	}
	for _, text := range order {
		out.WriteString("\n" + strings.Repeat("=", 80) + "\n" + strings.Join(of[text], "\n") + "\n" + strings.Repeat("-", 80) + "\n\n" + text + "\n")
	}
	return []byte(out.String())
}
