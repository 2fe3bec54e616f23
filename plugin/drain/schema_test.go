package drain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// beyondSchema lists the files that Parse refuses and the schema accepts.
var beyondSchema = map[string]string{
	"two-documents.yaml": "a schema sees one document",
}

func compiledSchema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(drain.Schema))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// plain turns YAML into what a JSON reader would have made of it, as editors do: a time is
// text. It reports false for what is no document that can be compared.
func plain(text []byte) (any, bool) {
	var n yaml.Node
	if yaml.Unmarshal(text, &n) != nil || len(n.Content) != 1 {
		return nil, false
	}
	return plainNode(n.Content[0])
}

func plainNode(n *yaml.Node) (any, bool) {
	switch n.Kind {
	case yaml.MappingNode:
		out := make(map[string]any)
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, ok := plainNode(n.Content[i+1])
			if _, twice := out[n.Content[i].Value]; twice || !ok {
				return nil, false
			}
			out[n.Content[i].Value] = v
		}
		return out, true
	case yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			v, ok := plainNode(item)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!null":
			return nil, true
		case "!!bool":
			return n.Value == "true", true
		case "!!int", "!!float":
			return json.Number(n.Value), json.Valid([]byte(n.Value))
		}
		return n.Value, true
	}
	return nil, false // an alias, which Parse refuses
}

// What Parse accepts validates, and what it refuses does not, but for what a schema cannot
// say.
func TestSchema_JudgesAsParse(t *testing.T) {
	schema, known := compiledSchema(t), maps.Clone(beyondSchema)
	for _, archive := range []string{"good", "refused"} {
		all, _ := files(t, archive)
		for _, f := range all {
			value, ok := plain(f.Data)
			if !ok {
				continue
			}
			err := schema.Validate(value)
			_, beyond := known[f.Name]
			delete(known, f.Name)
			switch {
			case archive == "good" && err != nil:
				t.Errorf("%s: Parse accepts it, the schema does not: %v", f.Name, err)
			case archive == "refused" && (err == nil) != beyond:
				t.Errorf("%s: Parse refuses it, the schema says %v, beyond it: %t", f.Name, err, beyond)
			}
		}
	}
	for name := range known {
		t.Errorf("beyondSchema lists %s, which is no file", name)
	}
}

// One value at a time, so that none hides behind another.
func TestSchema_JudgesValuesAsParse(t *testing.T) {
	schema := compiledSchema(t)
	for format, values := range map[string][]string{
		`{"drains": [{"addresses": [%s], "reason": "x", "until": "2026-11-29T04:14:00Z"}]}`: {
			"192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "0.0.0.0/31", "::/0", "::/127", "2001:db8::1", "2001:db8::/32", "2001:db8::1/128",
			"", "x", "0.0.0.0", "0.0.0.0/32", "::", "::/128", "224.0.0.1", "224.0.0.0/4", "255.255.255.255/32", "ff00::/8", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/", "::ffff:192.0.2.1", "::ffff:192.0.2.0/120", "192.0.2.0/024", "/24",
		},
		`{"drains": [{"site": "a", "reason": "x", "until": %s}]}`: {
			"2026-11-29T04:14:00Z", "2026-11-29T04:14:00+01:00", "2026-11-29T04:14:00-23:59", "2026-11-29T04:14:00.123Z", "2026-11-29T04:14:00,5Z", "2026-11-29T4:14:00Z",
			"", "now", "2026-11-29", "2026-11-29T04:14Z", "2026-11-29 04:14:00Z", "2026-11-29T04:14:00", "2026-13-29T04:14:00Z", "2026-11-32T04:14:00Z", "2026-11-29T24:14:00Z", "2026-11-29T04:60:00Z", "2026-11-29T04:14:60Z", "2026-11-29t04:14:00z", "2026-11-29T04:14:00+25:00",
		},
		`{"drains": [{"map": %s, "reason": "x", "until": "2026-11-29T04:14:00Z"}]}`:             {"a", "Żółć", "", "a\nb", "\u009f"},
		`{"drains": [{"site": "a", "reason": "x", "by": %s, "until": "2026-11-29T04:14:00Z"}]}`: {"ana", "", "a\tb"},
	} {
		for _, v := range values {
			text := fmt.Appendf(nil, format, jsonString(v))
			_, errs := drain.Parse("d.json", text)
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); (err == nil) != (len(errs) == 0) {
				t.Errorf("%s: the schema says %v, Parse %v", text, err, errs)
			}
		}
	}
}

func jsonString(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return strconv.Quote(s)
	}
	return string(text)
}

// What both schemas define under one name is the same.
func TestSchema_SameAsOfMaps(t *testing.T) {
	defs := func(schema []byte) (out struct {
		Defs map[string]any `json:"$defs"`
	}) {
		if err := json.Unmarshal(schema, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	shared := 0
	ofMaps := defs(mapfile.Schema).Defs
	for name, def := range defs(drain.Schema).Defs {
		switch of, is := ofMaps[name]; {
		case name == "prefix" || !is: // A prefix of an account is an object there.
		case !reflect.DeepEqual(def, of):
			t.Errorf("%s is not what it is in the schema of maps", name)
		default:
			shared++
		}
	}
	if shared != 2 {
		t.Errorf("%d definitions are shared, want address and text", shared)
	}
}
