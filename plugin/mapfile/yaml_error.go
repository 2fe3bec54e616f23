package mapfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/addressmap/addressmap/plugin/printable"
)

// yamlRemedies has the remedy for each message of the YAML library. If opens is set,
// the place of the error is not where the library stopped, but where the construct
// began that it was reading.
var yamlRemedies = []struct {
	message string // or a part of it
	remedy  string
	opens   bool
}{
	{"unexpected end of stream", "close the quote that opens here", true},
	{"could not find expected ':'", `write "key: value", or a list item with "- " before it`, true},
	{"tab", "indent with spaces, not with tabs", false},
	{"cannot start any token", "put the value in quotes", false},
	{"unknown anchor", `put text that starts with an asterisk in quotes, as in "*.shop"`, false},
	{"alphabetic or numeric", `put text that starts with an asterisk or an ampersand in quotes, as in "*"`, false},
	{"mapping values are not allowed", "check the indentation, or put a value that holds a colon in quotes", false},
	{"expected '-' indicator", "check the indentation: each item of the list starts in the same column", false},
	{"expected key", "check the indentation, and that nothing follows a closing quote or bracket", false},
	{"unknown escape", `write \\ for a backslash, or use single quotes`, false},
	{"max depth", "check the brackets: a map document is not nested that deeply", false},
	{"expected ',' or", "", false}, // see yamlError
}

// yamlError returns the error of the YAML library with its place and remedy.
func yamlError(d *Document, err error) *Error {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return d.Errorf(Pos{1, 1}, "V1", "correct the YAML", "not YAML: %s", printable.Line(err.Error()))
	}
	if le.Mark.Line == 0 { // The library's reader knows no line.
		return d.Errorf(d.text.position(controlCharacter(d.text.data)), "V1", "take the control character out", "not YAML: %s", le.Message)
	}
	pos, remedy := posOf(le.Mark.Line, le.Mark.Column), "correct the YAML at this place"
	for _, r := range yamlRemedies {
		if !strings.Contains(le.Message, r.message) {
			continue
		}
		remedy = r.remedy
		if remedy == "" {
			remedy = fmt.Sprintf("write a comma here, or close the bracket that opens in line %d", le.ContextMark.Line)
		}
		if r.opens && le.ContextMark.Line > 0 {
			pos = posOf(le.ContextMark.Line, le.ContextMark.Column)
		}
		break
	}
	if at, key, after, ok := withoutColon(d, le.Message, pos); ok {
		return d.Errorf(at, "V1", fmt.Sprintf("write %q%s", key+":", after), "not YAML: the key %q has no colon with a space after it", key)
	}
	return d.Errorf(clampPos(d, pos), "V1", remedy, "not YAML: %s", printable.Line(le.Message))
}

// withoutColon looks for a key without a colon as the reason of the library's error at
// pos: the library takes the key for the beginning of a text, and complains of that, or
// of the next colon. It returns the place behind the key, the key, and what to write
// after its colon.
func withoutColon(d *Document, message string, pos Pos) (at Pos, key, after string, ok bool) {
	last := pos.Line - 1
	switch {
	case strings.Contains(message, "could not find expected ':'"):
		last = pos.Line
	case !strings.Contains(message, "mapping values") && !strings.Contains(message, "<document start>"):
		return Pos{}, "", "", false
	}
	for n := last; n >= 1; n-- {
		line := d.text.lineText(n)
		words := strings.TrimLeft(line, " -")
		if words == "" || words[0] == '#' {
			continue
		}
		i := strings.IndexAny(words, " :#[{\"")
		if i < 0 {
			i = len(words)
		}
		key, rest := words[:i], strings.TrimSpace(words[i:])
		if !isKey(key) || strings.HasPrefix(rest, ": ") || rest == ":" {
			return Pos{}, "", "", false
		}
		if strings.TrimPrefix(rest, ":") != "" && rest[0] != '#' {
			after = " and a space before its value"
		}
		return Pos{n, int32(utf8.RuneCountInString(line) - utf8.RuneCountInString(words[i:]) + 1)}, key, after, true
	}
	return Pos{}, "", "", false
}

// controlCharacter returns the offset of the first character that YAML does not allow.
func controlCharacter(data []byte) int {
	at := bytes.IndexFunc(data, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || 0x7f <= r && r < 0xa0 && r != 0x85 ||
			r == 0xfeff || r == 0xfffe || r == 0xffff
	})
	return max(0, at)
}
