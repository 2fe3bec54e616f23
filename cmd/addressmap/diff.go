package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/printable"
)

func newDiff() *cobra.Command {
	var format string
	var all, strict bool
	var guard int
	var compile mapset.Options
	var zoneFiles []string
	var etcd etcdFlags
	var wait waiting
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two maps by what they answer",
		Long: `Compare two maps by what they answer: the names, zones and accounts that get other
addresses, grouped by the change. A document that is refused in NEW counts as it is
in OLD, as in a server that has OLD in force.

If addresses begin or end to be answered, or names to be proxied, the order of work says
what to bind at the edge before the map is in force, how long to wait after it, and what
to unbind then. The wait is --ttl, as long again for caches that count late, and what
--secondaries and --stale add.

Exit status: 0 same, 1 different or partly refused, 2 could not run, 3 when a reload
would refuse the change (P1 to P5), or with --strict if it makes origins known.`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeMaps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cmp.Or(refuseTwoStdin(args...), wait.check()); err != nil {
				return err
			}
			done := progress(cmd.ErrOrStderr(), "loading")
			var maps [2]*live.Checked
			for i, path := range args {
				var err error
				if maps[i], err = load(live.Options{Path: path, Compile: compile, ZoneFiles: zoneFiles}, cmd.InOrStdin(), &etcd); err != nil {
					done()
					return err
				}
			}
			done()
			refused := errors.Join(sayRefused(cmd.ErrOrStderr(), etcd.at(args[0]), maps[0]), sayRefused(cmd.ErrOrStderr(), etcd.at(args[1]), maps[1]))
			old, next, err := succession(args[0], args[1], maps[0], maps[1], compile)
			if err != nil {
				return err
			}
			sayUnknownSite(cmd.ErrOrStderr(), next)
			d := compare(args[1], old, next, guard, wait)
			d.Partly = append(problemsOf(maps[0]), problemsOf(maps[1])...)
			d.Exposed = revealed(maps[0], maps[1], d.Groups, zoneFiles)
			if strict {
				asErrors(d.Exposed)
			}
			if err := diffWriters[format](cmd.OutOrStdout(), d, all); err != nil {
				return err
			}
			switch {
			case len(d.Refused) > 0, strict && len(d.Exposed) > 0:
				return status(exitProtected)
			case len(d.Groups)+len(d.Exposed) > 0 || d.Summary != "" || d.Work != nil || refused != nil:
				return status(exitRefused)
			}
			return nil
		},
	}
	choiceFlag(cmd, cmd.Flags(), &format, "format", []string{"text", "json", "markdown"}, "how the difference is printed")
	cmd.Flags().BoolVar(&all, "all", false, "list every name of each group")
	guardFlag(cmd, &guard)
	cmd.Flags().BoolVar(&strict, "strict", false, "what makes origins known, or lifts a protection, is an error: status 3")
	siteFlag(cmd, &compile.Site)
	zoneFilesFlag(cmd, &zoneFiles)
	wait.add(cmd)
	etcd.add(cmd)
	return cmd
}

// difference has the effects of a reload from one map to another.
type difference struct {
	Summary string         `json:"summary"`
	Groups  []mapset.Group `json:"groups"`
	Work    *workOrder     `json:"work,omitempty"`    // nil if the change makes none
	Refused []finding      `json:"refused,omitempty"` // by a reload
	Partly  []finding      `json:"errors,omitempty"`  // of documents that are refused by themselves
	Exposed []finding      `json:"exposures,omitempty"`
}

// compare returns the difference of two snapshots.
func compare(path string, old, next *mapset.Snapshot, guard int, wait waiting) *difference {
	d := &difference{Groups: mapset.Groups(old, next), Refused: violations(path, old, next, guard)}
	d.Work = newWorkOrder(old, next, d.Groups, wait)
	switch c := mapset.Diff(old, next); {
	case c != (mapset.Changes{}):
		d.Summary = c.String()
	case d.Work != nil:
		d.Summary = "sites: other addresses"
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
	if len(d.Exposed) > 0 {
		b.WriteString("\nWHAT THIS CHANGE REVEALS OR UNLOCKS:\n")
	}
	for _, f := range d.Exposed {
		b.WriteString(f.String() + "\n")
	}
	groups, more := firstGroups(d.Groups, all)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n%d names of account %s: %s → %s\n", len(g.Names), g.Account, addressText(g.Old, g.OldProxied), addressText(g.New, g.NewProxied))
		names, others := firstNames(g.Names, all)
		for _, n := range names {
			b.WriteString("    " + n + "\n")
		}
		if others > 0 {
			fmt.Fprintf(&b, "    … and %d more\n", others)
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, "\n… and %d more groups (--all)\n", more)
	}
	if d.Work != nil {
		b.WriteString("\nThe order of work:\n" + strings.Join(d.Work.lines(all), "\n") + "\n")
	}
	for _, f := range d.Refused {
		b.WriteString("\n" + f.String() + "\n")
	}
	_, err := io.WriteString(w, printable.Text(b.String()))
	return err
}

// firstGroups returns the groups to show, and the number of the other groups.
func firstGroups(groups []mapset.Group, all bool) ([]mapset.Group, int) {
	if all || len(groups) <= maxShownGroups {
		return groups, 0
	}
	return groups[:maxShownGroups], len(groups) - maxShownGroups
}

// firstNames returns the names to show, and the number of the other names.
func firstNames(names []string, all bool) ([]string, int) {
	if all || len(names) <= maxShownNames {
		return names, 0
	}
	return names[:maxShownNames], len(names) - maxShownNames
}

func addressText(list []string, proxied bool) string {
	switch {
	case !proxied:
		return "the backend's"
	case len(list) == 0:
		return "no address"
	}
	return strings.Join(list, " ")
}
