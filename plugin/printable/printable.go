// Package printable makes visible what a text may hide: control characters, which move a
// terminal's cursor or end a line of the log, and characters without a form, such as
// those that turn the direction of writing (Unicode Technical Report 36, section 2.5).
// Maps, zone files and their names are written by tenants, and read by operators.
//
// A character is written as Go and JSON write it, as \x1b or \u202e. Text that was made
// visible is left alone when it passes again.
package printable

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text makes text of several lines visible: line feeds and tabs stay.
func Text(s string) string { return visible(s, "\n\t") }

// Line makes text visible that has to stay on one line: tabs stay.
func Line(s string) string { return visible(s, "\t") }

// visible returns s with all characters written out that have no graphic form, but for
// those of except, and all bytes that are no UTF-8.
func visible(s, except string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !isVisible(r, except) })
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for s = s[i:]; s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case isVisible(r, except):
			b.WriteString(s[:size])
		default:
			b.WriteString(written(r))
		}
		s = s[size:]
	}
	return b.String()
}

func isVisible(r rune, except string) bool {
	return unicode.IsGraphic(r) || strings.ContainsRune(except, r)
}

// written is how a character is written out.
func written(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// JSON makes the characters in the texts of a JSON document visible. The document means
// the same as before (RFC 8259, section 7).
func JSON(data []byte) []byte {
	return escaped(data, func(out []byte, r rune) []byte {
		for _, unit := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
		return out
	})
}

// YAML makes the characters in the texts of a YAML document visible, all of which stand
// in double quotes. The document means the same as before (YAML 1.2, section 5.7).
func YAML(data []byte) []byte {
	return escaped(data, func(out []byte, r rune) []byte { return append(out, written(r)...) })
}

// escaped returns data with escapes in the place of characters without a form.
func escaped(data []byte, escape func([]byte, rune) []byte) []byte {
	const structure = "\n\t\r" // in texts, these are written out already
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if isVisible(r, structure) {
			out = append(out, data[:size]...)
		} else {
			out = escape(out, r)
		}
		data = data[size:]
	}
	return out
}

// Writer returns a writer to w that makes text visible, as [Text] does. Each write has
// whole characters.
func Writer(w io.Writer) io.Writer { return writer{w} }

type writer struct{ to io.Writer }

// Write implements [io.Writer].
func (w writer) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.to, Text(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Unwrap returns the writer that w writes to, or w itself if w was not made by [Writer]:
// a program asks it whether it is a terminal.
func Unwrap(w io.Writer) io.Writer {
	if visible, ok := w.(writer); ok {
		return visible.to
	}
	return w
}
