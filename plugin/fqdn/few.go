package fqdn

import "strings"

// Few is how many names of a list [FirstFew] shows.
const Few = 5

// FirstFew returns the first names of a list as a log line shows them.
func FirstFew(names []Name) string {
	var b strings.Builder
	for i, n := range names {
		if i == Few {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(n))
	}
	return b.String()
}
