package mapfile

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestJSONAndYAMLAreOneFormat: the same data in either form gives the same
// document and the same complaints, places aside.
func TestJSONAndYAMLAreOneFormat(t *testing.T) {
	accepted := 0
	for seed := range uint64(500) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 2)), noise: float64(seed%4) * 0.01}
		tree := g.document()
		asJSON := writeJSON(nil, &tree)
		asYAML, err := yaml.Dump(yamlNode(&tree))
		if err != nil {
			t.Fatal(err)
		}
		if looksLikeJSON(asYAML) {
			t.Fatalf("seed %d: no YAML in block style: %s", seed, asYAML)
		}
		fromJSON, jsonErrs := Parse("map", asJSON)
		fromYAML, yamlErrs := Parse("map", asYAML)
		if j, y := withoutPlaces(jsonErrs), withoutPlaces(yamlErrs); !reflect.DeepEqual(j, y) {
			t.Fatalf("seed %d:\n%s\nJSON: %q\nYAML: %q", seed, asJSON, j, y)
		}
		if len(jsonErrs) == 0 {
			accepted++
		}
		fromJSON.text, fromYAML.text = nil, nil
		forgetPlaces(reflect.ValueOf(fromJSON))
		forgetPlaces(reflect.ValueOf(fromYAML))
		if !reflect.DeepEqual(fromJSON, fromYAML) {
			t.Fatalf("seed %d:\n%s\n%s\nJSON: %+v\nYAML: %+v", seed, asJSON, asYAML, fromJSON, fromYAML)
		}
	}
	if accepted < 100 || accepted > 400 {
		t.Errorf("%d of 500 documents are accepted: the generator is out of balance", accepted)
	}
}

var inLine = regexp.MustCompile(`in line \d+`)

func withoutPlaces(errs Errors) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Rule+": "+inLine.ReplaceAllString(e.Text, "in line N"))
	}
	slices.Sort(out) // In YAML a mapping and its first key have one place.
	return out
}

// forgetPlaces sets every Pos in v to zero.
func forgetPlaces(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		forgetPlaces(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			forgetPlaces(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Pos]() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				forgetPlaces(v.Field(i))
			}
		}
	}
}

// writeJSON appends n, keys in their order and twice if they stand twice.
func writeJSON(out []byte, n *node) []byte {
	switch n.kind {
	case kindText:
		text, err := json.Marshal(n.text)
		if err != nil {
			panic(err)
		}
		return append(out, text...)
	case kindList:
		out = append(out, '[')
		for i := range n.children {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = writeJSON(out, &n.children[i])
		}
		return append(out, ']')
	case kindMap:
		out = append(out, '{')
		for i := range n.children {
			if i > 0 {
				out = append(out, [2]string{",\n", ": "}[i%2]...)
			}
			out = writeJSON(out, &n.children[i])
		}
		return append(out, '}')
	}
	return append(out, n.text...)
}

// yamlNode turns n into the library's form, which then writes it as it likes.
func yamlNode(n *node) *yaml.Node {
	out := &yaml.Node{Kind: yaml.ScalarNode, Value: n.text}
	switch n.kind {
	case kindNull:
		out.Tag = "!!null"
	case kindBool:
		out.Tag = "!!bool"
	case kindNumber:
		out.Tag = "!!int"
	case kindText:
		out.Tag = "!!str"
	case kindList:
		out.Kind, out.Tag = yaml.SequenceNode, "!!seq"
	case kindMap:
		out.Kind, out.Tag = yaml.MappingNode, "!!map"
	}
	for i := range n.children {
		out.Content = append(out.Content, yamlNode(&n.children[i]))
	}
	return out
}

// generator makes documents, with mistakes in a share of noise of their values.
type generator struct {
	*rand.Rand
	noise float64
}

func (g *generator) chance(p float64) bool { return g.Float64() < p }

func (g *generator) pick(words ...string) node {
	return node{kind: kindText, text: words[g.IntN(len(words))]}
}

func (g *generator) flag() node {
	return node{kind: kindBool, text: [2]string{"true", "false"}[g.IntN(2)]}
}

// list makes up to most items; item is called with the number of each.
func (g *generator) list(most int, item func(i int) node) node {
	n := node{kind: kindList}
	for i := range g.IntN(most + 1) {
		n.children = append(n.children, g.spoil(item(i)))
	}
	return n
}

// mapping makes one of keys and values; a value that is absent is left out, as
// is at times one whose key starts with "?".
func (g *generator) mapping(entries ...any) node {
	n := node{kind: kindMap}
	for i := 0; i < len(entries); i += 2 {
		key := entries[i].(string)
		if key[0] == '?' {
			if key = key[1:]; g.chance(0.5) {
				continue
			}
		}
		if g.chance(g.noise) {
			key += "s"
		}
		n.children = append(n.children, node{kind: kindText, text: key}, g.spoil(entries[i+1].(node)))
		if g.chance(g.noise / 4) {
			n.children = append(n.children, node{kind: kindText, text: key}, g.spoil(entries[i+1].(node)))
		}
	}
	return n
}

// spoil replaces a value by one that is wrong nearly everywhere.
func (g *generator) spoil(n node) node {
	if !g.chance(g.noise) {
		return n
	}
	return []node{
		{kind: kindNull, text: "null"},
		{kind: kindBool, text: "true"},
		{kind: kindNumber, text: "12"},
		{kind: kindText, text: ""},
		{kind: kindText, text: "1e3"},
		{kind: kindText, text: "a..b: \u2028 #\t\"'\\\n☃"},
		{kind: kindText, text: "224.0.0.1"},
		{kind: kindList},
		{kind: kindList, children: []node{{kind: kindText, text: "x"}}},
		{kind: kindMap},
		{kind: kindMap, children: []node{{kind: kindText, text: "name"}, {kind: kindText, text: "x"}}},
	}[g.IntN(11)]
}

func (g *generator) document() node {
	return g.mapping(
		"?version", node{kind: kindNumber, text: "1"},
		"?anycast", g.list(3, g.addr),
		"accounts", g.list(3, g.account))
}

func (g *generator) addr(i int) node {
	digit := string(rune('1' + i))
	return g.pick("192.0.2."+digit, "2001:db8::"+digit)
}

func (g *generator) apiAddr(i int) node {
	if g.chance(0.5) {
		return g.addr(i)
	}
	return g.mapping("ip", g.addr(i), "?created_at", g.pick("2023-01-02T05:20:00.12345Z", "2023-01-02"))
}

func (g *generator) prefix(i int) node {
	digit := string(rune('1' + i))
	return g.pick("192.0."+digit+".0/24", "2001:db8:"+digit+"::/48")
}

func (g *generator) account(i int) node {
	return g.mapping(
		"id", g.pick("acme", "1e3", "123", "~", "true", "0x10"),
		"?name", g.pick("Acme Corp.", "", "A: B # c"),
		"?byoip_only", g.flag(),
		"?prefixes", g.list(3, func(i int) node {
			if g.chance(0.5) {
				return g.prefix(i)
			}
			return g.mapping("cidr", g.prefix(i), "?advertised", g.flag())
		}),
		"?delegated_prefixes", g.list(2, g.prefix),
		"?static_ips", g.list(2, g.addr),
		"zones", node{kind: kindList, children: []node{g.zone(0), g.zone(1)}},
		"?address_maps", g.list(2, g.addressMap),
		"?spectrum_apps", g.list(2, g.app))
}

func (g *generator) zone(int) node {
	marks := g.list(20, func(i int) node {
		owner := g.pick("@", "*", "*.shop", "www", "bücher", "_dmarc", `a\.b`, "2024", "no", "x.example.org.", "example.org")
		owner.text = string(rune('a'+i)) + "." + owner.text
		if i == 0 {
			owner = g.pick("@", "*", "*.shop")
		} else if owner.text[2] == '*' || owner.text[2] == '@' {
			owner.text = owner.text[:1]
		}
		if g.chance(0.7) {
			return owner
		}
		return g.mapping("name", owner, "?proxied", g.flag(), "?ipv4_only", g.flag())
	})
	if g.chance(0.1) {
		marks = g.pick("all")
	}
	return g.mapping(
		"name", g.pick("example.org", "Example.ORG."),
		"?id", g.pick("023e105f4ecef8ad9ca31a8372d0c353", "12345678901234567890123456789e12"),
		"?ipv6", g.flag(),
		"?proxied", marks,
		"?zone_file", g.pick("db.example.org"),
		"?proxied_default", g.flag())
}

func (g *generator) addressMap(int) node {
	enabled := g.flag()
	if g.chance(0.3) {
		enabled = node{kind: kindNull, text: "null"}
	}
	return g.mapping(
		"?id", g.pick("055817b111884e0227e1be16a0be6ee0", "7"),
		"?description", g.pick("storefront", "", "two\nlines", " edges "),
		"?default_sni", g.pick("*.example.org"),
		"?enabled", enabled,
		"?can_delete", g.flag(),
		"?can_modify_ips", g.flag(),
		"ips", g.list(5, g.apiAddr),
		"?memberships", g.list(2, func(int) node {
			return g.mapping("kind", g.pick("zone", "account"), "identifier", g.pick("acme", "12"), "?can_delete", g.flag())
		}),
		"?modified_at", g.pick("2023-01-05T05:20:00.12345Z"))
}

func (g *generator) app(i int) node {
	name := g.pick("ssh.example.org", "game.example.org.")
	if g.chance(0.5) {
		return g.mapping(
			"dns", g.mapping("name", name, "type", g.pick("ADDRESS")),
			"edge_ips", g.mapping("type", g.pick("static"), "ips", node{kind: kindList, children: []node{g.addr(i)}}))
	}
	return g.mapping(
		"dns", g.mapping("name", name, "type", g.pick("CNAME")),
		"edge_ips", g.mapping("type", g.pick("dynamic"), "?connectivity", g.pick("all", "ipv4", "ipv6")))
}

// TestWriteJSON keeps the writer above honest.
func TestWriteJSON(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(1, 1)), noise: 0.05}
	tree := g.document()
	if out := writeJSON(nil, &tree); !json.Valid(out) || bytes.Contains(out, []byte("\n\n")) {
		t.Errorf("no JSON: %s", out)
	}
}
