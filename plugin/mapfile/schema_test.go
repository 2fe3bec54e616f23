package mapfile

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a schema cannot say about a document.
const (
	twoTrees   = "a schema sees one document"
	lastWins   = "a schema sees one of two keys of the same name"
	otherPlace = "depends on what stands at another place"
	otherForm  = "the same value in another form"
	octets     = "octets of a name in the DNS cannot be counted in its text"
	idna       = "the rules of internationalized names are too many for a pattern"
)

// beyondSchema lists the samples that Parse refuses and the schema accepts.
var beyondSchema = map[string]string{
	"v01-syntax/two-documents.yaml":                    twoTrees,
	"v01-keys/duplicate.yaml":                          lastWins,
	"v01-keys/duplicate.json":                          lastWins,
	"v02-addresses/duplicate-spelled-differently.yaml": otherForm,
	"v03-names/long.yaml":                              octets,
	"v03-names/unicode.yaml":                           idna,
	"v03-names/outside.yaml":                           otherPlace,
	"v14-marks/twice.yaml":                             otherForm,
}

// compiledSchema checks Schema itself on the way.
func compiledSchema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// plain turns a node into what a JSON reader would have made of it.
func plain(n *node) any {
	switch n.kind {
	case kindNull:
		return nil
	case kindBool:
		return strings.EqualFold(n.text, "true")
	case kindNumber:
		if json.Valid([]byte(n.text)) {
			return json.Number(n.text)
		}
		return n.text // A date, or a number of YAML's own.
	case kindList:
		out := make([]any, len(n.kids))
		for i := range n.kids {
			out[i] = plain(&n.kids[i])
		}
		return out
	case kindMap:
		out := make(map[string]any)
		for i := 0; i+1 < len(n.kids); i += 2 {
			out[n.kids[i].text] = plain(&n.kids[i+1])
		}
		return out
	}
	return n.text
}

// TestSchemaJudgesAsParse: what Parse accepts validates, and what it refuses
// does not, but for what a schema cannot say.
func TestSchemaJudgesAsParse(t *testing.T) {
	schema := compiledSchema(t)
	known := maps.Clone(beyondSchema)
	for _, s := range allSamples(t) {
		t.Run(s.key(), func(t *testing.T) {
			root, ok, _ := read(&Document{Name: s.name, text: &quoter{data: s.data}})
			if !ok {
				return // The text cannot be read at all.
			}
			err := schema.Validate(plain(&root))
			reason, beyond := known[s.key()]
			delete(known, s.key())
			switch {
			case s.errors == "" && err != nil:
				t.Errorf("Parse accepts it, the schema does not: %v", err)
			case s.errors != "" && err == nil && !beyond:
				t.Error("Parse refuses it, the schema does not")
			case err != nil && beyond:
				t.Errorf("the schema can judge it after all, not %q", reason)
			}
		})
	}
	for key := range known {
		t.Errorf("beyondSchema lists %s, which is no sample", key)
	}
}

// TestSchemaHasTheKeysOfParse compares each mapping of the schema with the keys
// that Parse knows.
func TestSchemaHasTheKeysOfParse(t *testing.T) {
	type mapping struct {
		Properties           map[string]any
		AdditionalProperties *bool
	}
	var schema struct {
		mapping
		Defs map[string]mapping `json:"$defs"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	mappings := map[string]mapping{"": schema.mapping}
	for name, def := range schema.Defs {
		if def.Properties != nil {
			mappings[name] = def
		}
	}
	for name, set := range map[string]keySet{
		"":            documentKeys,
		"account":     accountKeys,
		"prefix":      prefixKeys,
		"zone":        zoneKeys,
		"mark":        markKeys,
		"addressMap":  addressMapKeys,
		"ip":          ipKeys,
		"membership":  memberKeys,
		"spectrumApp": spectrumKeys,
		"spectrumDNS": dnsKeys,
		"edgeIPs":     edgeKeys,
	} {
		got := mappings[name]
		delete(mappings, name)
		if want := slices.Sorted(slices.Values(set.keys)); !slices.Equal(slices.Sorted(maps.Keys(got.Properties)), want) {
			t.Errorf("%q: the schema knows %v, Parse %v", name, slices.Sorted(maps.Keys(got.Properties)), want)
		}
		if got.AdditionalProperties == nil || *got.AdditionalProperties {
			t.Errorf("%q: the schema allows unknown keys", name)
		}
		if len(set.keys) > maxKeys {
			t.Errorf("%s has more keys than maxKeys", set.what)
		}
	}
	for name := range mappings {
		t.Errorf("%q: Parse does not know this mapping", name)
	}
}
