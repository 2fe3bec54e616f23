package test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// docs/dependencies.md says of each direct dependency why it is there, and of nothing else.
func TestDependencies_Documented(t *testing.T) {
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = repository
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	direct := make(map[string]bool)
	for _, r := range mod.Require {
		direct[r.Path] = !r.Indirect
	}
	documented := make(map[string]bool)
	for line := range strings.Lines(content(t, repository+"/docs/dependencies.md")) {
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.HasPrefix(cells[1], " `") {
			for module := range strings.SplitSeq(cells[1], ",") {
				documented[strings.Trim(module, " `")] = true
			}
		}
	}
	for module := range documented {
		if !direct[module] {
			t.Errorf("docs/dependencies.md names %s, which go.mod does not require directly", module)
		}
	}
	for module, is := range direct {
		if is && !documented[module] {
			t.Errorf("docs/dependencies.md does not say why %s is there", module)
		}
	}
}
