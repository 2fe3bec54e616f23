package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

func newCheck() *cobra.Command {
	var run checkRun
	var format string
	cmd := &cobra.Command{
		Use:   "check MAP...",
		Short: "Check maps as the plugin would load them",
		Long: `Check each map, a document or a directory of them, with the plugin's own rules. The
map "-" is one document on the standard input; its zone files are looked up from
the working directory.

Exit status: 0 good, 1 refused, 2 could not run.`,
		Example: `  addressmap check maps.yaml
  addressmap check --against /etc/coredns/maps.yaml maps.yaml
  git show :maps.yaml | addressmap check -
  addressmap check --format sarif maps/ > maps.sarif`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeMaps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseTwoStdin(append(args, run.against)...); err != nil {
				return err
			}
			run.stdin = cmd.InOrStdin()
			findings, err := run.findings(args)
			if err != nil {
				return err
			}
			if err := findingWriters[format](cmd.OutOrStdout(), findings); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Level == levelError {
					return status(exitRefused)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&run.against, "against", "", "the map in `force`: judge what a reload may not do")
	choiceFlag(cmd, &format, "format", []string{"text", "json", "sarif"}, "how the findings are printed")
	guardFlag(cmd, &run.guard)
	zoneFilesFlag(cmd, &run.zoneFiles)
	return cmd
}

// finding is one error or warning about a map, as in a linter's report.
type finding struct {
	Level  string `json:"level"` // error or warning
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`

	full string // the text that the plugin would log
}

const (
	levelError   = "error"
	levelWarning = "warning"
)

// checkRun is one run of the check command.
type checkRun struct {
	against   string // path of the map in force, or ""
	guard     int
	zoneFiles []string // directories
	stdin     io.Reader
}

// findings gathers the findings of all maps.
func (r *checkRun) findings(paths []string) ([]finding, error) {
	findings := []finding{}
	var old *live.Checked
	if r.against != "" {
		var err error
		if old, err = r.load(r.against); err != nil {
			return nil, fmt.Errorf("the map in force: %w", err)
		}
		findings = append(findings, problemsOf(old)...)
	}
	for _, path := range paths {
		checked, err := r.load(path)
		if err != nil {
			return nil, err
		}
		findings = append(findings, problemsOf(checked)...)
		if checked.Snapshot == nil {
			continue
		}
		for _, w := range checked.Snapshot.Warnings() {
			findings = append(findings, finding{Level: levelWarning, File: path, Text: w, full: "warning: " + w})
		}
		if old == nil {
			continue
		}
		was, next, err := succession(r.against, path, old, checked)
		if err != nil {
			return nil, err
		}
		findings = append(findings, violations(path, was, next, r.guard)...)
	}
	return findings, nil
}

func (r *checkRun) load(path string) (*live.Checked, error) {
	return load(live.Options{Path: path, ZoneFiles: r.zoneFiles}, r.stdin)
}

// problemsOf returns the findings of the documents that are refused.
func problemsOf(c *live.Checked) (out []finding) {
	for _, p := range c.Problems {
		out = append(out, findingsOf(p)...)
	}
	return out
}

// findingsOf returns the findings of a document's problem.
func findingsOf(p live.Problem) []finding {
	var errs mapfile.Errors
	if !errors.As(p.Err, &errs) {
		return []finding{{Level: levelError, File: p.Path, Text: p.Err.Error(), full: p.Path + ": " + p.Err.Error()}}
	}
	out := make([]finding, len(errs))
	for i, e := range errs {
		out[i] = finding{
			Level: levelError, File: e.File, Line: int(e.Pos.Line), Column: int(e.Pos.Col),
			Rule: e.Rule, Text: e.Text, Remedy: e.Remedy, full: e.Error(),
		}
	}
	return out
}

// findingWriters has the writer of each format.
var findingWriters = map[string]func(io.Writer, []finding) error{
	"text":  writeText,
	"json":  writeJSON[[]finding],
	"sarif": writeSARIF,
}

// writeText writes the findings as the plugin would log them, and in the last line
// where the rules are explained.
func writeText(w io.Writer, findings []finding) error {
	rules := make([]string, len(findings))
	for i, f := range findings {
		if _, err := fmt.Fprintln(w, f.full); err != nil {
			return err
		}
		rules[i] = f.Rule
	}
	if see := mapfile.SeeRules(rules); see != "" {
		_, err := fmt.Fprintln(w, see)
		return err
	}
	return nil
}

func writeJSON[T any](w io.Writer, v T) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
