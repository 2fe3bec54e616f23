package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

func newCheck() *cobra.Command {
	var against, format string
	var guard int
	var zoneFiles []string
	cmd := &cobra.Command{
		Use:   "check MAP...",
		Short: "Check maps as the plugin would load them",
		Long: `Check each map, a document or a directory of them, with the plugin's own rules.

Exit status: 0 good, 1 refused, 2 could not run.`,
		Example: `  addressmap check maps.yaml
  addressmap check --against /etc/coredns/maps.yaml maps.yaml
  addressmap check --format sarif maps/ > maps.sarif`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := findingWriters[format]
			if !ok {
				return fmt.Errorf("unknown format %q: write text, json or sarif", format)
			}
			findings, err := check(args, against, guard, zoneFiles)
			if err != nil {
				return err
			}
			if err := write(cmd.OutOrStdout(), findings); err != nil {
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
	cmd.Flags().StringVar(&against, "against", "", "the map in `force`: judge what a reload may not do")
	cmd.Flags().StringVar(&format, "format", "text", "text, json or sarif")
	cmd.Flags().IntVar(&guard, "guard", 0, "with --against: refuse if more than `N` percent would go")
	zoneFilesFlag(cmd, &zoneFiles)
	return cmd
}

// zoneFilesFlag adds the flag for the directive's zone_files option to a command.
func zoneFilesFlag(cmd *cobra.Command, dirs *[]string) {
	cmd.Flags().StringArrayVar(dirs, "zone-files", nil, "a `directory` of the directive's zone_files option; may be repeated")
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

// check gathers the findings of all maps.
func check(paths []string, against string, guard int, zoneFiles []string) ([]finding, error) {
	var old *mapset.Snapshot
	if against != "" {
		var err error
		if old, err = load(against, zoneFiles); err != nil {
			return nil, fmt.Errorf("the map in force: %w", err)
		}
	}
	findings := []finding{}
	for _, path := range paths {
		checked, err := live.Check(live.Options{Path: path, ZoneFiles: zoneFiles})
		if err != nil {
			return nil, err
		}
		for _, p := range checked.Problems {
			findings = append(findings, findingsOf(p)...)
		}
		if checked.Snapshot == nil {
			continue
		}
		for _, w := range checked.Snapshot.Warnings() {
			findings = append(findings, finding{Level: levelWarning, File: path, Text: w, full: "warning: " + w})
		}
		if old != nil {
			findings = append(findings, violations(path, old, checked.Snapshot, guard)...)
		}
	}
	return findings, nil
}

// load returns the snapshot of a map without errors.
func load(path string, zoneFiles []string) (*mapset.Snapshot, error) {
	checked, err := live.Check(live.Options{Path: path, ZoneFiles: zoneFiles})
	if err != nil {
		return nil, err
	}
	if len(checked.Problems) > 0 {
		return nil, checked.Problems[0].Err
	}
	return checked.Snapshot, nil
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
