package main

import (
	"fmt"
	"strings"
)

// mutant is a condition that is taken out.
type mutant struct {
	id       int
	file     string
	line     int
	fn, what string // the function, and the source text with what becomes of it
	by       string // names of the tests that failed, or survived; "" if it was not run
	reason   string // why no test needs to fail, as somebody wrote it
}

// key is what a mutant has in common with itself in an older table, whatever line it
// is on now.
func (m *mutant) key() string { return m.file + " " + m.fn + ": " + m.what }

// cell escapes text for a cell of a table.
var cell = strings.NewReplacer("|", `\|`)

func (m *mutant) row() string {
	return fmt.Sprintf("| %s:%d | %s | %s | %s | %s |", m.file, m.line, m.fn, cell.Replace(m.what), cell.Replace(m.by), cell.Replace(m.reason))
}

const title = "# What holds each condition of the gate\n\nWritten by `go run ./tools/mutate -o tools/mutate/RESULTS.md`, but for the reasons.\n\n"

const head = "| where | function | taken out | killed by | reason |\n| --- | --- | --- | --- | --- |\n"

// render prints the table, after what is in it.
func render(all []mutant) string {
	killed, lived, explained := 0, 0, 0
	var rows strings.Builder
	for _, m := range all {
		switch {
		case m.by == survived && m.reason != "":
			explained++
		case m.by == survived:
			lived++
		case m.by != "":
			killed++
		}
		rows.WriteString(m.row() + "\n")
	}
	return title + fmt.Sprintf("%d mutants: %d killed, %d survived for a reason, %d survived without, %d not run.\n\n", len(all), killed, explained, lived, len(all)-killed-explained-lived) + head + rows.String()
}

// results reads a table: what became of each mutant, by its key.
func results(table string) map[string]mutant {
	out := make(map[string]mutant)
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), "|")
		if len(cells) != 7 || !strings.Contains(cells[1], ".go:") {
			continue
		}
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|")
		}
		file, _, _ := strings.Cut(cells[1], ":")
		m := mutant{file: file, fn: cells[2], what: cells[3], by: cells[4], reason: cells[5]}
		out[m.key()] = m
	}
	return out
}
