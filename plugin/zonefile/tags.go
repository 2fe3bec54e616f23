package zonefile

import (
	"encoding/json"
	"strings"
)

const (
	tagsPrefix  = "cf_tags="   // stands before the tags of a comment
	proxiedTag  = "cf-proxied" // the tag that is a mark
	misspeltTag = "cf_proxied" // a tag that its author takes for a mark

	markRemedy = "write " + proxiedTag + ":true or " + proxiedTag + ":false"
)

// Tag is one tag of a comment, as spelled there. Names that differ in case alone are
// the same tag. Value is empty if the tag has none.
type Tag struct {
	Name, Value string
}

// Tags returns the tags of a record's comment: the list after the last "cf_tags=" in
// the comment. A "cf_tags=" inside a quoted value is part of that value. An error is
// of type [*Error].
func Tags(comment string) ([]Tag, error) {
	tags, err := readTags(comment)
	if err != nil { // A nil *Error in the interface would be an error.
		return nil, err
	}
	return tags, nil
}

// readTags tries each "cf_tags=" from the last one backwards. A list of tags has equals
// signs in quotes only, so that at most one "cf_tags=" begins a list that can be read
// to its end.
func readTags(comment string) ([]Tag, *Error) {
	var last *Error
	for rest := comment; ; {
		i := strings.LastIndex(rest, tagsPrefix)
		if i < 0 {
			return nil, last
		}
		tags, err := readList(comment[i+len(tagsPrefix):])
		if err == nil {
			return tags, nil
		}
		if last == nil {
			last = err
		}
		rest = comment[:i]
	}
}

// readList reads tags up to the end of s. Spaces around names and values, and empty
// tags between commas, are ignored.
func readList(s string) ([]Tag, *Error) {
	var tags []Tag
	for s = strings.TrimSpace(s); s != ""; {
		end := strings.IndexAny(s, ":,")
		if end < 0 {
			end = len(s)
		}
		tag := Tag{Name: strings.TrimSpace(s[:end])}
		named, valued := tag.Name != "", strings.HasPrefix(s[end:], ":")
		if !named && valued || !isTagName(tag.Name) {
			return nil, &Error{Text: "no tag name where one belongs",
				Remedy: "write letters, digits, _ and -, and after them a colon and the value, or a comma and the next tag"}
		}
		s = s[end:]
		if valued {
			var err *Error
			if tag.Value, s, err = readValue(strings.TrimSpace(s[1:])); err != nil {
				return nil, err
			}
		}
		s = strings.TrimSpace(strings.TrimPrefix(s, ","))
		if named {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

// readValue reads the value at the head of s, which ends at a comma or with s.
func readValue(s string) (value, rest string, err *Error) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s, ',')
		if end < 0 {
			end = len(s)
		}
		value = strings.TrimSpace(s[:end])
		if strings.ContainsAny(value, `"=\`) {
			return "", "", &Error{Text: `the value of a tag holds one of " = \ outside quotes`,
				Remedy: "write it as a JSON string in double quotes"}
		}
		return value, s[end:], nil
	}
	end := endOfString(s)
	if json.Unmarshal([]byte(s[:end]), &value) != nil {
		return "", "", &Error{Text: "the value of a tag is no JSON string",
			Remedy: `close it with a double quote, and write \" and \\ inside it`}
	}
	rest = strings.TrimSpace(s[end:])
	if rest != "" && rest[0] != ',' {
		return "", "", &Error{Text: "text after the quoted value of a tag",
			Remedy: "write a comma and the next tag"}
	}
	return value, rest, nil
}

// endOfString returns the length of the quoted string at the head of s, and the length
// of s if no quote closes the string.
func endOfString(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// isTagName reports whether all characters of s are legal in a tag name. Free text
// behind the tags, a misplaced equals sign or a missing comma become part of a name,
// which isTagName then refuses.
func isTagName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if (c < '0' || c > '9') && c != '_' && c != '-' {
				return false
			}
		}
	}
	return true
}

// MarkOf returns the mark among the tags of one record. Of several marks the one that
// hides the address counts. A value that is neither true nor false is refused.
func MarkOf(tags []Tag) (Mark, *Error) {
	mark := Unmarked
	for _, tag := range tags {
		if !strings.EqualFold(tag.Name, proxiedTag) {
			continue
		}
		switch strings.ToLower(tag.Value) {
		case "true":
			mark = Proxied
		case "false":
			mark = max(mark, Unproxied)
		case "":
			return mark, &Error{Text: "tag " + proxiedTag + " has no value", Remedy: markRemedy}
		default:
			return mark, &Error{Text: "tag " + proxiedTag + " has a value that is neither true nor false", Remedy: markRemedy}
		}
	}
	return mark, nil
}
