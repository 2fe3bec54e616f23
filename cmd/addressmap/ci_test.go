package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The hook passes a good map, and not a bad one.
func TestPreCommitHook(t *testing.T) {
	var hooks []struct{ Entry string }
	readYAML(t, "../../.pre-commit-hooks.yaml", &hooks)
	if len(hooks) != 1 {
		t.Fatalf("want one hook, got %+v", hooks)
	}
	bad := filepath.Join(t.TempDir(), "maps.yaml")
	if err := os.WriteFile(bad, []byte("anycats: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(hooks[0].Entry)[1:]
	for path, want := range map[string]int{"../../examples/quickstart/maps.yaml": exitOK, bad: exitRefused} {
		if got := run(append(args, path)); got != want {
			t.Errorf("%s %s: want status %d, got %d", hooks[0].Entry, path, want, got)
		}
	}
}

// The job's commands and flags are there.
func TestExampleJob(t *testing.T) {
	var job struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	readYAML(t, "../../examples/ci/github.yml", &job)
	checked := 0
	for _, step := range job.Jobs["check"].Steps {
		line, ok := strings.CutPrefix(step.Run, "addressmap ")
		if !ok {
			continue
		}
		line, _, _ = strings.Cut(line, ">")
		cmd, args, err := newRoot().Find(strings.Fields(line))
		if err == nil {
			err = cmd.ParseFlags(args)
		}
		if err == nil {
			err = cmd.ValidateArgs(cmd.Flags().Args())
		}
		if err != nil || !cmd.Runnable() {
			t.Errorf("%s: %v", step.Run, err)
		}
		checked++
	}
	if checked != 3 {
		t.Errorf("want three uses of the command, got %d", checked)
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
