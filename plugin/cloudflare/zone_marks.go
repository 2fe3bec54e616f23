package cloudflare

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/addressmap/addressmap/plugin/zonefile"
)

const (
	proxiedTag = "cf-proxied"
	tagsPrefix = "cf_tags="
)

// A nearMark is what its author takes for a mark: the tag outside of tags, or with an
// underscore in its name.
var (
	nearMark = regexp.MustCompile(`(?i)\bcf[-_]proxied["']?\s*[:=]\s*["']?(true|false)\b`)
	markWord = regexp.MustCompile(`(?i)cf[-_]proxied`)
	// nearWord may be a word of the author's own: nobody but the author knows.
	nearWord = regexp.MustCompile(`(?i)\bproxied\b`)
)

// readNearMark takes a near mark of an unmarked record for the mark that it was to be.
// Of several, the one that hides the address counts.
func (r *Record) readNearMark(comments []zonefile.Comment) {
	var values []string
	spoken := false
	for _, c := range comments {
		if at := strings.LastIndex(c.Text, tagsPrefix); at >= 0 {
			spoken = spoken || nearWord.MatchString(c.Text[:at])
			continue
		}
		spoken = spoken || markWord.MatchString(c.Text) || nearWord.MatchString(c.Text)
		for _, m := range nearMark.FindAllStringSubmatch(c.Text, -1) {
			values = append(values, strings.ToLower(m[1]))
		}
	}
	for _, t := range r.Tags() {
		spoken = spoken || strings.EqualFold(t.Name, "proxied")
		if markWord.FindString(t.Name) == t.Name {
			spoken = true
			values = append(values, strings.ToLower(t.Value))
		}
	}
	value := "false"
	switch {
	case slices.Contains(values, "true"):
		value, r.mark = "true", zonefile.Proxied
	case slices.Contains(values, "false"):
		r.mark = zonefile.Unproxied
	case spoken:
		r.note(Change{Kind: Review, Text: typeOf(r) + ": the comment has the word proxied, and is no mark",
			Remedy: fmt.Sprintf("write %s%s:true or %[1]s%[2]s:false", tagsPrefix, proxiedTag), Group: "comments have the word proxied, and are no marks"})
		return
	default:
		return
	}
	r.addTag(zonefile.Tag{Name: proxiedTag, Value: value})
	r.note(Change{Kind: Changed, Text: fmt.Sprintf("%s: the comment was read as the mark %s:%s", typeOf(r), proxiedTag, value),
		Group: "comments were read as marks, which they nearly are"})
}

// joinComments makes one comment of those behind the lines of a record: the free text of
// each, and the tags of all.
func joinComments(comments []zonefile.Comment, tags [][]zonefile.Tag) string {
	if len(comments) == 1 {
		return comments[0].Text
	}
	var r Record
	for i, c := range comments {
		text := c.Text
		if len(tags[i]) > 0 {
			text = text[:strings.LastIndex(text, tagsPrefix)]
		}
		if text = strings.Trim(text, "; \t"); text != "" {
			r.Comment += " " + text
		}
	}
	if r.Comment != "" {
		r.Comment = ";" + r.Comment
		if strings.Contains(r.Comment, tagsPrefix) {
			r.Comment += " " + tagsPrefix // The tags behind the last prefix count: none so far.
		}
	}
	for _, list := range tags {
		for _, t := range list {
			r.addTag(t)
		}
	}
	return r.Comment
}

// addTag adds a tag to the comment of a record.
func (r *Record) addTag(t zonefile.Tag) {
	text := t.Name
	if value := t.Value; value != "" {
		if strings.ContainsAny(value, `"=,\ `) {
			quoted, _ := json.Marshal(value) // Marshal does not fail for a string.
			value = string(quoted)
		}
		text += ":" + value
	}
	switch {
	case strings.HasSuffix(r.Comment, " "+tagsPrefix):
		r.Comment += text
	case len(r.Tags()) > 0:
		r.Comment += "," + text
	case r.Comment == "":
		r.Comment = "; " + tagsPrefix + text
	default:
		r.Comment += " " + tagsPrefix + text
	}
}

// graphic returns a comment in which characters without a form, which may steer a terminal
// or the order in which it shows others, are replaced: the zone file is shown, too. An
// escape would need a backslash, which the tags of a comment may not have.
func graphic(comment string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsGraphic(r) {
			return utf8.RuneError
		}
		return r
	}, comment)
}
