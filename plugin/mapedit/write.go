package mapedit

import (
	"bytes"
	"encoding/json"
	"path"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/addressmap/addressmap/plugin/printable"
)

// mapping is a mapping that is put into a document.
type mapping []field

// field is a key with its value: a string, a bool, a []string or a []mapping.
type field struct {
	key   string
	value any
}

// newDocument returns the text of a document with the zone alone.
func newDocument(name, account string, zone Zone) []byte {
	doc := mapping{{"accounts", []mapping{newAccount(account, zone)}}}
	if path.Ext(name) == ".json" {
		return []byte(flow{json: true, open: true, unit: "  ", br: "\n"}.print(doc, "") + "\n")
	}
	return []byte(block{item: 2, dash: 2, br: "\n"}.fields(doc, 0))
}

// withLineBreak returns a copy of a text that ends with a line.
func withLineBreak(data []byte) []byte {
	text := bytes.Clone(data)
	if at := lineStart(data, len(data)); len(bytes.TrimPrefix(data[at:], []byte("\ufeff"))) > 0 {
		text = append(text, lineBreak(data)...)
	}
	return text
}

// flow is how to write in brackets: in YAML, or in JSON.
type flow struct {
	json   bool
	narrow bool   // no blanks after colons and commas
	open   bool   // each key and item in a line of its own
	unit   string // what an open collection indents its content by
	br     string // the line break of an open collection
}

// print returns the text of a value whose first line is indented by indent.
func (f flow) print(v any, indent string) string {
	switch v := v.(type) {
	case mapping:
		return f.brackets("{", "}", indent, len(v), func(i int, indent string) string { return f.field(v[i], indent) })
	case []mapping:
		return f.brackets("[", "]", indent, len(v), func(i int, indent string) string { return f.print(v[i], indent) })
	case []string:
		f.open = false
		return f.brackets("[", "]", indent, len(v), func(i int, _ string) string { return scalarText(v[i], f.json) })
	}
	return scalarText(v, f.json)
}

func (f flow) field(kv field, indent string) string {
	key, colon := kv.key, ": "
	if f.json {
		key = quoted(key, true)
	}
	if f.narrow {
		colon = ":"
	}
	return key + colon + f.print(kv.value, indent)
}

// brackets returns n parts between brackets.
func (f flow) brackets(left, right, indent string, n int, part func(i int, indent string) string) string {
	first, between, last := "", ", ", ""
	if f.narrow {
		between = ","
	}
	inner := indent
	if f.open && n > 0 {
		inner = indent + f.unit
		first, between, last = f.br+inner, ","+f.br+inner, f.br+indent
	}
	parts := make([]string, n)
	for i := range parts {
		parts[i] = part(i, inner)
	}
	return left + first + strings.Join(parts, between) + last + right
}

// block is how to write in lines.
type block struct {
	item  int    // columns from a list's key to its dashes
	dash  int    // columns from a dash to its item
	flows bool   // items of the list are written in braces
	br    string // the line break
}

// fields returns the lines of fields whose keys stand behind so many columns.
func (b block) fields(fields mapping, indent int) string {
	var out strings.Builder
	for _, f := range fields {
		out.WriteString(strings.Repeat(" ", indent) + f.key + ":")
		if list, ok := f.value.([]mapping); ok {
			out.WriteString(b.br)
			for _, m := range list {
				out.WriteString(b.listItem(m, indent+b.item))
			}
			continue
		}
		out.WriteString(" " + flow{}.print(f.value, "") + b.br)
	}
	return out.String()
}

// listItem returns the lines of an item whose dash stands behind so many columns.
func (b block) listItem(m mapping, indent int) string {
	head := strings.Repeat(" ", indent) + "-" + strings.Repeat(" ", b.dash-1)
	if b.flows {
		return head + flow{}.print(m, "") + b.br
	}
	return head + strings.TrimLeft(b.fields(m, indent+b.dash), " ")
}

// plainText is what needs no quotes in YAML, within brackets too, unless it looks like
// a value of another kind.
var plainText = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./-]*$`)

// scalarText returns the text of a string or a bool.
func scalarText(v any, inJSON bool) string {
	s, ok := v.(string)
	if !ok {
		return strconv.FormatBool(v.(bool))
	}
	if !inJSON && plainText.MatchString(s) {
		// The library knows what YAML 1.1 takes for a number or for true.
		if text, err := yaml.Dump(s); err == nil && strings.TrimSpace(string(text)) == s {
			return s
		}
	}
	return quoted(s, inJSON)
}

// quoted returns s as a string of JSON, or in double quotes of YAML, where characters
// without a form are escaped in another way if they are beyond U+FFFF.
func quoted(s string, inJSON bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // A string can be encoded, and a buffer written to.
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if inJSON {
		return string(printable.JSON(text))
	}
	return string(printable.YAML(text))
}
