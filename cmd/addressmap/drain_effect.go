package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/printable"
	"github.com/addressmap/addressmap/plugin/who"
)

// directiveFlags are the flags for those options of the directive that decide which
// addresses a name gets.
type directiveFlags struct {
	anycast   []string
	site      string
	missing   string
	last      string // drain_last
	zoneFiles []string
}

func (d *directiveFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&d.anycast, "anycast", nil, "the `addresses` of the directive's anycast option")
	siteFlag(cmd, &d.site)
	choiceFlag(cmd, cmd.Flags(), &d.missing, "missing-family", []string{"nodata", "next"}, "the directive's option")
	choiceFlag(cmd, cmd.Flags(), &d.last, "drain-last", []string{"keep", "next"}, "the directive's option")
	zoneFilesFlag(cmd, &d.zoneFiles)
}

// options returns what they mean for the map at path.
func (d *directiveFlags) options(path string) (live.Options, error) {
	compile, err := compileFlags(d.anycast, d.site)
	compile.PerFamily = d.missing == "next"
	return live.Options{Path: path, ZoneFiles: d.zoneFiles, Compile: compile}, err
}

// drained returns the snapshot as it answers while those of the drains are in force that
// are now.
func (d *directiveFlags) drained(s *mapset.Snapshot, drains []drain.Drain) *mapset.Snapshot {
	return s.Drain(mapset.DrainsOf(drain.InForce(drains, time.Now()), d.last == "next"))
}

// effectFlags are the flags that say how the effect of a drain is shown.
type effectFlags struct {
	directiveFlags
	format string
	all    bool
}

func (e *effectFlags) add(cmd *cobra.Command) {
	e.directiveFlags.add(cmd)
	choiceFlag(cmd, cmd.Flags(), &e.format, "format", []string{"text", "json"}, "how --dry-run prints")
	cmd.Flags().BoolVar(&e.all, "all", false, "with --dry-run, list every name of each group")
}

func (e *effectFlags) refuseIdle(cmd *cobra.Command, dryRun bool) error {
	return refuseIdle(cmd, "--dry-run", dryRun, "anycast", "site", "missing-family", "drain-last", "zone-files", "format", "all")
}

// effect is what a change of drains does to the names of a map.
type effect struct {
	Summary string         `json:"summary"`
	Groups  []mapset.Group `json:"groups"`
	// Drained counts the addresses that answers lack after the change.
	Drained int       `json:"drained_addresses"`
	Ignored []ignored `json:"ignored"` // steps for which a drain is ignored after it
	Unknown []string  `json:"unknown,omitempty"`
}

// ignored is a step that answers with addresses of a family although all are drained.
type ignored struct {
	Step    string `json:"step"`
	Map     string `json:"map,omitempty"`
	Account string `json:"account,omitempty"`
	Family  string `json:"family"`
	Owner   string `json:"owner"`
	Owners  int    `json:"owners"`
}

func ignoredOf(d *mapset.Drained) []ignored {
	out := []ignored{}
	for _, i := range d.Ignored {
		out = append(out, ignored{i.Step.String(), i.Map, i.Account, i.Family.String(), string(i.Owner), i.Owners})
	}
	return out
}

// String says where the drain is ignored, on one line.
func (i ignored) String() string {
	text := "step " + i.Step
	if i.Map != "" {
		text += " " + i.Map
	}
	if i.Account != "" {
		text += " of account " + i.Account
	}
	text += fmt.Sprintf(", %s: no other address, for names of %s", i.Family, i.Owner)
	if more := i.Owners - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// idle is said of a drain of map:ID, site:NAME or address space that the map does not have.
func idle(target string) string {
	text := "no address of the map lies in " + target
	if strings.HasPrefix(target, "map:") {
		text = fmt.Sprintf("the map has no %s (an id has to be written in it)", target)
	} else if strings.HasPrefix(target, "site:") {
		text = "the map has no " + target
	}
	return text + ": the drain does nothing"
}

// show prints what a change of the drains that are in force does to a map. It says which of
// the targets the map does not have.
func (e *effectFlags) show(cmd *cobra.Command, path string, etcd *etcdFlags, files drainFiles, targets []drain.Drain, change func([]drain.Drain) []drain.Drain) error {
	opt, err := e.options(path)
	if err != nil {
		return err
	}
	checked, err := load(opt, cmd.InOrStdin(), etcd)
	if err != nil {
		return err
	}
	refused := sayRefused(cmd.ErrOrStderr(), etcd.at(path), checked)
	if checked.Snapshot == nil {
		return refused
	}
	all, err := files.readIfThere()
	if err != nil {
		return err
	}
	if r := sayRefusedDrains(cmd.ErrOrStderr(), all); r != nil {
		refused = r
	}
	var drains []drain.Drain
	for _, f := range all {
		drains = append(drains, f.has...)
	}
	was, is := e.drained(checked.Snapshot, drains), e.drained(checked.Snapshot, change(drains))
	out := effect{Groups: mapset.Groups(was, is), Drained: is.Drained().Addresses, Ignored: ignoredOf(is.Drained()), Unknown: slices.Clone(is.Drained().Unknown)}
	for _, t := range targets {
		for _, p := range t.Addresses {
			if q, err := who.Parse(p.String()); err == nil && len(who.Ask(checked.Snapshot, q, 1, "").Places) == 0 {
				out.Unknown = append(out.Unknown, whatIs(t))
			}
		}
		if t.Site != "" && t.Site != e.site && !slices.Contains(out.Unknown, whatIs(t)) {
			fmt.Fprintf(cmd.ErrOrStderr(), "addressmap: site:%s is drained on its own servers alone: --site %s says what they answer\n", printable.Line(t.Site), printable.Line(t.Site))
		}
	}
	if c := mapset.Diff(was, is); c != (mapset.Changes{}) {
		out.Summary = c.String()
	}
	if e.format == "json" {
		err = writeJSON(cmd.OutOrStdout(), out)
	} else {
		err = out.write(cmd.OutOrStdout(), e.all, e.last)
	}
	if err != nil {
		return err
	}
	return refused
}

// maxShownIgnored is how many steps that ignore a drain are shown without --all.
const maxShownIgnored = 6

func (e *effect) write(w io.Writer, all bool, last string) error {
	if err := writeDiff(w, &difference{Summary: e.Summary, Groups: e.Groups}, all); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\naddresses that answers lack then: %d\n", e.Drained)
	if n := len(e.Ignored); n > 0 {
		fmt.Fprintf(&b, "steps that ignore a drain (drain_last %s): %d\n", last, n)
		for i, at := range e.Ignored {
			if i == maxShownIgnored && !all {
				fmt.Fprintf(&b, "    … and %d more (--all)\n", n-i)
				break
			}
			fmt.Fprintf(&b, "    %s\n", at)
		}
	}
	for _, target := range e.Unknown {
		b.WriteString(idle(target) + "\n")
	}
	b.WriteString("nothing was written\n")
	_, err := io.WriteString(w, printable.Text(b.String()))
	return err
}

// whatIs names what an entry drains.
func whatIs(d drain.Drain) string {
	switch {
	case d.Site != "":
		return "site:" + d.Site
	case d.Map != "":
		return "map:" + d.Map
	}
	return strings.Join(drain.Texts(d.Addresses), " ")
}
