package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/mapset"
)

func newDiff() *cobra.Command {
	var format string
	var all bool
	var guard int
	var zoneFiles []string
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two maps by what they answer",
		Long: `Compare two maps by what they answer: the names, zones and accounts that get other
addresses, grouped by the change.

Exit status: 0 same, 1 different, 2 could not run, 3 when a reload would refuse the
change (P1 to P5).`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := diffWriters[format]
			if !ok {
				return fmt.Errorf("unknown format %q: write text, json or markdown", format)
			}
			done := progress(cmd.ErrOrStderr(), "loading")
			old, err := load(args[0], zoneFiles)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			next, err := load(args[1], zoneFiles)
			if err != nil {
				return fmt.Errorf("%s: %w", args[1], err)
			}
			d := compare(args[1], old, next, guard)
			done()
			if err := write(cmd.OutOrStdout(), d, all); err != nil {
				return err
			}
			switch {
			case len(d.Refused) > 0:
				return status(exitProtected)
			case len(d.Groups) > 0 || d.Summary != "":
				return status(exitRefused)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json or markdown")
	cmd.Flags().BoolVar(&all, "all", false, "list every name of each group")
	cmd.Flags().IntVar(&guard, "guard", 0, "the directive's guard, in `percent`")
	zoneFilesFlag(cmd, &zoneFiles)
	return cmd
}

// difference has the effects of a reload from one map to another.
type difference struct {
	Summary string         `json:"summary"`
	Groups  []mapset.Group `json:"groups"`
	Refused []finding      `json:"refused,omitempty"`
}

// compare returns the difference of two snapshots.
func compare(path string, old, next *mapset.Snapshot, guard int) *difference {
	d := &difference{Groups: mapset.Groups(old, next), Refused: violations(path, old, next, guard)}
	if c := mapset.Diff(old, next); c != (mapset.Changes{}) {
		d.Summary = c.String()
	}
	return d
}

var diffWriters = map[string]func(io.Writer, *difference, bool) error{
	"text":     writeDiff,
	"markdown": writeDiffMarkdown,
	"json":     func(w io.Writer, d *difference, _ bool) error { return writeJSON(w, d) },
}

// How many names of a group, and how many groups, are shown without --all, so that
// every difference fits a screen.
const (
	maxShownNames  = 3
	maxShownGroups = 6
)

func writeDiff(w io.Writer, d *difference, all bool) error {
	var b strings.Builder
	if d.Summary == "" {
		b.WriteString("no difference\n")
	} else {
		b.WriteString(d.Summary + "\n")
	}
	groups, more := firstGroups(d.Groups, all)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n%d names of account %s: %s → %s\n", len(g.Names), g.Account, addressText(g.Old), addressText(g.New))
		for _, n := range firstNames(g.Names, all) {
			b.WriteString("    " + n + "\n")
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, "\n… and %d more groups (--all)\n", more)
	}
	for _, f := range d.Refused {
		b.WriteString("\n" + f.full + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeDiffMarkdown(w io.Writer, d *difference, all bool) error {
	var b strings.Builder
	b.WriteString("### Address map\n\n")
	if d.Summary == "" {
		b.WriteString("No difference.\n")
	} else {
		b.WriteString(d.Summary + "\n\n| names | account | before | after |\n| --- | --- | --- | --- |\n")
	}
	groups, more := firstGroups(d.Groups, all)
	for _, g := range groups {
		fmt.Fprintf(&b, "| %s (%d) | %s | %s | %s |\n", strings.Join(firstNames(g.Names, all), "<br>"), len(g.Names), g.Account, addressText(g.Old), addressText(g.New))
	}
	if more > 0 {
		fmt.Fprintf(&b, "| … and %d more groups | | | |\n", more)
	}
	for _, f := range d.Refused {
		fmt.Fprintf(&b, "\n**A reload would refuse this** (%s): %s. Remedy: %s.\n", f.Rule, f.Text, f.Remedy)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// firstGroups returns the groups to show, and the number of the other groups.
func firstGroups(groups []mapset.Group, all bool) ([]mapset.Group, int) {
	if all || len(groups) <= maxShownGroups {
		return groups, 0
	}
	return groups[:maxShownGroups], len(groups) - maxShownGroups
}

func firstNames(names []string, all bool) []string {
	if all || len(names) <= maxShownNames {
		return names
	}
	return append(names[:maxShownNames:maxShownNames], fmt.Sprintf("… and %d more", len(names)-maxShownNames))
}

func addressText(list []string) string {
	if len(list) == 0 {
		return "the backend's"
	}
	return strings.Join(list, " ")
}
