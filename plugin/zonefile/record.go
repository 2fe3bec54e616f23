package zonefile

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// record is the text of one record, or of a $GENERATE line, which makes many records.
type record struct {
	text []byte // the lines of the record: several if it has parentheses
	line int32  // the number of the first line
	read bool   // mark is known
	mark Mark
}

// recordLines cuts the text up to the end of a record to the lines of the record
// itself. A comment on a line of its own is no mark, and neither is a comment after a
// directive.
func recordLines(text []byte, line int32) record {
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

// inheritsOwner reports whether the record names no owner, and so has the owner of the
// record above.
func (r *record) inheritsOwner() bool { return r.text[0] == ' ' || r.text[0] == '\t' }

// markOfText returns the mark in the comments of a record. A record of several lines
// has a comment on each; one comment with true is enough. almost says that a comment
// without tags has the name of the mark's tag in it, or that a tag has nearly its name.
// The Line of an error counts from 0.
func markOfText(text []byte) (mark Mark, almost bool, err *Error) {
	if bytes.IndexByte(text, ';') < 0 {
		return Unmarked, false, nil
	}
	for n := int32(0); len(text) > 0; n++ {
		line := firstLine(text)
		text = text[len(line):]
		c := commentOf(line)
		if !bytes.Contains(c, []byte(tagsPrefix)) {
			c = bytes.ToLower(c)
			almost = almost || bytes.Contains(c, []byte(proxiedTag)) || bytes.Contains(c, []byte(misspeltTag))
			continue
		}
		tags, err := readTags(string(c))
		var m Mark
		if err == nil {
			m, err = MarkOf(tags)
			almost = almost || slices.ContainsFunc(tags, func(t Tag) bool { return strings.EqualFold(t.Name, misspeltTag) })
		}
		if err != nil {
			err.Line, err.Col = n, columnOfTags(line)
			return mark, almost, err
		}
		mark = max(mark, m)
	}
	return mark, almost, nil
}

// columnOfTags returns the column in which the tags of a line stand, in characters.
func columnOfTags(line []byte) int32 {
	return int32(utf8.RuneCount(line[:bytes.LastIndex(line, []byte(tagsPrefix))]) + 1)
}

// commentOf returns the comment at the end of a line with its semicolon. The line
// belongs to a record of a type without quoted strings, so that every semicolon without
// a backslash before it begins a comment.
func commentOf(line []byte) []byte {
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
