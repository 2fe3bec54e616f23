package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/addressmap/addressmap/plugin/printable"
)

// code returns text as a code span of GitHub Flavored Markdown. What tenants have written
// stands in one: there, nothing is a link, a mention, an emphasis or HTML. In a table a
// pipe is escaped even in a code span.
func code(text string) string {
	text = strings.ReplaceAll(printable.Line(text), "\t", " ")
	if text == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || strings.HasPrefix(text, " ") && strings.HasSuffix(text, " ") {
		text = " " + text + " " // one space on each side does not count
	}
	return fence + text + fence
}

// cell is code for a cell of a table.
func cell(text string) string { return strings.ReplaceAll(code(text), "|", `\|`) }

func writeDiffMarkdown(w io.Writer, d *difference, all bool) error {
	var b strings.Builder
	b.WriteString("### Address map\n\n")
	if d.Summary == "" {
		b.WriteString("No difference.\n")
	} else {
		b.WriteString(d.Summary + "\n")
	}
	if len(d.Exposed) > 0 {
		b.WriteString("\n**What this change reveals or unlocks:**\n\n")
	}
	for _, f := range d.Exposed {
		fmt.Fprintf(&b, "* %s %s\n", code(f.Text), code(fmt.Sprintf("(%s:%d)", f.File, f.Line)))
	}
	groups, more := firstGroups(d.Groups, all)
	if len(groups) > 0 {
		b.WriteString("\n| names | account | before | after |\n| --- | --- | --- | --- |\n")
	}
	for _, g := range groups {
		var names []string
		shown, others := firstNames(g.Names, all)
		for _, n := range shown {
			names = append(names, cell(n))
		}
		if others > 0 {
			names = append(names, fmt.Sprintf("… and %d more", others))
		}
		fmt.Fprintf(&b, "| %s (%d) | %s | %s | %s |\n", strings.Join(names, "<br>"), len(g.Names), cell(g.Account), addressText(g.Old, g.OldProxied), addressText(g.New, g.NewProxied))
	}
	if more > 0 {
		fmt.Fprintf(&b, "| … and %d more groups | | | |\n", more)
	}
	if d.Work != nil {
		b.WriteString("\nThe order of work:\n\n" + strings.Join(d.Work.lines(all), "\n") + "\n")
	}
	for _, f := range d.Partly {
		fmt.Fprintf(&b, "\n**This document is refused by itself** (%s): %s\n", f.Rule, code(fmt.Sprintf("%s:%d: %s; %s", f.File, f.Line, f.Text, f.Remedy)))
	}
	for _, f := range d.Refused {
		fmt.Fprintf(&b, "\n**A reload would refuse this** (%s): %s\n\nRemedy: %s\n", f.Rule, code(f.Text), code(f.Remedy))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
