package main

import (
	"errors"
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
	markdown := title + "\n\n" + upperHeadings(firstSection+"\n"+manual)
	roff := string(md2man.Render([]byte(markdown)))
	return []byte(strings.TrimLeft(roff, "\n")), nil
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
