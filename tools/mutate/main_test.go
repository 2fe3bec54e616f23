package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tiny returns what becomes of the mutants of a package of which a test holds some
// conditions.
func tiny(t *testing.T, only string, known map[string]mutant) map[string]mutant {
	t.Helper()
	dir := "testdata/tiny"
	cfg := &config{dir: dir, files: "tiny.go:Size,Color,Kind", stages: []stage{{dir, ".", "none", time.Minute}}, only: regexp.MustCompile(only), jobs: 2}
	all, err := run(cfg, known, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return results(render(all))
}

func TestRun(t *testing.T) {
	before, err := os.ReadFile("testdata/tiny/tiny.go")
	if err != nil {
		t.Fatal(err)
	}
	got := tiny(t, "", nil)
	for key, by := range map[string]string{
		"tiny.go Size: n < 0 → true":                              "TestSize, TestColor/other",
		"tiny.go Size: n < 0 → false":                             "TestSize",
		"tiny.go Size: n > 10 && n%2 == 0 → true":                 "TestSize",
		"tiny.go Size: n > 10 && n%2 == 0 → false":                "TestSize",
		"tiny.go Size: && n > 10 → out":                           "TestSize",
		"tiny.go Size: && n%2 == 0 → out":                         "TestSize",
		"tiny.go Color: case bright → out":                        "TestColor/bright",
		"tiny.go Color: case dark → out":                          "TestColor/dark",
		"tiny.go Color: default → out":                            survived,
		`tiny.go Color: n == 9 || Size(int(n)) == "none" → true`:  "TestColor/other",
		`tiny.go Color: n == 9 || Size(int(n)) == "none" → false`: survived,
		"tiny.go Color: || n == 9 → out":                          survived,
		`tiny.go Color: || Size(int(n)) == "none" → out`:          survived,
		"tiny.go Kind: case int → out":                            "TestKind",
		"tiny.go Kind: case string → out":                         "TestKind",
		"tiny.go Kind: default → out":                             "TestKind",
	} {
		if m, ok := got[key]; !ok || m.by != by {
			t.Errorf("%s: want %s, got %s", key, by, m.by)
		}
		delete(got, key)
	}
	for key := range got {
		t.Errorf("unexpected: %s", key)
	}
	if after, err := os.ReadFile("testdata/tiny/tiny.go"); err != nil || string(after) != string(before) {
		t.Errorf("the tree was written to: %v", err)
	}
}

// What was killed in the table is not run again; reasons stay.
func TestRun_Resumed(t *testing.T) {
	const first, second, third = "tiny.go Size: n < 0 → true", "tiny.go Color: default → out", "tiny.go Size: && n > 10 → out"
	got := tiny(t, "Color", map[string]mutant{first: {by: "TestBefore"}, second: {by: survived, reason: "only one | more"}})
	if by := got[first].by; by != "TestBefore" {
		t.Errorf("want what was known, got %s", by)
	}
	if m := got[second]; m.by != survived || m.reason != "only one | more" {
		t.Errorf("want the reason, got %v", m)
	}
	if by := got[third].by; by != "" {
		t.Errorf("want it not run, got %s", by)
	}
}

func TestRun_FailsAsItIs(t *testing.T) {
	t.Setenv("TINY_FAILS", "yes")
	cfg := &config{dir: "testdata/tiny", files: "tiny.go:Size", stages: []stage{{"testdata/tiny", ".", "none", time.Minute}}, only: regexp.MustCompile(""), jobs: 1}
	if _, err := run(cfg, nil, io.Discard); err == nil || !strings.Contains(err.Error(), "TestSize") {
		t.Errorf("want an error that names the test, got %v", err)
	}
}
