package mapfile

import "bytes"

// longFlow returns where a flow collection ("[…]" or "{…}") opens that is longer than
// limit bytes. The YAML library has all tokens of a flow collection in memory until
// the collection closes, at some hundred and fifty times the size of the text: a
// document of 30 MB in brackets would take down the server, not just the reload.
//
// longFlow reads YAML only roughly, and may take a bracket in a block of text for the
// start of a collection. The mistake matters only if the next limit bytes do not close
// the bracket.
func longFlow(data []byte, limit int) (off int, long bool) {
	if len(data) <= limit {
		return 0, false
	}
	depth, openedAt := 0, 0
	valueMayStart := true // A value may start here: only then is a quote or bracket one.
	for i := 0; i < len(data); i++ {
		if depth > 0 && i-openedAt > limit {
			return openedAt, true
		}
		switch c := data[i]; {
		case c == '\n':
			valueMayStart = valueMayStart || depth == 0
		case isBlank(data, i):
		case c == '#' && (i == 0 || isBlank(data, i-1)):
			i = endOf(data, i, "\r\n") - 1
		case valueMayStart && (c == '&' || c == '!'):
			i = endOf(data, i, " \t\r\n") - 1
		case valueMayStart && (c == '"' || c == '\''):
			i = endOfQuoted(data, i) - 1
			valueMayStart = false
		case (c == '[' || c == '{') && (valueMayStart || depth > 0):
			if depth == 0 {
				openedAt = i
			}
			depth++
			valueMayStart = true
		case (c == ']' || c == '}') && depth > 0:
			depth--
			valueMayStart = false
		case depth > 0:
			valueMayStart = c == ',' || c == ':'
		case c == '-':
			valueMayStart = valueMayStart && (isBlank(data, i+1) || data[i+1] == '-')
		default:
			valueMayStart = (c == ':' || c == '?' && valueMayStart) && isBlank(data, i+1)
		}
	}
	return 0, false
}

// isBlank reports whether the byte at i separates tokens, as the end does.
func isBlank(data []byte, i int) bool {
	return i >= len(data) || data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r'
}

// endOf returns the offset of the first of the stop bytes from i on.
func endOf(data []byte, i int, stop string) int {
	if n := bytes.IndexAny(data[i:], stop); n >= 0 {
		return i + n
	}
	return len(data)
}

// endOfQuoted returns the offset past the scalar whose quote opens at i.
func endOfQuoted(data []byte, i int) int {
	quote := data[i]
	for i++; i < len(data); i++ {
		switch {
		case data[i] == '\\' && quote == '"':
			i++
		case data[i] != quote:
		case quote == '\'' && i+1 < len(data) && data[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(data)
}
