package main

import (
	"cmp"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/addressmap/addressmap/plugin/printable"
)

// The part of SARIF 2.1.0 (OASIS) that code hosts show beside the lines of a
// file.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string       `json:"id"`
		Short   sarifText    `json:"shortDescription"`
		Help    sarifText    `json:"help"`
		HelpURI string       `json:"helpUri"`
		Default sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

// otherRules explains findings that break no numbered rule: their ids and texts.
var otherRules = map[string]string{
	ruleExposure: "The origin of a proxied name is not to be known. A record that is not proxied, and mail, services or texts that have or lead to its address, make it known; so does a name that is not proxied any more.",
	"unread":     "A document and its zone files can be read. The message says what stands in the way.",
	ruleUnlikely: "What is legal and yet probably not meant, such as a map without members or a mark that names nothing.",
}

// sarifRuleOf returns what SARIF says of the rule of a finding.
func sarifRuleOf(f finding) sarifRule {
	r := sarifRule{ID: f.Rule, HelpURI: rulesPage, Default: sarifDefault{f.Level}}
	text, numbered := ruleTexts[f.Rule]
	if numbered {
		r.HelpURI += "#" + strings.ToLower(f.Rule)
	} else {
		r.ID = cmp.Or(r.ID, "unread")
		text = otherRules[r.ID]
	}
	short, _, _ := strings.Cut(text, ". ")
	r.Short.Text, r.Help.Text = strings.TrimSuffix(short, ".")+".", text
	return r
}

// artifactOf names a file as SARIF does: percent-encoded, and relative to the working
// directory, which is the top of the repository for a code host, if it lies in there.
func artifactOf(path string) sarifArtifact {
	if wd, err := os.Getwd(); err == nil && filepath.IsAbs(path) {
		if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
			path = rel
		}
	}
	path = filepath.ToSlash(filepath.Clean(path))
	if filepath.IsAbs(path) {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: path}).String()}
	}
	return sarifArtifact{URI: (&url.URL{Path: path}).String(), Base: "%SRCROOT%"}
}

// literal writes a text so that nothing of it is a link or a placeholder of a message
// (SARIF 2.1.0, 3.11.5 and 3.11.6): parts of it are tenants' words.
var literal = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}")

func writeSARIF(w io.Writer, findings []finding) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "addressmap", Version: "(devel)", InformationURI: "https://github.com/addressmap/addressmap", Rules: []sarifRule{},
		}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		run.Tool.Driver.Version = info.Main.Version
	}
	known := make(map[string]int) // :: id → index
	for _, f := range findings {
		rule := sarifRuleOf(f)
		at, ok := known[rule.ID]
		if !ok {
			at = len(run.Tool.Driver.Rules)
			known[rule.ID] = at
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		}
		text := f.Text
		if f.Remedy != "" {
			text += "; " + f.Remedy
		}
		place := sarifPhysical{Artifact: artifactOf(f.File)}
		if f.Line > 0 {
			place.Region = &sarifRegion{f.Line, f.Column}
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: rule.ID, RuleIndex: at, Level: f.Level, Message: sarifText{literal.Replace(printable.Text(text))}, Locations: []sarifLocation{{place}},
		})
	}
	return writeJSON(w, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}
