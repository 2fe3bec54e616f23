package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The rules reference explains every rule that a message may name, and each test that it
// names is there. That it is what the archives give is a test of tools/rules.
func TestReference_IsWhole(t *testing.T) {
	var code, tests strings.Builder
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			code.WriteString(content(t, filepath.Join(p.Dir, name)))
		}
		names, err := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			tests.WriteString(content(t, name))
		}
	}
	reference := content(t, filepath.Join(repository, "docs", "rules.md"))
	for _, wrong := range wrongInReference(reference, code.String(), tests.String()) {
		t.Error(wrong)
	}
}

func TestReference_CanFail(t *testing.T) {
	const code, tests = `d.refuse(n.pos, "V8", "remedy", "text"); Rule: "P2"`, "func TestA(t *testing.T) {}\n"
	for reference, want := range map[string]string{
		"### V8\n\n### P2\n\n(`TestA`)\n": "",
		"### V8\n\n### P22\n":             "docs/rules.md has no P2",
		"### V8\n\n### P2\n\n(`TestB`)\n": "docs/rules.md names TestB",
	} {
		if got := strings.Join(wrongInReference(reference, code, tests), "\n"); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q: got %q, want %q", reference, got, want)
		}
	}
}

var (
	ruleInCode      = regexp.MustCompile(`"([VP][0-9]+)"`)
	testInReference = regexp.MustCompile("\\(`(Test[A-Za-z0-9_]+)`\\)")
)

// wrongInReference says which rules of the code the reference lacks, and which of the
// tests that it names are not among tests.
func wrongInReference(reference, code, tests string) []string {
	var wrong []string
	seen := make(map[string]bool)
	for _, m := range ruleInCode.FindAllStringSubmatch(code, -1) {
		if rule := m[1]; !seen[rule] && !strings.Contains(reference, "### "+rule+"\n") {
			wrong = append(wrong, fmt.Sprintf("docs/rules.md has no %s, which messages name: add an archive of it to testdata, a line to tools/rules/list.go, and run `go run ./tools/rules`", rule))
		}
		seen[m[1]] = true
	}
	for _, m := range testInReference.FindAllStringSubmatch(reference, -1) {
		if !strings.Contains(tests, "func "+m[1]+"(") {
			wrong = append(wrong, fmt.Sprintf("docs/rules.md names %s, which is no test: correct tools/rules/list.go, and run `go run ./tools/rules`", m[1]))
		}
	}
	return wrong
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
