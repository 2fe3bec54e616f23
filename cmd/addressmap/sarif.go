package main

import "io"

// The part of SARIF 2.1.0 (OASIS) that code hosts show beside the lines of a
// file.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
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
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

func writeSARIF(w io.Writer, findings []finding) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "addressmap", InformationURI: "https://github.com/addressmap/addressmap", Rules: []sarifRule{},
		}},
		Results: []sarifResult{},
	}
	known := make(map[string]bool)
	for _, f := range findings {
		rule := f.Rule
		if rule == "" {
			rule = f.Level
		}
		if !known[rule] {
			known[rule] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{rule})
		}
		text := f.Text
		if f.Remedy != "" {
			text += "; " + f.Remedy
		}
		place := sarifPhysical{Artifact: sarifArtifact{f.File}}
		if f.Line > 0 {
			place.Region = &sarifRegion{f.Line, f.Column}
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: rule, Level: f.Level, Message: sarifText{text}, Locations: []sarifLocation{{place}},
		})
	}
	return writeJSON(w, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}
