package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sarifSchema is the published schema of SARIF 2.1.0 (OASIS, Errata 01).
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("sarif.json")
}

func TestSARIF(t *testing.T) {
	schema := sarifSchema(t)
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	findings := []finding{
		{Level: levelError, File: "maps/a b%#?.yaml", Line: 3, Column: 7, Rule: "V5", Text: "address \u202e192.0.2.1 [is](http://evil) {5}", Remedy: "take it off"},
		{Level: levelError, File: filepath.Join(wd, "a:b.yaml"), Text: "cannot read"},
		{Level: levelError, File: "/etc/maps.yaml", Rule: "P1", Text: "gone"},
		warningOf("maps", "maps/c.yaml:9:2: address map \"m\" has no members"),
		warningOf("maps", "maps/db:12: almost a mark"),
		{Level: levelWarning, File: "maps/db", Line: 4, Rule: ruleExposure, Text: "it is public"},
	}
	for _, list := range [][]finding{nil, findings} {
		var b bytes.Buffer
		if err := writeSARIF(&b, list); err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%v\n%s", err, &b)
		}
		if list == nil {
			continue
		}
		var log sarifLog
		if err := json.Unmarshal(b.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		run := log.Runs[0]
		for i, want := range []struct {
			rule, uri string
			line, col int
		}{
			{"V5", "maps/a%20b%25%23%3F.yaml", 3, 7},
			{"unread", "./a:b.yaml", 0, 0},
			{"P1", "file:///etc/maps.yaml", 0, 0},
			{"unlikely", "maps/c.yaml", 9, 2},
			{"unlikely", "maps/db", 12, 0},
			{"exposure", "maps/db", 4, 0},
		} {
			r := run.Results[i]
			at := r.Locations[0].Physical
			if at.Region == nil {
				at.Region = &sarifRegion{}
			}
			if r.RuleID != want.rule || at.Artifact.URI != want.uri || at.Region.StartLine != want.line || at.Region.StartColumn != want.col {
				t.Errorf("want %+v, got %+v", want, r)
			}
			if rule := run.Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID || len(rule.Help.Text) < 20 || !strings.Contains(rule.HelpURI, "docs/rules.md") {
				t.Errorf("%s has the rule %+v", r.RuleID, rule)
			}
		}
		if text := run.Results[0].Message.Text; text != `address \\u202e192.0.2.1 \[is\](http://evil) {{5}}; take it off` {
			t.Errorf("got %q", text)
		}
		if uri := run.Tool.Driver.Rules[0].HelpURI; !strings.HasSuffix(uri, "rules.md#v5") {
			t.Errorf("got %s", uri)
		}
	}
}

// The schema refuses what is no SARIF.
func TestSARIF_SchemaCanFail(t *testing.T) {
	if sarifSchema(t).Validate(map[string]any{"version": "2.1.0"}) == nil {
		t.Error("a log without runs is accepted")
	}
}
