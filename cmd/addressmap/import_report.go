package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/printable"
)

const (
	// maxShown and maxShownChanged are how many lines a kind of change gets in a
	// report that is not verbose: a report of any length ends in a screen.
	maxShown, maxShownChanged = 16, 8
	// maxAlike is how many changes of one group are shown one by one.
	maxAlike = 3
)

// imported says what the import of a zone has brought over.
type imported struct {
	Zone    string `json:"zone"`
	Records int    `json:"records"`
	Proxied int    `json:"proxied_names"`
}

// kinds are the kinds of change in the order of a report, which is that of urgency.
var kinds = []struct {
	kind cloudflare.Kind
	word string // behind the number of changes
}{{cloudflare.Lost, "lost"}, {cloudflare.Review, "to review"}, {cloudflare.Changed, "changed"}}

// addReportFlags adds the flags of the report to the import command, for those below it.
func addReportFlags(cmd *cobra.Command) {
	cmd.PersistentFlags().BoolP("verbose", "v", false, "report every change")
	choiceFlag(cmd, cmd.PersistentFlags(), new(string), "format", []string{"text", "json"}, "how the report is printed")
}

// report prints what was brought over and the changes, to the standard error stream;
// what is nil if it is no zone. A loss makes the exit status exitRefused.
func report(cmd *cobra.Command, what *imported, changes []cloudflare.Change) error {
	byKind := make(map[cloudflare.Kind][]cloudflare.Change)
	for _, c := range changes {
		byKind[c.Kind] = append(byKind[c.Kind], c)
	}
	for _, of := range byKind {
		slices.SortStableFunc(of, func(a, b cloudflare.Change) int { return cmp.Compare(a.Line, b.Line) })
	}
	verbose, _ := cmd.Flags().GetBool("verbose")
	var b strings.Builder
	switch {
	case cmd.Flag("format").Value.String() == "json":
		if err := writeJSON(&b, objectOf(what, byKind)); err != nil {
			return err
		}
	case verbose:
		b.WriteString(summary(what, byKind))
		for _, k := range kinds {
			for _, c := range byKind[k.kind] {
				fmt.Fprintf(&b, "%-7s  %s%s\n", c.Kind, placed(c), remedied(c))
			}
		}
	default:
		b.WriteString(summary(what, byKind))
		for _, k := range kinds {
			writeKind(&b, k.word, byKind[k.kind])
		}
	}
	if _, err := io.WriteString(cmd.ErrOrStderr(), printable.Text(b.String())); err != nil {
		return err
	}
	if len(byKind[cloudflare.Lost]) > 0 {
		return status(exitRefused)
	}
	return nil
}

// summary is the line that says how much there is of everything.
func summary(what *imported, byKind map[cloudflare.Kind][]cloudflare.Change) string {
	var counts []string
	for _, k := range kinds {
		counts = append(counts, fmt.Sprintf("%d %s", len(byKind[k.kind]), k.word))
	}
	line := strings.Join(counts, ", ")
	if what != nil {
		line = fmt.Sprintf("%s: %d records, %d proxied names; %s", what.Zone, what.Records, what.Proxied, line)
	}
	return line + "\n"
}

// reportObject is the report as a JSON object.
type reportObject struct {
	*imported
	Lost    int                 `json:"lost"`
	Review  int                 `json:"review"`
	Changed int                 `json:"changed"`
	Changes []cloudflare.Change `json:"changes"`
}

func objectOf(what *imported, byKind map[cloudflare.Kind][]cloudflare.Change) reportObject {
	out := reportObject{what, len(byKind[cloudflare.Lost]), len(byKind[cloudflare.Review]), len(byKind[cloudflare.Changed]), []cloudflare.Change{}}
	for _, k := range kinds {
		out.Changes = append(out.Changes, byKind[k.kind]...)
	}
	return out
}

// writeKind prints the changes of one kind, those alike together.
func writeKind(b *strings.Builder, title string, changes []cloudflare.Change) {
	if len(changes) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	shown, lines, limit := 0, 0, maxShown
	if changes[0].Kind == cloudflare.Changed {
		limit = maxShownChanged
	}
	for _, alike := range grouped(changes) {
		text := describe(alike)
		n := strings.Count(text, "\n")
		if lines > 0 && lines+n > limit {
			break
		}
		b.WriteString(text)
		shown, lines = shown+len(alike), lines+n
	}
	if rest := len(changes) - shown; rest > 0 {
		fmt.Fprintf(b, "  and %d more: give -v for all of them\n", rest)
	}
}

// grouped returns the changes in groups of those that are alike, in the order of their
// first.
func grouped(changes []cloudflare.Change) [][]cloudflare.Change {
	var out [][]cloudflare.Change
	index := make(map[string]int) // :: what they have in common, and their remedy → their place in out
	for _, c := range changes {
		key := cmp.Or(c.Group, c.Text) + "\n" + c.Remedy
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], c)
	}
	return out
}

// describe returns the lines about changes that are alike, with their remedy once.
func describe(alike []cloudflare.Change) string {
	var b strings.Builder
	first := alike[0]
	switch many := len(alike) > 1 && first.Kind == cloudflare.Changed || len(alike) > maxAlike; {
	case many && first.Group != "" && first.Kind == cloudflare.Changed:
		fmt.Fprintf(&b, "  %d %s\n", len(alike), first.Group)
	case many:
		fmt.Fprintf(&b, "  %d %s: %s\n", len(alike), cmp.Or(first.Group, "times "+printable.Line(first.Text)), namesOfFirst(alike))
	default:
		for _, c := range alike {
			fmt.Fprintf(&b, "  %s\n", placed(c))
		}
	}
	if first.Remedy != "" {
		fmt.Fprintf(&b, "    remedy: %s\n", first.Remedy)
	}
	return b.String()
}

// namesOfFirst names the first of many changes.
func namesOfFirst(alike []cloudflare.Change) string {
	var names []string
	for _, c := range alike[:min(maxAlike, len(alike))] {
		name := printable.Line(c.Name)
		if c.Line > 0 {
			name = fmt.Sprintf("%s (line %d)", name, c.Line)
		}
		names = append(names, name)
	}
	if len(alike) > len(names) {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// placed is a change with its place and name, on one line whatever others have written.
func placed(c cloudflare.Change) string {
	text := printable.Line(c.Name + ": " + c.Text)
	if c.Line > 0 {
		return fmt.Sprintf("line %d: %s", c.Line, text)
	}
	return text
}

// remedied is the remedy of a change behind its text.
func remedied(c cloudflare.Change) string {
	if c.Remedy == "" {
		return ""
	}
	return ": " + c.Remedy
}
