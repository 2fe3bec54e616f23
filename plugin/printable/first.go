package printable

import (
	"fmt"
	"regexp"
)

// MaxOfKind is how many things of one kind a message lists: nobody reads more, and a
// document that is wrong throughout must not fill the log.
const MaxOfKind = 10

// First returns the indexes of what a message lists of things of several kinds, the first
// ten of each kind, and a line for each kind that has more.
func First(kinds []string) (shown []int, more []string) {
	count := make(map[string]int)
	var order []string
	for i, kind := range kinds {
		if count[kind]++; count[kind] <= MaxOfKind {
			shown = append(shown, i)
		} else if count[kind] == MaxOfKind+1 {
			order = append(order, kind)
		}
	}
	for _, kind := range order {
		line := fmt.Sprintf("and %d more", count[kind]-MaxOfKind)
		if kind != "" {
			line += " of " + kind
		}
		more = append(more, line)
	}
	return shown, more
}

// aValue is what differs between two messages of one kind: what is quoted, and numbers
// and addresses.
var aValue = regexp.MustCompile(`"(?:[^"\\]|\\.)*"…?|[^\s(]*[0-9][^\s)]*`)

// Kind returns what messages have in common that say the same of different values.
func Kind(message string) string { return aValue.ReplaceAllString(message, "…") }
