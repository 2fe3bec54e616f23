package main

import (
	_ "embed"
	"encoding/json"
)

// rulesJSON is written by tools/rules.
//
//go:embed rules.json
var rulesJSON []byte

// rulesPage is where the rules are explained with examples.
const rulesPage = "https://github.com/addressmap/addressmap/blob/main/docs/rules.md"

// ruleTexts says what each rule of documents and reloads asks: :: V5 → a sentence or more.
var ruleTexts = func() (texts map[string]string) {
	if err := json.Unmarshal(rulesJSON, &texts); err != nil {
		panic(err) // It is part of the program.
	}
	return texts
}()
