package main

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

// book is all archives of testdata: :: path without extension, as answer/r08-all →
// archive.
type book map[string]*txtar.Archive

func openBook(testdata fs.FS) (book, error) {
	paths, err := fs.Glob(testdata, "*/*.txtar")
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no archives: %w", fs.ErrNotExist)
	}
	b := make(book)
	for _, p := range paths {
		data, err := fs.ReadFile(testdata, p)
		if err != nil {
			return nil, err
		}
		b[strings.TrimSuffix(p, ".txtar")] = txtar.Parse(data)
	}
	return b, nil
}

// numbered matches the name of an archive of a rule: the letter and number of r08-all.
var numbered = regexp.MustCompile(`^([vpr])0?(\d+)-`)

// codeOf returns the rule whose archive this is, as R8, or "".
func codeOf(archive string) string {
	m := numbered.FindStringSubmatch(path.Base(archive))
	if m == nil {
		return ""
	}
	return strings.ToUpper(m[1]) + m[2]
}

// archivesOf returns the archives of a rule in the order of their paths, but first the
// one that its example is from.
func (b book) archivesOf(r rule) []string {
	first := r.dialogue + r.bad.archive
	out := []string{first}
	for name := range b {
		if name != first && codeOf(name) == r.code {
			out = append(out, name)
		}
	}
	slices.Sort(out[1:])
	return out
}

// missing returns the archives whose rules are not listed.
func (b book) missing(parts []part) []string {
	listed := make(map[string]bool)
	for _, p := range parts {
		for _, r := range p.rules {
			listed[r.code] = true
		}
	}
	var out []string
	for name := range b {
		if code := codeOf(name); code != "" && !listed[code] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// prefix matches the rules that the text of an archive begins with: "R18, R9: ".
var prefix = regexp.MustCompile(`^[VPR]\d+(, [VPR]\d+)*:? `)

// text returns what an archive says about itself, without the number of the rule.
func (b book) text(archive string) (string, error) {
	a, ok := b[archive]
	if !ok {
		return "", fmt.Errorf("there is no archive testdata/%s.txtar", archive)
	}
	text := strings.TrimSpace(string(a.Comment))
	text = strings.TrimPrefix(text, prefix.FindString(text))
	if text == "" {
		return "", fmt.Errorf("testdata/%s.txtar does not say what its rule asks: write that at its top", archive)
	}
	return strings.ToUpper(text[:1]) + text[1:], nil
}

// files returns the files of an example, and what an operator reads of them.
func (b book) files(e example) (files []txtar.File, want string, err error) {
	a, ok := b[e.archive]
	if !ok {
		return nil, "", fmt.Errorf("there is no archive testdata/%s.txtar", e.archive)
	}
	for _, f := range a.Files {
		inside, isInside := strings.CutPrefix(f.Name, e.name+"/")
		switch {
		case f.Name == e.name:
			files, want = append(files, f), "accepted\n" // unless its errors follow
		case f.Name == e.name+".errors", isInside && inside == "want":
			want = string(f.Data)
		case isInside:
			files = append(files, txtar.File{Name: inside, Data: f.Data})
		}
	}
	if len(files) == 0 || want == "" {
		return nil, "", fmt.Errorf("testdata/%s.txtar has no %s, or does not say what is read of it", e.archive, e.name)
	}
	return files, want, nil
}
