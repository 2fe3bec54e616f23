package main

import (
	"errors"
	"regexp"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

// title is the page's title line: name, section, no date (the page must not
// change when the README does not), source and manual.
const title = `% "COREDNS-ADDRESSMAP" "7" "" "addressmap" "CoreDNS Plugins"`

// firstSection is where the manual begins. What stands before it in the README
// is for people who look at the repository.
const firstSection = "## Name"

// render returns the manual page of a README in CoreDNS's plugin form. The
// same README always gives the same bytes.
func render(readme []byte) ([]byte, error) {
	_, manual, found := strings.Cut(string(readme), "\n"+firstSection+"\n")
	if !found {
		return nil, errors.New("there is no section \"" + firstSection + "\", which a plugin's README must have")
	}
	return roff(title, firstSection+"\n"+manual, ""), nil
}

// The same of the reference of the map document.
const (
	referenceTitle = `% "ADDRESSMAP-MAP" "5" "" "addressmap" "Address maps"`
	referenceName  = "## Name\n\n*addressmap-map* - the map document of CoreDNS's plugin addressmap\n\n## Description\n"
)

// renderReference returns the manual page of the reference of the map document. Its first
// line, the heading of the page, gives way to the sections that a manual page begins with.
func renderReference(page []byte) ([]byte, error) {
	heading, text, _ := strings.Cut(string(page), "\n")
	if !strings.HasPrefix(heading, "# ") {
		return nil, errors.New("the first line is no heading")
	}
	return roff(referenceTitle, referenceName+text, "docs/"), nil
}

// site is where the files of the repository are for readers who do not have it.
const site = "https://github.com/addressmap/addressmap/blob/main/"

// relative is where a link to another file of the repository begins.
var relative = regexp.MustCompile(`\]\(([a-z][a-z0-9/.-]*\.md\b)`)

// roff returns a manual page of its title line and its Markdown, which is of that folder.
func roff(title, markdown, folder string) []byte {
	markdown = relative.ReplaceAllString(markdown, "]("+site+folder+"$1")
	page := string(md2man.Render([]byte(title + "\n\n" + upperHeadings(markdown))))
	return []byte(blockCells(strings.TrimLeft(page, "\n")))
}

var (
	table = regexp.MustCompile(`(?ms)^\.TS$.*?^\.TE$`)
	// longCell is the first cell of a row, with more in it than a line has room for.
	longCell = regexp.MustCompile(`(?m)^([^\t\n]{60,})\t`)
)

// blockCells makes a block of text of each long cell, which groff breaks into lines. The
// renderer does so itself, but counts no letters in italics.
func blockCells(page string) string {
	return table.ReplaceAllStringFunc(page, func(rows string) string {
		return longCell.ReplaceAllString(rows, "T{\n$1\nT}\t")
	})
}

// upperHeadings writes section headings in capitals, as manual pages have
// them. A line that starts with ## in a code block is no heading.
func upperHeadings(markdown string) string {
	lines := strings.Split(markdown, "\n")
	inCode := false
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inCode = !inCode
		}
		if !inCode && strings.HasPrefix(line, "## ") {
			lines[i] = strings.ToUpper(line)
		}
	}
	return strings.Join(lines, "\n")
}
