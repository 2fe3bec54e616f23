package mapfile

import (
	"fmt"
	"strings"
	"testing"
)

// TestDepthIsBounded: what is nested too deeply is refused where that begins,
// however it is written and however much of it there is.
func TestDepthIsBounded(t *testing.T) {
	const n = 1 << 20
	blocks := new(strings.Builder)
	for i := range 200 {
		fmt.Fprintf(blocks, "%s- a:\n", strings.Repeat("  ", i))
	}
	for name, data := range map[string]string{
		"lists in YAML":    "anycast: " + strings.Repeat("[", n),
		"mappings in YAML": "anycast: " + strings.Repeat("{a: ", n),
		"items in a row":   strings.Repeat("- ", n) + "a",
		"keys in a row":    strings.Repeat("? ", n) + "a",
		"blocks":           blocks.String(),
		"lists in JSON":    `{"anycast": ` + strings.Repeat("[", n),
		"mappings in JSON": strings.Repeat(`{"a": `, n),
	} {
		doc, errs := Parse("m.json", []byte(data))
		if doc != nil || len(errs) != 1 || !strings.Contains(errs[0].Text, "exceeded max depth of 32") {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

// TestAliasBombsAreBounded: what grows when it is written out costs neither the
// time nor the memory.
func TestAliasBombsAreBounded(t *testing.T) {
	laughs := new(strings.Builder)
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 20 {
		ref := fmt.Sprintf("*a%d", i)
		fmt.Fprintf(laughs, "a%d: &a%d [%s]\n", i+1, i+1, strings.Join([]string{ref, ref, ref, ref, ref, ref, ref, ref, ref, ref}, ", "))
	}
	many := "accounts:\n  - id: acme\n    zones:\n      - name: example.org\n        proxied: &names [" + strings.Repeat("x, ", 1000) + "]\n" +
		strings.Repeat("      - {name: example.net, proxied: *names}\n", 2000)
	for name, data := range map[string]string{"nested": laughs.String(), "many": many} {
		doc, errs := Parse("m", []byte(data))
		if doc != nil || len(errs) != 1 || !strings.Contains(errs[0].Text, "aliases stand for more than 1000000 values") {
			t.Errorf("%s: %.300v", name, errs)
		}
	}
}

// TestAliasKeepsThePlace: a complaint about an alias quotes what it stands for.
func TestAliasKeepsThePlace(t *testing.T) {
	_, errs := Parse("m", []byte("anycast: &edge [192.0.2.1, bad]\naccounts:\n  - {id: acme, static_ips: *edge}\n"))
	if len(errs) != 1 || errs[0].Pos != (Pos{1, 28}) {
		t.Errorf("got %v", errs)
	}
}

func TestSizeIsBounded(t *testing.T) {
	data := make([]byte, maxBytes+1) // Never touched, and so never in memory.
	doc, errs := Parse("m", data)
	if doc != nil || len(errs) != 1 || errs[0].Head() != "m:1:1: V1: document has 268435457 bytes, more than 268435456" || errs[0].Line != "" {
		t.Errorf("got %v", errs)
	}
}

// TestLongNameIsNotRead: the rules of internationalized names take a time that
// grows with the square of the length.
func TestLongNameIsNotRead(t *testing.T) {
	_, errs := Parse("m", []byte("accounts: [{id: a, zones: [{name: "+strings.Repeat("é", longestName)+"}]}]"))
	if len(errs) != 1 || !strings.HasSuffix(errs[0].Text, "longer than 255 octets") {
		t.Errorf("got %v", errs)
	}
}

// TestLongFlowIsRefused: in brackets, the YAML library takes a hundred times the
// size of the text, so that such a document must not reach it.
func TestLongFlowIsRefused(t *testing.T) {
	names := strings.Repeat("a,\n", maxFlow/3+1)
	for _, c := range []struct{ name, data, want string }{
		{"list.yaml", "accounts: []\nanycast: [" + names + "]", "list.yaml:2:10: V1: a list or mapping in brackets is longer than 4194304 bytes"},
		{"header.yaml", "---\n# JSON with a header\n{\"anycast\": [" + strings.ReplaceAll(names, "a", `"a"`) + "\"a\"]}", "header.yaml:3:1: V1: a list or mapping in brackets is longer than 4194304 bytes"},
		{"broken.json", "{\"anycast\": [" + names + "]}", "broken.json:1:14: V1: not JSON: invalid character 'a' looking for beginning of value"},
	} {
		_, errs := Parse(c.name, []byte(c.data))
		if len(errs) != 1 || errs[0].Head() != c.want {
			t.Errorf("got %.300v\nwant %s", errs, c.want)
		}
	}
}

// TestLongFlow holds where a flow collection opens and closes, with a limit that
// examples exceed.
func TestLongFlow(t *testing.T) {
	const long = "a, a, a, a, a" // One byte longer than the limit, with the bracket before it.
	for _, c := range []struct {
		data string
		want int // offset of the collection, or -1
	}{
		{"[" + long + "]", 0},
		{"{" + long + "}", 0},
		{"a: [" + long + "]", 3},
		{"a:\n  - [" + long + "]", 7},
		{"? [" + long + "]", 2},
		{"--- [" + long + "]", 4},
		{"a: &x [" + long + "]", 6},
		{"a: !!seq [" + long + "]", 9},
		{"[[b], [b], [b], [b]]", 0},
		{`[ "]", ']', ''']', "\"]" ]`, 0},
		{"[ # ]\n" + long + "]", 0},
		{"a: [b]\nc: [b]\nd: [b]\n", -1},
		{"a: x[" + long + "]", -1},
		{"a: (" + long + ")", -1},
		{"a: x [" + long, -1},
		{"# [" + long, -1},
		{"a: b # [" + long, -1},
		{`"[` + long + `": b`, -1},
		{`a: '[` + long + `'`, -1},
		{`a: '''[` + long + `'`, -1},
		{`a: "\" [` + long + `"`, -1},
		{`a: "[` + long, -1},
		{"a: [don't, a], b: [" + "don't]", -1},
		{"a-[: " + long, -1},
		{"a: 2001:db8::[ " + long, -1},
		{"", -1},
	} {
		off, found := longFlow([]byte(c.data), 12)
		if found != (c.want >= 0) || found && off != c.want {
			t.Errorf("%q: %d, %t; want %d", c.data, off, found, c.want)
		}
	}
}
