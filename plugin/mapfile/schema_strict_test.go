package mapfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// strictKeywords are the keywords of draft 2020-12 that the schema may use, with the
// type of value that each is about, "" for any. Strict mode of the validator ajv, which
// editors and pipelines use, refuses unknown keywords and formats that no plugin brings:
// "format" is left out for that, and so are the keywords for messages that editors know.
var strictKeywords = map[string]string{
	"$schema": "", "$id": "", "$comment": "", "$defs": "", "$ref": "",
	"title": "", "description": "", "default": "",
	"type": "", "const": "", "enum": "",
	"if": "", "then": "", "else": "", "not": "", "allOf": "", "anyOf": "",
	"properties": "object", "required": "object", "additionalProperties": "object",
	"items": "array", "uniqueItems": "array", "minItems": "array",
	"pattern": "string", "minLength": "string",
}

// TestSchema_IsStrict: ajv takes the schema with its option strict, and all patterns
// that a value must match have a description, which is the message of this schema. So it is
// with the schema of drains.
func TestSchema_IsStrict(t *testing.T) {
	drains, err := os.ReadFile("../drain/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, schema := range [][]byte{Schema, drains} {
		for _, wrong := range looseIn(t, schema) {
			t.Error(wrong)
		}
	}
}

func TestSchema_IsStrictCanFail(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type": "string", "minLength": 1}`:                                              "",
		`{"errorMessage": "x"}`:                                                           "#: unknown keyword errorMessage",
		`{"type": "string", "format": "ipv4"}`:                                            "#: unknown keyword format",
		`{"type": ["string", "number"]}`:                                                  "#: union of types",
		`{"type": ["number", "null"]}`:                                                    "",
		`{"minItems": 1}`:                                                                 "#: minItems without type array",
		`{"type": "object", "anyOf": [{"type": "array"}]}`:                                "#/anyOf/0: type array within type object",
		`{"type": "object", "not": {"properties": {"a": {"minLength": 1}}}}`:              "#/not/properties/a: minLength without type string",
		`{"type": "object", "required": ["a"]}`:                                           "#: required a is no property",
		`{"type": "object", "properties": {"a": true}, "anyOf": [{"required": ["a"]}]}`:   "#/anyOf/0: required a is no property",
		`{"if": {"type": "null"}}`:                                                        "#: if without then and else",
		`{"else": {"type": "null"}}`:                                                      "#: then or else without if",
		`{"type": "string", "pattern": "a"}`:                                              "#: pattern without description",
		`{"type": "string", "not": {"pattern": "a"}}`:                                     "",
		`{"type": "string", "description": "a", "pattern": "\\-"}`:                        `#: pattern "\\-" escapes what needs no escape`,
		`{"anyOf": [{"default": 1}]}`:                                                     "#/anyOf/0: default that is ignored",
		`{"$defs": {"a": {"items": true}}, "$ref": "#/$defs/a"}`:                          "#/$defs/a: items without type array",
		`{"$ref": "#/$defs/b"}`:                                                           "#: $ref to #/$defs/b, which is not there",
		`{"type": "array", "items": {"type": "object", "properties": {"a": {"x": 1}}}}`:   "#/items/properties/a: unknown keyword x",
		`{"type": "object", "properties": {"a": {"default": 1}}, "required": ["a", "a"]}`: "",
	} {
		if got := strings.Join(looseIn(t, []byte(schema)), "\n"); got != want {
			t.Errorf("%s: want %q, got %q", schema, want, got)
		}
	}
}

// TestSchema_Version: the id has the version of the document, which the schema knows.
func TestSchema_Version(t *testing.T) {
	var s struct {
		ID         string `json:"$id"`
		Comment    string `json:"$comment"`
		Properties struct {
			Version struct{ Const int }
		}
	}
	if err := json.Unmarshal(Schema, &s); err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`/map-((\d+)\.\d+)\.json$`).FindStringSubmatch(s.ID)
	if version == nil || version[2] != fmt.Sprint(s.Properties.Version.Const) {
		t.Fatalf("id %q is not that of a schema for version %d", s.ID, s.Properties.Version.Const)
	}
	if !strings.HasPrefix(s.Comment, "Version "+version[1]+" ") {
		t.Errorf("the comment tells another version than %s: %s", version[1], s.Comment)
	}
}

// looseIn returns what strict mode would refuse of a schema.
func looseIn(t *testing.T, text []byte) []string {
	t.Helper()
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	w := &strictWalker{root: root.(map[string]any)}
	w.schema("#", root, nil, true)
	return w.wrong
}

// strictWalker walks a schema as ajv compiles it.
type strictWalker struct {
	root  map[string]any
	wrong []string
}

func (w *strictWalker) refuse(path, format string, args ...any) {
	w.wrong = append(w.wrong, path+": "+fmt.Sprintf(format, args...))
}

// schema walks one schema. Types are those that schemas around it allow for the same
// value, nil for all. Message says whether a value that does not match is a mistake.
func (w *strictWalker) schema(path string, s any, types []string, message bool) {
	m, ok := s.(map[string]any)
	if !ok {
		return // true or false
	}
	types = w.types(path, m, types)
	for _, keyword := range slices.Sorted(maps.Keys(m)) {
		about, known := strictKeywords[keyword]
		switch {
		case !known:
			w.refuse(path, "unknown keyword %s", keyword)
		case about != "" && !slices.Contains(types, about):
			w.refuse(path, "%s without type %s", keyword, about)
		}
	}
	w.keywords(path, m, message)
	for _, keyword := range []string{"if", "then", "else", "not"} {
		if sub, ok := m[keyword]; ok {
			w.schema(path+"/"+keyword, sub, types, message && keyword != "not" && keyword != "if")
		}
	}
	for _, keyword := range []string{"allOf", "anyOf"} {
		list, _ := m[keyword].([]any)
		for i, sub := range list {
			w.schema(fmt.Sprintf("%s/%s/%d", path, keyword, i), sub, types, message)
		}
	}
	if items, ok := m["items"]; ok {
		w.schema(path+"/items", items, nil, message)
	}
	for _, keyword := range []string{"properties", "$defs"} {
		subs, _ := m[keyword].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(subs)) {
			w.schema(path+"/"+keyword+"/"+name, subs[name], nil, message)
		}
	}
}

// types returns the types that a schema allows, in a context.
func (w *strictWalker) types(path string, m map[string]any, context []string) []string {
	var own []string
	switch t := m["type"].(type) {
	case string:
		own = []string{t}
	case []any:
		for _, one := range t {
			own = append(own, one.(string))
		}
	default:
		return context
	}
	if len(own) > 2 || len(own) == 2 && !slices.Contains(own, "null") {
		w.refuse(path, "union of types")
	}
	for _, one := range own {
		if context != nil && !slices.Contains(context, one) {
			w.refuse(path, "type %s within type %s", one, strings.Join(context, ", "))
		}
	}
	return own
}

// keywords checks the keywords of one schema that depend on each other.
func (w *strictWalker) keywords(path string, m map[string]any, message bool) {
	has := func(keyword string) bool { _, ok := m[keyword]; return ok }
	properties, _ := m["properties"].(map[string]any)
	required, _ := m["required"].([]any)
	for _, name := range required {
		if _, ok := properties[name.(string)]; !ok {
			w.refuse(path, "required %v is no property", name)
		}
	}
	if has("if") && !has("then") && !has("else") {
		w.refuse(path, "if without then and else")
	}
	if (has("then") || has("else")) && !has("if") {
		w.refuse(path, "then or else without if")
	}
	if ref, ok := m["$ref"].(string); ok {
		defs, _ := w.root["$defs"].(map[string]any)
		if _, ok := defs[strings.TrimPrefix(ref, "#/$defs/")]; !ok {
			w.refuse(path, "$ref to %s, which is not there", ref)
		}
	}
	if has("default") && !regexp.MustCompile(`/properties/[^/]+$`).MatchString(path) {
		w.refuse(path, "default that is ignored")
	}
	if pattern, ok := m["pattern"].(string); ok {
		if message && !has("description") {
			w.refuse(path, "pattern without description")
		}
		// With the flag u of ECMA-262, an escape is of a special character or a class.
		for _, escape := range regexp.MustCompile(`\\.`).FindAllString(pattern, -1) {
			if !strings.Contains(`^$\.*+?()[]{}|/dDsSwWbBtnrvf0ux`, escape[1:]) {
				w.refuse(path, "pattern %q escapes what needs no escape", pattern)
			}
		}
	}
}
