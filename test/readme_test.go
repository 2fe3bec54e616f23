package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// sections are what CoreDNS asks of a plugin's README, in this order; others
// may stand between them.
var sections = []string{"Name", "Description", "Syntax", "Metrics", "Ready", "Metadata", "Examples", "Bugs", "See Also"}

func TestReadme_Sections(t *testing.T) {
	if err := checkSections(readme(t)); err != nil {
		t.Error(err)
	}
	if err := checkSections("## Name\n## Syntax\n## Description\n"); err == nil {
		t.Error("want sections in the wrong order reported")
	}
}

func checkSections(markdown string) error {
	rest := markdown
	for _, name := range sections {
		_, after, found := strings.Cut(rest, "\n## "+name+"\n")
		if !found {
			return fmt.Errorf("README.md: no section %q after those before it in %q", name, sections)
		}
		rest = after
	}
	return nil
}

func TestReadme_CorefilesStart(t *testing.T) {
	fences := fences(readme(t), "corefile")
	if len(fences) == 0 {
		t.Fatal("README.md has no corefile fences, or they are not found")
	}
	for i, corefile := range fences {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			if _, err := start(t, corefile); err != nil {
				t.Errorf("%v\n%s", err, corefile)
			}
		})
	}
}

func TestExamples_CorefilesStart(t *testing.T) {
	for _, path := range glob(t, "examples/*/Corefile") {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			corefile, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(corefile), "addressmap etcd:") {
				t.Skip("its map is in etcd: test/acceptance starts it")
			}
			if _, err := start(t, string(corefile)); err != nil {
				t.Error(err)
			}
		})
	}
}

// What the two tests above do must be able to fail.
func TestCorefilesStart_CanFail(t *testing.T) {
	for name, tc := range map[string]struct{ corefile, want string }{
		"unknown option": {"example.org {\n root examples/quickstart\n addressmap maps.yaml {\n  nonsense\n }\n file db.example.org\n}\n", "nonsense"},
		"no such map":    {"example.org {\n root examples/quickstart\n addressmap absent.yaml\n file db.example.org\n}\n", "absent.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := start(t, tc.corefile); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("want an error with %q, got %v", tc.want, err)
			}
		})
	}
}

// The map documents of the README and of its reference are whole: a server starts with
// each as it stands there.
func TestReadme_MapDocumentIsAccepted(t *testing.T) {
	reference := content(t, filepath.Join(repository, "docs", "map.md"))
	documents := slices.Concat(fences(readme(t), "yaml"), fences(reference, "yaml"))
	if len(documents) < 2 {
		t.Fatal("README.md and docs/map.md have no yaml fences, or they are not found")
	}
	zoneFile := strings.Join(slices.DeleteFunc(fences(reference, ""), func(content string) bool {
		return !strings.Contains(content, "cf_tags=")
	}), "")
	for i, document := range documents {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "maps.yaml"), document)
			write(t, filepath.Join(dir, "db.example.com"), zoneFile)
			if _, err := start(t, "example.org {\n root "+dir+"\n addressmap maps.yaml\n}\n"); err != nil {
				t.Error(err)
			}
		})
	}
}

// Editors find the schema by the first line of a document.
func TestExamples_NameTheSchema(t *testing.T) {
	for _, path := range slices.Concat(glob(t, "examples/*/maps.yaml"), glob(t, "examples/*/maps/*.yaml"), glob(t, "examples/*/drains/*.yaml")) {
		document, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(document), "\n")
		schema, found := strings.CutPrefix(first, "# yaml-language-server: $schema=")
		if !found {
			t.Errorf("%s: want the first line to name the schema, got %q", path, first)
			continue
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), schema)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// fences returns the content of all code blocks of one language; "" is that of
// blocks without one.
func fences(markdown, language string) []string {
	var found []string
	var content strings.Builder
	inside, wanted := false, false
	for line := range strings.Lines(markdown) {
		mark, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && inside:
			if wanted {
				found = append(found, content.String())
			}
			inside = false
		case isFence:
			inside, wanted = true, mark == language
			content.Reset()
		case inside:
			content.WriteString(line)
		}
	}
	return found
}

// Lines of the README fit the width of an editor, but for tables.
func TestReadme_Width(t *testing.T) {
	for n, line := range strings.Split(readme(t), "\n") {
		if utf8.RuneCountInString(line) > 120 && !strings.HasPrefix(line, "|") {
			t.Errorf("README.md:%d has more than 120 characters", n+1)
		}
	}
}

func TestFences(t *testing.T) {
	markdown := "a\n```yaml\nb: c\n```\n```\nd\n```\n```yaml\ne\n```\n"
	if got, want := fences(markdown, "yaml"), []string{"b: c\n", "e\n"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
	if got, want := fences(markdown, ""), []string{"d\n"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// glob returns the files of a pattern that is relative to the repository; none
// at all is a mistake in the pattern.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(repository, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("want files for %s, got %v, %v", pattern, paths, err)
	}
	return paths
}
