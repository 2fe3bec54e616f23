package test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// docs/dependencies.md says of each direct dependency of each module why it is there, how well
// it is kept, and of nothing else.
func TestDependencies_Documented(t *testing.T) {
	direct := make(map[string]bool)
	for _, folder := range modules {
		for _, m := range directOf(t, folder) {
			if !strings.HasPrefix(m, module) { // the repository's own
				direct[m] = true
			}
		}
	}
	documented := make(map[string]bool)
	for line := range strings.Lines(content(t, repository+"/docs/dependencies.md")) {
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.HasPrefix(cells[1], " `") {
			if len(cells) != 7 || slices.ContainsFunc(cells[2:5], func(cell string) bool { return strings.TrimSpace(cell) == "" }) {
				t.Errorf("docs/dependencies.md does not say all of %s: licence, what for, how well kept", cells[1])
			}
			for module := range strings.SplitSeq(cells[1], ",") {
				documented[strings.Trim(module, " `")] = true
			}
		}
	}
	for module := range documented {
		if !direct[module] {
			t.Errorf("docs/dependencies.md names %s, which no go.mod requires directly", module)
		}
	}
	for module := range direct {
		if !documented[module] {
			t.Errorf("docs/dependencies.md does not say why %s is there", module)
		}
	}
}

// directOf returns the modules that the go.mod of a folder requires directly.
func directOf(t *testing.T, folder string) (out []string) {
	t.Helper()
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = filepath.Join(repository, folder)
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect {
			out = append(out, r.Path)
		}
	}
	return out
}
