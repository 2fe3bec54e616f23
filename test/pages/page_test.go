package pages

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A step is one thing that a reader of a page does.
type step struct {
	line int    // of the page
	file string // to write; "" if the step is a command
	text string // of the file, or of the command
	want string // the output that the page shows for the command
	ends bool   // the page waits for the command: it does not end in &
}

var (
	// fence is the first line of a code block: its language, and the name of its file.
	fence = regexp.MustCompile("^```([a-z]*)(?: title=\"([^\"]+)\")?$")
	// asks are the commands that change nothing, and are given again until they print
	// what the page shows: an answer follows a change within a second, and a server
	// takes a moment to start.
	asks = regexp.MustCompile(`^(dig|curl|grep|cat) `)
)

// parse returns the steps of a page: its code blocks of the language console, with $
// before each command, and those with a title, which are files.
func parse(page string) ([]step, error) {
	var steps []step
	var before []string // the lines of text before the code blocks that follow each other
	language, inside, ended := "", false, false
	for i, line := range strings.Split(page, "\n") {
		last := len(steps) - 1
		switch {
		case !inside && strings.HasPrefix(line, "```"):
			m := fence.FindStringSubmatch(line)
			if m == nil {
				return nil, fmt.Errorf("line %d: %q opens no code block that is known", i+1, line)
			}
			if m[2] != "" {
				if !strings.Contains(strings.Join(before, "\n"), "`"+m[2]+"`") {
					return nil, fmt.Errorf("line %d: the text before the block does not name `%s`, which readers do not see otherwise", i+1, m[2])
				}
				steps = append(steps, step{line: i + 1, file: m[2]})
				language = "file"
			} else {
				language = m[1]
			}
			inside, ended = true, true
		case inside && line == "```":
			inside = false
		case !inside && line != "":
			if ended {
				before, ended = nil, false
			}
			before = append(before, line)
		case !inside:
		case language == "file":
			steps[last].text += line + "\n"
		case language != "console":
		case strings.HasPrefix(line, "$ "):
			steps = append(steps, command(i+1, line[len("$ "):]))
		case len(steps) == 0 || steps[last].text == "":
			return nil, fmt.Errorf("line %d: output before a command: a command begins with $", i+1)
		case steps[last].want == "" && strings.HasSuffix(steps[last].text, "\\"):
			steps[last] = command(steps[last].line, steps[last].text+"\n"+line)
		default:
			steps[last].want += line + "\n"
		}
	}
	if inside {
		return nil, fmt.Errorf("the last code block has no end")
	}
	return steps, nil
}

func command(line int, text string) step {
	text, background := strings.CutSuffix(text, " &")
	return step{line: line, text: text, ends: !background}
}

// script returns the testscript of the steps. A command stands in a file of its own, so
// that a shell alone reads it.
func script(page string, steps []step) string {
	var lines, files strings.Builder
	for i, s := range steps {
		fmt.Fprintf(&lines, "# docs/%s:%d\n", page, s.line)
		switch {
		case s.file != "":
			fmt.Fprintf(&lines, "place %d\n", i)
		case s.ends:
			fmt.Fprintf(&lines, "show %d\n", i)
		default:
			fmt.Fprintf(&lines, "exec sh .steps/%d &step%d&\n", i, i)
			fmt.Fprintf(&files, "-- .steps/%d --\nexec %s\n", i, s.text)
		}
	}
	return lines.String() + files.String()
}

// matches reports whether the output is what the page shows. Blanks count as one, and …
// stands for any text of a line, or for any lines where it is alone on one.
func matches(want, got string) bool {
	var expr strings.Builder
	expr.WriteString(`^`)
	for line := range strings.Lines(strings.TrimSpace(want)) {
		if line = strings.TrimSpace(line); line == "…" {
			expr.WriteString(`(?:.*\n)*`)
			continue
		}
		parts := strings.Split(strings.Join(strings.Fields(line), " "), "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		expr.WriteString(strings.Join(parts, ".*") + `\n`)
	}
	expr.WriteString(`$`)
	var lines strings.Builder
	for line := range strings.Lines(strings.TrimSpace(got)) {
		lines.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return regexp.MustCompile(expr.String()).MatchString(lines.String())
}

func TestParse(t *testing.T) {
	page := "Write `a.yaml`:\n\n```yaml title=\"a.yaml\"\nb: c\n```\n\n```\nno step\n```\n```console\n$ one \\\n  two\nout\n$ three &\n```\n"
	got, err := parse(page)
	want := []step{
		{line: 3, file: "a.yaml", text: "b: c\n"},
		{line: 11, text: "one \\\n  two", want: "out\n", ends: true},
		{line: 14, text: "three"},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("want %v, got %v, %v", want, got, err)
	}
	for page, want := range map[string]string{
		"```yaml title=\"a.yaml\"\n```\n": "does not name",
		"```console\nout\n```\n":          "output before a command",
		"```console\n$ one\n":             "no end",
		"```yaml a.yaml\n```\n":           "opens no code block",
	} {
		if _, err := parse(page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want an error with %q, got %v", page, want, err)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		want, got string
		same      bool
	}{
		{"a  b\n", "a\tb", true},
		{"", "", true},
		{"", "a\n", false},
		{"a\n", "a\nb\n", false},
		{"a … c\n", "a b c\n", true},
		{"a … c\n", "a b\n c\n", false},
		{"a\n…\nc\n", "a\nb\nb\nc\n", true},
		{"a\n…\n", "a\n", true},
		{"a.c\n", "abc\n", false},
	} {
		if got := matches(tc.want, tc.got); got != tc.same {
			t.Errorf("%q and %q: want %v, got %v", tc.want, tc.got, tc.same, got)
		}
	}
}

// name returns a page's name in docs.
func name(path string) string { return filepath.Base(path) }
