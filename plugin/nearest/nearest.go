// Package nearest says which known word is meant by a misspelled one, for "did you
// mean".
package nearest

import "strings"

// Word returns the one of words that s is a likely misspelling or abbreviation of, or
// "". Letter case, hyphens, underscores and spaces do not count.
func Word(s string, words []string) string {
	const longest = 40 // No longer text comes near a word.
	if len(s) > longest {
		return ""
	}
	plain := strings.NewReplacer("-", "", "_", "", " ", "")
	s = plain.Replace(strings.ToLower(s))
	best, at := "", len(s)+1 // Twice the distance: a word that is more than half wrong is another word.
	for _, w := range words {
		p := plain.Replace(strings.ToLower(w))
		n := 2 * editDistance(s, p)
		if n > 0 && min(len(s), len(p)) > 1 && (strings.HasPrefix(p, s) || strings.HasPrefix(s, p)) {
			n = 1 // An abbreviation, or a plural, is nearer than any misspelling.
		}
		if n < at {
			best, at = w, n
		}
	}
	return best
}

// editDistance counts the characters to insert, delete, replace or swap with the next
// one to turn a into b (Damerau and Levenshtein's distance, without overlaps).
func editDistance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows = [3][]int{last, row, before}
	}
	return rows[1][len(b)]
}
