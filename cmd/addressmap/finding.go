package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/printable"
)

// finding is one error or warning about a map, as in a linter's report.
type finding struct {
	Level  string `json:"level"` // error or warning
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`

	full string // the text that the plugin would log; "" for that of the other fields
}

const (
	levelError   = "error"
	levelWarning = "warning"
)

// The rules of findings that break no numbered one: what is legal and probably not meant,
// and what makes an origin known.
const (
	ruleUnlikely = "unlikely"
	ruleExposure = "exposure"
)

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

// placeAndText matches a line that begins with the place it is about.
var placeAndText = regexp.MustCompile(`^(.+?):([0-9]+):(?:([0-9]+):)? (.*)$`)

// warningOf returns the finding of a warning of the map at path. The text of a warning
// begins with its place.
func warningOf(path, text string) finding {
	f := finding{Level: levelWarning, File: path, Rule: ruleUnlikely, Text: text}
	if m := placeAndText.FindStringSubmatch(text); m != nil {
		f.File, f.Text = m[1], m[4]
		f.Line, _ = strconv.Atoi(m[2])
		f.Column, _ = strconv.Atoi(m[3])
	}
	return f
}

// String is the finding as a person reads it.
func (f finding) String() string {
	if f.full != "" {
		return f.full
	}
	place := f.File
	if f.Line > 0 {
		place += ":" + strconv.Itoa(f.Line)
	}
	if f.Column > 0 {
		place += ":" + strconv.Itoa(f.Column)
	}
	what := f.Level
	if f.Rule != "" {
		what += ": " + f.Rule
	}
	text := fmt.Sprintf("%s: %s: %s", printable.Line(place), what, f.Text)
	if f.Remedy != "" {
		text += "\n  remedy: " + f.Remedy
	}
	return text
}

// findingWriters has the writer of each format.
var findingWriters = map[string]func(io.Writer, []finding) error{
	"text":  writeText,
	"json":  writeJSON[[]finding],
	"sarif": writeSARIF,
}

// writeText writes the findings as the plugin would log them, the first ten of each kind,
// and in the last line where the rules are explained.
func writeText(w io.Writer, findings []finding) error {
	kinds, rules := make([]string, len(findings)), make([]string, 0, len(findings))
	for i, f := range findings {
		kinds[i] = cmp.Or(f.Rule, f.Level) + ": " + printable.Kind(f.Text)
		if _, explained := ruleTexts[f.Rule]; explained {
			rules = append(rules, f.Rule)
		}
	}
	var b strings.Builder
	shown, lines := printable.First(kinds)
	for _, i := range shown {
		b.WriteString(findings[i].String() + "\n")
	}
	if see := mapfile.SeeRules(rules); see != "" {
		lines = append(lines, see)
	}
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, printable.Text(b.String()))
	return err
}

// writeJSON writes v as JSON in which every character can be seen.
func writeJSON[T any](w io.Writer, v T) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(printable.JSON(b.Bytes()))
	return err
}
