package rig

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Table is a table of text that prints as Markdown.
type Table struct {
	Head []string
	Rows [][]string
}

// Add adds a row. Cells that are missing are empty.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// String returns the table in Markdown, its columns aligned: the first to the
// left, the others to the right.
func (t *Table) String() string {
	width := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i := range width {
			width[i] = max(width[i], utf8.RuneCountInString(cell(row, i)), 3)
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, w := range width {
			text := cell(row, i)
			space := strings.Repeat(" ", w-utf8.RuneCountInString(text))
			if i == 0 {
				b.WriteString("| " + text + space + " |")
			} else {
				b.WriteString(" " + space + text + " |")
			}
		}
		b.WriteByte('\n')
	}
	line(t.Head)
	for i, w := range width {
		if i == 0 {
			b.WriteString("| " + strings.Repeat("-", w) + " |")
		} else {
			b.WriteString(" " + strings.Repeat("-", w-1) + ": |")
		}
	}
	b.WriteByte('\n')
	for _, row := range t.Rows {
		line(row)
	}
	return b.String()
}

func cell(row []string, i int) string {
	if i >= len(row) {
		return ""
	}
	return strings.ReplaceAll(row[i], "|", `\|`)
}

// Number is what a median can be taken of.
type Number interface{ ~int64 | ~float64 }

// Median returns the middle of the values, the mean of the two in the middle if
// their number is even, and 0 of none.
func Median[T Number](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Spread prints the median of ratios, with the least and the most of them.
func Spread(ratios []float64) string {
	if len(ratios) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f [%.2f–%.2f]", Median(ratios), slices.Min(ratios), slices.Max(ratios))
}

// Quantile returns the least value that at least the share q of the values, 0 to
// 1, does not exceed. The values must be sorted; of none it is 0.
func Quantile[T cmp.Ordered](sorted []T, q float64) T {
	if len(sorted) == 0 {
		var zero T
		return zero
	}
	i := int(q*float64(len(sorted)) + 0.999999)
	return sorted[min(max(i-1, 0), len(sorted)-1)]
}
