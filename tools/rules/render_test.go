package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// The reference is what the archives give.
func TestReferenceIsCurrent(t *testing.T) {
	t.Chdir("../..")
	if err := run(true); err != nil {
		t.Error(err)
	}
}

// What the tests of this file make a reference of.
var (
	testdata = map[string]string{
		"document/v08-x.txtar":   "V8: one thing. Another.\n-- bad.yaml --\na: 1\n-- bad.yaml.errors --\nbad.yaml:1:1: V8: wrong\n  remedy: none\nsee docs/rules.md#v8\n-- good.yaml --\na: 2\n",
		"mapset/v08-y.txtar":     "V8, V9: of several\nfiles. And more.\n-- set/a.yaml --\nb: 1\n-- set/zone --\nc\n-- set/want --\nV8: wrong\nsee docs/rules.md#v8\n-- fine/a.yaml --\n{}\n-- fine/want --\naccepted\n",
		"answer/r01-x.txtar":     "R1: asked.\n-- maps.yaml --\n{}\n-- keys --\nx\n-- dialogue --\n# One.\n> a. A\nNOERROR\n> b. A\nNOERROR\n> c. A\nNOERROR\n\n# Four.\n> d. A\nNOERROR\n",
		"transfer/r02-x.txtar":   "R2: transferred.\n-- db.a --\n@ A\n-- axfr a --\na. A\n-- axfr b --\nb. A\n",
		"document/good.txtar":    "Of no rule.\n-- a --\n",
		"answer/r01-plain.txtar": "R1: of the same rule.\n",
	}
	testRules = []rule{
		{code: "V8", bad: example{"document/v08-x", "bad.yaml"}, good: example{"document/v08-x", "good.yaml"}},
		{code: "R1", dialogue: "answer/r01-x", beyond: []sentence{{"Beyond.", "TestBeyond"}}},
		{code: "R2", dialogue: "transfer/r02-x"},
	}
)

// rendered returns the reference of archives, with changes, and of rules.
func rendered(t *testing.T, changes map[string]string, rules []rule) (string, error) {
	t.Helper()
	fsys := make(fstest.MapFS)
	for name, text := range testdata {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range changes {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	b, err := openBook(fsys)
	if err != nil {
		t.Fatal(err)
	}
	text, err := render(b, []part{{title: "Part", intro: "Intro.", rules: rules}})
	return string(text), err
}

func TestRender(t *testing.T) {
	got, err := rendered(t, nil, testRules)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"* Part: [V8](#v8), [R1](#r1), [R2](#r2)\n\n## Part\n\nIntro.\n\n### V8\n",
		"\n### V8\n\nOne thing. Another.\n([v08-x](../testdata/document/v08-x.txtar))\n\n* Of several\n  files.\n  ([v08-y](../testdata/mapset/v08-y.txtar))\n\nRefused:\n",
		"\nRefused:\n\n```yaml\na: 1\n```\n\n```\nbad.yaml:1:1: V8: wrong\n  remedy: none\n```\n\nAccepted:\n\n```yaml\na: 2\n```\n",
		"\n* Of the same rule.\n  ([r01-plain](../testdata/answer/r01-plain.txtar))\n* Beyond.\n  (`TestBeyond`)\n\n```yaml\n{}\n```\n\nAsked and answered:\n\n```\n# One.\n> a. A\nNOERROR\n> b. A\nNOERROR\n> c. A\nNOERROR\n```\n",
		"\nAsked and answered:\n\n```\n> a. AXFR\na. A\n```\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want\n%s\nin\n%s", want, got)
		}
	}
	of := slices.Clone(testRules)
	of[0].bad, of[0].good = example{"mapset/v08-y", "set"}, example{"mapset/v08-y", "fine"}
	got, err = rendered(t, nil, of)
	if want := "\nRefused:\n\n`a.yaml`\n\n```yaml\nb: 1\n```\n\n`zone`\n\n```\nc\n```\n\n```\nV8: wrong\n```\n\nAccepted:\n\n```yaml\n{}\n```\n"; err != nil || !strings.Contains(got, want) {
		t.Errorf("of a folder: %v\nwant\n%s\nin\n%s", err, want, got)
	}
}

func TestRender_Refuses(t *testing.T) {
	with := func(change func(rules []rule)) []rule {
		rules := slices.Clone(testRules)
		change(rules)
		return rules
	}
	for name, c := range map[string]struct {
		changes map[string]string
		rules   []rule
		want    string
	}{
		"rule that is not listed":     {map[string]string{"mapset/v31-new.txtar": "V31: new.\n"}, testRules, "mapset/v31-new.txtar is of a rule that tools/rules/list.go does not have"},
		"archive without text":        {map[string]string{"mapset/v08-y.txtar": "-- a --\n"}, testRules, "mapset/v08-y.txtar does not say what its rule asks"},
		"archive that is not there":   {nil, with(func(r []rule) { r[1].dialogue = "answer/r01-none" }), "no archive testdata/answer/r01-none.txtar"},
		"example that is not there":   {nil, with(func(r []rule) { r[0].bad.name = "none" }), "has no none"},
		"bad example that is good":    {nil, with(func(r []rule) { r[0].bad = r[0].good }), "does not break the rule"},
		"good example that is bad":    {nil, with(func(r []rule) { r[0].good = r[0].bad }), "is not accepted"},
		"archive without questions":   {map[string]string{"answer/r01-x.txtar": "R1: asked.\n"}, testRules, "no dialogue and no transfer"},
		"good archive that is absent": {nil, with(func(r []rule) { r[0].good.archive = "none" }), "no archive testdata/none.txtar"},
	} {
		if _, err := rendered(t, c.changes, c.rules); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := openBook(make(fstest.MapFS)); err == nil {
		t.Error("a folder without archives is a book")
	}
}

func TestShortened(t *testing.T) {
	if got := cut("1\n2\n", 2); got != "1\n2\n" {
		t.Errorf("two of two lines: %q", got)
	}
	if got := cut("1\n2\n3\n", 2); got != "1\n2\n…\n" {
		t.Errorf("two of three lines: %q", got)
	}
	answer := bytes.Repeat([]byte("answer\n"), maxRecords)
	all := "> a. A\nNOERROR\n" + string(answer)
	if got := firstQuestions(all); got != all {
		t.Errorf("got %q, want all of %q", got, all)
	}
	if got := firstQuestions(all + "answer\nanswer\n> b. A\nNOERROR\n"); got != all+"…\n> b. A\nNOERROR\n" {
		t.Errorf("got %q", got)
	}
	for text, want := range map[string]string{"One. Two.": "One.", "Of v1.2\nand.\nMore.": "Of v1.2\nand.", "None": "None", "Last.": "Last."} {
		if got := firstSentence(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
