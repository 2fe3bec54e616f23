package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"golang.org/x/tools/txtar"
)

const head = `# Rules

Every rule of this plugin, with an example. The rules whose names begin with V are about map
documents, those with P about what a reload may do, and those with R about answers.
[testdata](../testdata) has all the examples; the tests run them.

This page is made of them: change the archives, and run ` + "`go run ./tools/rules`" + `.

`

// How much is shown of an example; the archive has all of it.
const (
	maxLines     = 30 // of a file
	maxQuestions = 3  // of a dialogue
	maxRecords   = 6  // of an answer
)

// render returns the reference.
func render(b book, parts []part) ([]byte, error) {
	if missing := b.missing(parts); len(missing) > 0 {
		return nil, fmt.Errorf("testdata/%s.txtar is of a rule that tools/rules/list.go does not have: add it there", missing[0])
	}
	w := bytes.NewBufferString(head)
	for _, p := range parts {
		fmt.Fprintf(w, "* %s: ", p.title)
		for i, r := range p.rules {
			if i > 0 {
				w.WriteString(", ")
			}
			fmt.Fprintf(w, "[%s](#%s)", r.code, strings.ToLower(r.code))
		}
		w.WriteString("\n")
	}
	for _, p := range parts {
		fmt.Fprintf(w, "\n## %s\n\n%s\n", p.title, p.intro)
		for _, r := range p.rules {
			if err := renderRule(w, b, r); err != nil {
				return nil, fmt.Errorf("%s: %w", r.code, err)
			}
		}
	}
	return w.Bytes(), nil
}

// renderTexts returns a JSON object with what each rule of documents and reloads asks.
func renderTexts(b book, parts []part) ([]byte, error) {
	texts := make(map[string]string)
	for _, p := range parts {
		for _, r := range p.rules {
			if r.dialogue != "" {
				continue // It is about answers.
			}
			var all []string
			for i, archive := range b.archivesOf(r) {
				text, err := b.text(archive)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", r.code, err)
				}
				if i > 0 {
					text = firstSentence(text)
				}
				all = append(all, text)
			}
			for _, s := range r.beyond {
				all = append(all, s.text)
			}
			texts[r.code] = strings.Join(strings.Fields(strings.Join(all, " ")), " ")
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(texts)
	return out.Bytes(), err
}

// renderRule writes the section of a rule.
func renderRule(w *bytes.Buffer, b book, r rule) error {
	archives := b.archivesOf(r)
	text, err := b.text(archives[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n### %s\n\n%s\n%s\n", r.code, text, link(archives[0]))
	if len(archives) > 1 || len(r.beyond) > 0 {
		w.WriteString("\n")
	}
	for _, archive := range archives[1:] {
		text, err := b.text(archive)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "* %s\n  %s\n", strings.ReplaceAll(firstSentence(text), "\n", "\n  "), link(archive))
	}
	for _, s := range r.beyond {
		fmt.Fprintf(w, "* %s\n  (`%s`)\n", s.text, s.test)
	}
	if r.dialogue != "" {
		return renderDialogue(w, b[r.dialogue])
	}
	return renderExamples(w, b, r)
}

// renderExamples writes the examples of a V or P rule.
func renderExamples(w *bytes.Buffer, b book, r rule) error {
	files, want, err := b.files(r.bad)
	if err != nil {
		return err
	}
	if !strings.Contains(want, r.code+": ") {
		return fmt.Errorf("%s of testdata/%s.txtar does not break the rule: name another one in tools/rules/list.go", r.bad.name, r.bad.archive)
	}
	w.WriteString("\nRefused:\n")
	renderFiles(w, files)
	message, _, _ := strings.Cut(want, "\nsee docs/rules.md") // here it is explained
	fence(w, "", message+"\n")
	files, want, err = b.files(r.good)
	if err != nil {
		return err
	}
	if want != "accepted\n" {
		return fmt.Errorf("%s of testdata/%s.txtar is not accepted: name another one in tools/rules/list.go", r.good.name, r.good.archive)
	}
	w.WriteString("\nAccepted:\n")
	renderFiles(w, files)
	return nil
}

// renderFiles writes files, with their names if there are several.
func renderFiles(w *bytes.Buffer, files []txtar.File) {
	for _, f := range files {
		if len(files) > 1 {
			fmt.Fprintf(w, "\n`%s`\n", f.Name)
		}
		language := strings.TrimPrefix(path.Ext(f.Name), ".")
		switch {
		case f.Name == "Corefile":
			language = "corefile"
		case language != "yaml" && language != "json":
			language = ""
		}
		fence(w, language, cut(string(f.Data), maxLines))
	}
}

// renderDialogue writes the example of an R rule: the files of the server, and the first
// questions, or the first transfer.
func renderDialogue(w *bytes.Buffer, a *txtar.Archive) error {
	var files []txtar.File
	var said string
	for _, f := range a.Files {
		switch base := path.Base(f.Name); {
		case f.Name == "dialogue":
			said = firstQuestions(string(f.Data))
		case strings.HasPrefix(f.Name, "axfr "):
			if said == "" {
				said = "> " + strings.TrimPrefix(f.Name, "axfr ") + ". AXFR\n" + cut(string(f.Data), maxLines)
			}
		case base == "Corefile", path.Ext(base) == ".yaml", strings.HasPrefix(base, "db."), f.Name == "upstream":
			files = append(files, f)
		}
	}
	if said == "" {
		return fmt.Errorf("the archive has no dialogue and no transfer")
	}
	renderFiles(w, files)
	w.WriteString("\nAsked and answered:\n")
	fence(w, "", said)
	return nil
}

// firstQuestions returns the first questions of a dialogue with their answers.
func firstQuestions(dialogue string) string {
	var b strings.Builder
	questions, records := 0, 0
	for line := range strings.Lines(dialogue) {
		switch {
		case strings.HasPrefix(line, "> "):
			questions, records = questions+1, 0
		case line == "\n" || line[0] == '#':
			records = 0
			if questions == maxQuestions {
				return b.String()
			}
		default:
			records++
		}
		switch {
		case questions > maxQuestions:
			return b.String()
		case records == maxRecords+2: // after the line of the rcode
			b.WriteString("…\n")
		case records < maxRecords+2:
			b.WriteString(line)
		}
	}
	return b.String()
}

// fence writes a block of code.
func fence(w *bytes.Buffer, language, content string) {
	fmt.Fprintf(w, "\n```%s\n%s```\n", language, content)
}

// cut returns the first lines of a text.
func cut(text string, most int) string {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) <= most+1 { // the last one is empty
		return text
	}
	return strings.Join(lines[:most], "") + "…\n"
}

// link returns a link to an archive.
func link(archive string) string {
	return fmt.Sprintf("([%s](../testdata/%s.txtar))", path.Base(archive), archive)
}

// firstSentence returns the first sentence of a text.
func firstSentence(text string) string {
	for i := range text {
		if text[i] == '.' && (i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '\n') {
			return text[:i+1]
		}
	}
	return text
}
