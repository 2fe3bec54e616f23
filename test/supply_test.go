package test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	action = regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(.*)$`)
	pinned = regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
)

// unpinned returns the actions of a workflow, or of a page with one, that are not pinned.
func unpinned(text string) (wrong []string, all int) {
	for _, m := range action.FindAllStringSubmatch(text, -1) {
		if all++; !pinned.MatchString(m[1]) {
			wrong = append(wrong, m[1])
		}
	}
	return wrong, all
}

// Actions of example workflows are pinned: a tag can be moved to other code. The version
// stands behind the commit.
func TestActions_Pinned(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == ".git" {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || !slices.Contains([]string{".yml", ".yaml", ".md"}, filepath.Ext(path)) {
			return err
		}
		wrong, all := unpinned(content(t, path))
		seen += all
		for _, w := range wrong {
			t.Errorf("%s: %s: pin the action to a commit, as in owner/name@<40 hex digits> # v1.2.3", path, w)
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("%d uses of actions: %v", seen, err)
	}
}

func TestActions_PinnedCanFail(t *testing.T) {
	const commit = "08c6903cd8c0fde910a37f88322edcfb5dd907a8"
	for use, ok := range map[string]bool{
		"a/b@" + commit + " # v5.0.0": true, "a/b/c@" + commit + " # v5.0.0": true,
		"a/b@v5": false, "a/b@main": false, "a/b@" + commit: false, "a/b@" + commit[1:] + " # v5.0.0": false,
		"a/b@" + commit + " # v5": false, "./.github/actions/x": false,
	} {
		if wrong, all := unpinned("steps:\n  - uses: " + use + "\n"); all != 1 || (len(wrong) == 0) != ok {
			t.Errorf("%s: %d of %d are not pinned", use, len(wrong), all)
		}
	}
}

// renovate.json sees every example workflow, and every tool that .ci/run pins to a version.
func TestRenovate_SeesWhatIsPinned(t *testing.T) {
	type manager struct{ ManagerFilePatterns, MatchStrings []string }
	var config struct {
		Actions manager   `json:"github-actions"`
		Customs []manager `json:"customManagers"`
	}
	if err := json.Unmarshal([]byte(content(t, repository+"/renovate.json")), &config); err != nil {
		t.Fatal(err)
	}
	for _, m := range config.Customs {
		for i, pattern := range m.MatchStrings { // of ECMA-262
			m.MatchStrings[i] = strings.ReplaceAll(pattern, "(?<", "(?P<")
		}
	}
	sees := func(m manager, path string) bool {
		return slices.ContainsFunc(m.ManagerFilePatterns, func(p string) bool {
			return regexp.MustCompile(strings.Trim(p, "/")).MatchString(path)
		})
	}
	workflows, err := os.ReadDir(repository + "/examples/ci")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workflows {
		path := "examples/ci/" + w.Name()
		if _, all := unpinned(content(t, repository+"/"+path)); all > 0 && !sees(config.Actions, path) {
			t.Errorf("renovate.json does not see %s", path)
		}
	}
	const check = ".ci/run"
	versions := regexp.MustCompile(`\S+/\S+@v[0-9.]+`).FindAllString(content(t, repository+"/"+check), -1)
	if len(versions) < 2 {
		t.Errorf("%s: want tools with their versions, got %q", check, versions)
	}
	for _, version := range versions {
		if !slices.ContainsFunc(config.Customs, func(m manager) bool {
			return sees(m, check) && slices.ContainsFunc(m.MatchStrings, func(p string) bool {
				return regexp.MustCompile(p).MatchString(version)
			})
		}) {
			t.Errorf("renovate.json does not see %s in %s", version, check)
		}
	}
}
