package zonefile

import (
	"bytes"
	"unicode/utf8"
)

// record is the text of one record, or of the $GENERATE line that stands for
// many.
type record struct {
	text []byte // its lines: more than one if it has parentheses
	line int32  // the number of the first
	read bool   // mark is known
	mark Mark
}

// ownLines cuts what was read up to the end of a record to the lines of the
// record itself. A comment on a line of its own is no mark, nor is one after a
// directive.
func ownLines(text []byte, line int32) record {
	for {
		first := firstLine(text)
		if len(first) == len(text) || !isBlank(first) && !isDirective(first) {
			return record{text: text, line: line}
		}
		text = text[len(first):]
		line++
	}
}

// isDirective reports whether a line is a directive that makes no record.
func isDirective(line []byte) bool {
	if line[0] != '$' {
		return false
	}
	word := line
	if i := bytes.IndexAny(line, " \t"); i >= 0 {
		word = line[:i]
	}
	return bytes.EqualFold(word, []byte("$TTL")) || bytes.EqualFold(word, []byte("$ORIGIN"))
}

// inherits reports whether the record names no owner: it has the one of the
// record above.
func (r *record) inherits() bool { return r.text[0] == ' ' || r.text[0] == '\t' }

// markOf returns the mark in the comments of a record. One over several lines
// has a comment on each; that one of them says true is enough. near tells of a
// comment that has no tags and yet speaks of the tag. The Line of an error counts
// from 0.
func markOf(text []byte) (mark Mark, near bool, err *Error) {
	if bytes.IndexByte(text, ';') < 0 {
		return Unmarked, false, nil
	}
	for n := int32(0); len(text) > 0; n++ {
		line := firstLine(text)
		text = text[len(line):]
		c := comment(line)
		if !bytes.Contains(c, []byte(keyword)) {
			near = near || bytes.Contains(bytes.ToLower(c), []byte(proxiedTag))
			continue
		}
		tags, err := readTags(string(c))
		var m Mark
		if err == nil {
			m, err = markIn(tags)
		}
		if err != nil {
			err.Line, err.Col = n, columnOfTags(line)
			return mark, near, err
		}
		mark = max(mark, m)
	}
	return mark, near, nil
}

// columnOfTags returns the column in which the tags of a line stand, in characters.
func columnOfTags(line []byte) int32 {
	return int32(utf8.RuneCount(line[:bytes.LastIndex(line, []byte(keyword))]) + 1)
}

// comment returns the comment at the end of a line with its semicolon. The line
// belongs to a record of a type that takes no quoted strings, so that a
// semicolon can only be a part of the record by a backslash before it.
func comment(line []byte) []byte {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ';':
			return line[i:]
		}
	}
	return nil
}
