package mapfile

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	anyKey     = "keys that are names of something have no pattern"
	families   = "the addresses of one family cannot be counted in a list of both"
)

// beyondSchema lists the samples that Parse refuses and the schema accepts.
var beyondSchema = map[string]string{
	"v01-syntax/two-documents.yaml":                    twoTrees,
	"v01-keys/duplicate.yaml":                          lastWins,
	"v01-keys/duplicate.json":                          lastWins,
	"v01-sites/twice.yaml":                             lastWins,
	"v01-sites/names.yaml":                             anyKey,
	"v02-addresses/duplicate-spelled-differently.yaml": otherForm,
	"v03-names/long.yaml":                              octets,
	"v03-names/unicode.yaml":                           idna,
	"v03-names/outside.yaml":                           otherPlace,
	"v14-marks/twice.yaml":                             otherForm,
	"v16-many/one-too-many.yaml":                       families,
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
		out := make([]any, len(n.children))
		for i := range n.children {
			out[i] = plain(&n.children[i])
		}
		return out
	case kindMap:
		out := make(map[string]any)
		for i := 0; i+1 < len(n.children); i += 2 {
			out[n.children[i].text] = plain(&n.children[i+1])
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
			root, ok, _ := readTree(&Document{Name: s.name, text: &quoter{data: s.data}})
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

// TestSchemaJudgesValuesAsParse takes one value at a time, so that none hides
// behind another.
func TestSchemaJudgesValuesAsParse(t *testing.T) {
	long := strings.Repeat("a", 63)
	schema := compiledSchema(t)
	for format, values := range map[string][]string{
		`{"anycast": [%q]}`: {
			"192.0.2.1", "255.255.255.255", "223.1.1.1", "240.0.0.1", "0.0.0.1", "2001:db8::1", "2001:DB8::A", "ff::1", "::1", "::ffff:1:2:3", "::192.0.2.1", "64:ff9b::192.0.2.1",
			"", "192.0.2", "192.0.2.256", "192.0.2.01", "0.0.0.0", "224.0.0.1", "239.0.0.1", "::", "0:0:0:0:0:0:0:0", "ff02::1", "FF02::1",
			"::ffff:192.0.2.1", "::FFFF:1:2", "0:0:0:0:0:ffff:1:2", "fe80::1%eth0", "192.0.2.1/32", "example.org", "2001:db8::g", "1::2::3",
			"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::3:4:5:6:7:8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1::2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
			"1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5::192.0.2.1", "1:2:3:4:5:6::192.0.2.1", "::1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:7:192.0.2.1", "192.0.2.1::", "::192.0.2.256", "12345::", ":1", "1:", ":::", ":", "1.2.3.4.",
			"::ffff:0:1", "0::ffff:1:2", "0:0:0:0:0:ffff::", "0:0:0:0:0:ffff:1::", "0:0:0:0:0:ffff::1", "0:0:ffff::", "0:0:0:0:0:fffe:1:2", "::ffff:1", "::fff:1:2",
		},
		`{"accounts": [{"id": "a", "prefixes": [%q]}]}`: {
			"192.0.2.0/24", "192.0.2.1/32", "2001:db8::/32", "2001:db8::1/128", "0.0.0.1/32",
			"::ffff:1/128", "::ffff:1:2/128", "192.0.2.0", "192.0/2.0/24", "192.0.2.0/33", "192.0.2.0/024", "256.0.2.0/24", "224.0.0.0/4", "0.0.0.0/0", "::/0", "ff00::/8", "2001:db8::/129", "::ffff:192.0.2.0/120", "a/8",
		},
		`{"accounts": [{"id": "a", "zones": [{"name": "example.org", "proxied": [%q]}]}]}`: {
			"@", "*", "*.a", "www", "_a", "a.example.org", "a.example.org.", long, long + "." + long, `a\.b`, `a\.*.b`, `\255`, "bücher", "a。b", "**", "a*.b",
			"", "a..b", ".a", "..", long + "a", `a\`, `\1`, "a.*", "a.*.b", "*.*",
		},
		`{"accounts": [{"id": "a", "zones": [{"name": %q}]}]}`: {
			"example.org", "Example.ORG.", ".", "org", "bücher.example", "**.example.org",
			"", "@", "*", "*.", "*.example.org", "a.*.example.org", "a..b", long + "a",
		},
		`{"accounts": [{"id": "a", "address_maps": [{"ips": [{"ip": "192.0.2.1", "created_at": %q}]}]}]}`: {"2023-01-02", "", "a\u00a0b", "a\tb", "a\u0085b"},
		`{"accounts": [{"id": "a", "name": %q}]}`:                                                         {"", "Żółć", "a\nb", "\u009b31m"},
		`{"accounts": [{"id": %q}]}`:                                                                      {"a", "", "a\nb", "\u009f"},
	} {
		for _, v := range values {
			data := fmt.Appendf(nil, format, v)
			_, errs := Parse("m.json", data)
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); (err == nil) != (len(errs) == 0) {
				t.Errorf("%s: the schema says %v, Parse %v", data, err, errs)
			}
		}
	}
}

// TestSchemaHasTheKeysOfParse compares each mapping of the schema with the keys
// that Parse knows.
func TestSchemaHasTheKeysOfParse(t *testing.T) {
	type mapping struct {
		Properties           map[string]any
		AdditionalProperties any
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
		"site":        siteKeys,
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
		if got.AdditionalProperties != false {
			t.Errorf("%q: the schema allows unknown keys", name)
		}
		if len(set.keys) > maxKeys {
			t.Errorf("%s has more keys than maxKeys", set.subject)
		}
	}
	for name := range mappings {
		t.Errorf("%q: Parse does not know this mapping", name)
	}
}
