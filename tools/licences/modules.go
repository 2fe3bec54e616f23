package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is a module of which a package is linked.
type module struct {
	path, version, dir string
	in                 []string // the binaries
	files              []file   // in the order of their names
}

// file is a licence or a notice. Its name is below the directory of its module.
type file struct {
	name string
	text []byte
}

var licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|unlicense|notice|patents)([-._].*)?$`)

var noticeName = regexp.MustCompile(`(?i)^(notice|copyright|patents)|\.csv$`)

// isNotice reports whether the file gives no licence: who has the rights, what more is to be
// passed on, or a grant of patents beside the licence.
func (f file) isNotice() bool { return noticeName.MatchString(filepath.Base(f.name)) }

// linked returns the modules of the binaries, in the order of their paths. The licences are
// those of the directories of linked packages, and of those above: a package may be a copy of
// somebody else's.
func linked(repository string, binaries []binary) ([]*module, error) {
	modules := make(map[string]*module)
	seen := make(map[string]bool) // directories
	for _, b := range binaries {
		cmd := exec.Command("go", append([]string{"list", "-deps", "-f",
			"{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}\t{{.Standard}}\t{{.Dir}}"}, b.args...)...)
		cmd.Dir = repository
		cmd.Env = append(os.Environ(), b.env...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cmd, err)
		}
		for line := range strings.Lines(string(out)) {
			fields := strings.Split(strings.TrimSpace(line), "\t")
			if len(fields) != 5 {
				continue // the repository's own, or the standard library's
			}
			m := modules[fields[0]]
			if m == nil {
				m = &module{path: fields[0], version: fields[1], dir: fields[2]}
				modules[m.path] = m
			}
			if !slices.Contains(m.in, b.name) {
				m.in = append(m.in, b.name)
			}
			if err := m.collect(fields[4], seen); err != nil {
				return nil, err
			}
		}
	}
	standard, err := standardLibrary(binaries)
	if err != nil {
		return nil, err
	}
	out := []*module{standard}
	for _, m := range modules {
		slices.SortFunc(m.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *module) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

// collect adds the licences of a directory and of those above it in the module.
func (m *module) collect(dir string, seen map[string]bool) error {
	for ; !seen[dir] && (dir == m.dir || strings.HasPrefix(dir, m.dir+string(filepath.Separator))); dir = filepath.Dir(dir) {
		seen[dir] = true
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() || !licenceName.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
				continue
			}
			if err := m.add(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *module) add(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(m.dir, path)
	if err != nil {
		return err
	}
	m.files = append(m.files, file{name, bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))})
	return nil
}

// standardLibrary returns that of Go, which is in every binary.
func standardLibrary(binaries []binary) (*module, error) {
	out, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return nil, fmt.Errorf("go env: %q is no directory and version", out)
	}
	m := &module{path: "std", version: fields[1], dir: fields[0]}
	for _, b := range binaries {
		m.in = append(m.in, b.name)
	}
	for _, name := range []string{"LICENSE", "PATENTS"} {
		if err := m.add(filepath.Join(m.dir, name)); err != nil {
			return nil, err
		}
	}
	return m, nil
}
