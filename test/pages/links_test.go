package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	// code is what stands in code: no link, and no heading.
	code = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`")
)

// Every link of the documentation leads to a file, and to a heading of it.
func TestLinks(t *testing.T) {
	paths := documents(t)
	for _, path := range paths {
		for _, wrong := range broken(path, read(t, path)) {
			t.Errorf("%s: %s", path, wrong)
		}
	}
	index := read(t, filepath.Join(docs, "README.md"))
	for _, path := range paths {
		if filepath.Dir(path) == docs && name(path) != "README.md" && !strings.Contains(index, "]("+name(path)+")") {
			t.Errorf("docs/README.md does not list %s", name(path))
		}
	}
}

func TestLinks_CanFail(t *testing.T) {
	for text, want := range map[string]string{
		"[a](README.md) `[b](absent.md)`":  "",
		"[a](README.md#look-up)":           "",
		"[a](absent.md)":                   "absent.md is not there",
		"[a](README.md#absent)":            "README.md has no heading #absent",
		"# One, two: `x`\n[a](#one-two-x)": "",
	} {
		got := strings.Join(broken(filepath.Join(docs, "page.md"), text), "\n")
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: want %q, got %q", text, want, got)
		}
	}
}

// broken says which links of a text lead nowhere.
func broken(path, text string) []string {
	var wrong []string
	for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		file, anchor, _ := strings.Cut(m[1], "#")
		target := text
		if file != "" {
			to := filepath.Join(filepath.Dir(path), file)
			if _, err := os.Stat(to); err != nil {
				wrong = append(wrong, file+" is not there")
				continue
			}
			data, _ := os.ReadFile(to) // a folder has no headings
			target = string(data)
		}
		if anchor != "" && !slices.Contains(anchors(target), anchor) {
			wrong = append(wrong, fmt.Sprintf("%s has no heading #%s", file, anchor))
		}
	}
	return wrong
}

// anchors returns the anchors of a page's headings, as code hosts make them.
func anchors(page string) []string {
	var all []string
	blocks := regexp.MustCompile("(?ms)^```.*?^```$")
	for _, m := range heading.FindAllStringSubmatch(blocks.ReplaceAllString(page, ""), -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case strings.ContainsRune("`*.,:;!?()/…", r):
				return -1
			}
			return r
		}, strings.ToLower(m[1]))
		all = append(all, anchor)
	}
	return all
}

// documents returns the pages for readers.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "runbooks/*.md", "../*.md", "../test/*.md", "../test/*/*.md", "../bench/*.md"} {
		paths, err := filepath.Glob(filepath.Join(docs, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("want pages for %s, got %v, %v", pattern, paths, err)
		}
		all = append(all, paths...)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
