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

// TestV1_Aliases: each alias is refused where it stands, and what grows when it is
// written out costs neither the time nor the memory.
func TestV1_Aliases(t *testing.T) {
	laughs := new(strings.Builder)
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 20 {
		ref := fmt.Sprintf("*a%d", i)
		fmt.Fprintf(laughs, "a%d: &a%d [%s]\n", i+1, i+1, strings.Join([]string{ref, ref, ref, ref, ref, ref, ref, ref, ref, ref}, ", "))
	}
	many := "accounts:\n  - id: acme\n    zones:\n      - name: example.org\n        proxied: &names [" + strings.Repeat("x, ", 1000) + "]\n" +
		strings.Repeat("      - {name: example.net, proxied: *names}\n", 2000)
	for _, c := range []struct {
		name, data string
		aliases    int
		first      Pos
	}{
		{"one", "anycast: &edge [192.0.2.1]\naccounts:\n  - {id: acme, static_ips: *edge}\n", 1, Pos{3, 28}},
		{"in a list", "anycast: [&one 192.0.2.1, *one]\n", 1, Pos{1, 27}},
		{"as a key", "anycast: [&k anycast]\n*k : []\n", 1, Pos{2, 1}},
		{"merged", "accounts:\n  - &a {id: acme}\n  - {<<: *a, id: other}\n", 1, Pos{3, 10}},
		{"in itself", "anycast: &a [*a]\n", 1, Pos{1, 14}},
		{"of nothing", "anycast: &a\naccounts: *a\n", 1, Pos{2, 11}},
		{"nested", laughs.String(), 200, Pos{2, 10}},
		{"many", many, maxErrors, Pos{6, 38}},
	} {
		doc, errs := Parse("m", []byte(c.data))
		if doc != nil || len(errs) != c.aliases || !strings.HasPrefix(errs[0].Text, "YAML aliases are refused, and \"*") || errs[0].Rule != "V1" || errs[0].Pos != c.first || errs[0].Remedy == "" {
			t.Errorf("%s: %d errors, want %d from %v on: %.300v", c.name, len(errs), c.aliases, c.first, errs)
		}
	}
	if doc, errs := Parse("m", []byte("anycast: &edge [&one 192.0.2.1]\n")); len(errs) > 0 || len(doc.Anycast) != 1 {
		t.Errorf("anchors alone: %v", errs)
	}
}

// TestV1_ControlCharacters: they are refused however they are written, in YAML and
// in JSON, wherever text stands.
func TestV1_ControlCharacters(t *testing.T) {
	const yaml = "accounts:\n  - id: %s\n    name: %s\n    zones: [{name: example.org, id: %s, zone_file: %s}]\n    address_maps: [{id: %s, description: %s, ips: [], memberships: [{kind: account, identifier: %s}]}]\n"
	places := []string{"id", "name", "id", "zone_file", "id", "description", "identifier"}
	for _, bad := range []struct{ written, char string }{
		{`"a\ab"`, "U+0007"}, {`"a\x07b"`, "U+0007"}, {`"a\u0007b"`, "U+0007"}, {`"a\U00000007b"`, "U+0007"}, {`"\e[31m"`, "U+001B"}, {`"a\0"`, "U+0000"},
		{`"a\nb"`, "U+000A"}, {`"a\tb"`, "U+0009"}, {"\"a\tb\"", "U+0009"}, {"a\tb", "U+0009"}, {"'a\tb'", "U+0009"},
		{`"a\u007f"`, "U+007F"}, {`"a\u0085b"`, "U+0085"}, {`"a\u009bb"`, "U+009B"}, {`"a\N"`, "U+0085"},
	} {
		for i, key := range places {
			words := []any{"acme", "Acme", "z1", "db", "m1", "shop", "acme"}
			words[i] = bad.written
			_, errs := Parse("m", fmt.Appendf(nil, yaml, words...))
			want := fmt.Sprintf("%q holds the control character %s", key, bad.char)
			if len(errs) != 1 || errs[0].Text != want || errs[0].Rule != "V1" {
				t.Errorf("%q as %s: got %v, want %s", bad.written, key, errs, want)
			}
		}
	}
	for _, bad := range []string{`a\u0007b`, `a\nb`, `a\tb`, "a\x7fb", "a\u009bb"} {
		_, errs := Parse("m.json", []byte(`{"accounts": [{"id": "`+bad+`"}]}`))
		if len(errs) != 1 || !strings.Contains(errs[0].Text, `"id" holds the control character U+00`) {
			t.Errorf("%q in JSON: %v", bad, errs)
		}
	}
	for _, good := range []string{`"Żółć \u00a0 \u2028"`, "'a b'", `"\x41"`} {
		if _, errs := Parse("m", []byte("accounts: [{id: "+good+"}]\n")); len(errs) > 0 {
			t.Errorf("%s: %v", good, errs)
		}
	}
}

// TestV2_NoUnicast: no client can be sent to such an address, wherever it stands.
func TestV2_NoUnicast(t *testing.T) {
	places := map[string]string{
		"anycast":      "anycast: [%q]\n",
		"static_ips":   "accounts: [{id: a, static_ips: [%q]}]\n",
		"ips":          "accounts: [{id: a, address_maps: [{ips: [%q], memberships: []}]}]\n",
		"ips, objects": "accounts: [{id: a, address_maps: [{ips: [{ip: %q}], memberships: []}]}]\n",
		"edge_ips":     "accounts: [{id: a, zones: [{name: example.org}], spectrum_apps: [{dns: {name: example.org, type: ADDRESS}, edge_ips: {type: static, ips: [%q]}}]}]\n",
	}
	for place, text := range places {
		for bad, why := range map[string]string{
			"0.0.0.0": "is unspecified", "::": "is unspecified",
			"224.0.0.1": "is multicast", "239.255.255.255": "is multicast", "ff02::1": "is multicast",
			"255.255.255.255": "is the broadcast address",
			"fe80::1%eth0":    "has a zone", "2001:db8::1%1": "has a zone",
			"::ffff:192.0.2.1": "is IPv4-mapped IPv6", "::ffff:255.255.255.255": "is IPv4-mapped IPv6",
		} {
			_, errs := Parse("m", fmt.Appendf(nil, text, bad))
			if want := fmt.Sprintf("address %q %s", bad, why); len(errs) != 1 || errs[0].Text != want || errs[0].Rule != "V2" {
				t.Errorf("%s: got %v, want %s", place, errs, want)
			}
		}
		for _, good := range []string{"192.0.2.1", "255.255.255.254", "2001:db8::ffff:ffff"} {
			if _, errs := Parse("m", fmt.Appendf(nil, text, good)); len(errs) > 0 {
				t.Errorf("%s: %v", place, errs)
			}
		}
	}
}

// TestV16_Addresses: 1,000 of one family are accepted where they are answered
// together, and 1,001 are not.
func TestV16_Addresses(t *testing.T) {
	list := func(v4, v6 int) string {
		var all []string
		for i := range v4 {
			all = append(all, fmt.Sprintf("10.0.%d.%d", i>>8, i&255))
		}
		for i := range v6 {
			all = append(all, fmt.Sprintf("%q", fmt.Sprintf("2001:db8::%x", i+1)))
		}
		return strings.Join(all, ", ")
	}
	places := map[string]string{
		"anycast":    "anycast: [%s]\n",
		"static_ips": "accounts: [{id: a, static_ips: [%s]}]\n",
		"ips":        "accounts: [{id: a, address_maps: [{ips: [%s], memberships: []}]}]\n",
		"edge_ips":   "accounts: [{id: a, zones: [{name: example.org}], spectrum_apps: [{dns: {name: example.org, type: ADDRESS}, edge_ips: {type: static, ips: [%s]}}]}]\n",
	}
	for place, text := range places {
		key, limit := place, 1
		switch place {
		case "edge_ips":
			key = "ips"
		case "static_ips": // They are not answered together.
			limit = 0
		}
		for _, c := range []struct {
			v4, v6, errs int
			family       string
		}{
			{1000, 1000, 0, ""}, {1001, 1000, 1, "1001 IPv4"}, {1000, 1200, 1, "1200 IPv6"}, {1001, 1001, 2, "1001 IPv4"},
		} {
			_, errs := Parse("m", fmt.Appendf(nil, text, list(c.v4, c.v6)))
			if len(errs) != c.errs*limit {
				t.Errorf("%s with %d and %d: %.300v", place, c.v4, c.v6, errs)
			} else if want := fmt.Sprintf("%q has %s addresses, more than 1000", key, c.family); len(errs) > 0 && (errs[0].Text != want || errs[0].Rule != "V16") {
				t.Errorf("%s: got %.300v, want %s", place, errs, want)
			}
		}
	}
	_, errs := Parse("m", []byte("anycast:\n- "+strings.ReplaceAll(list(1001, 0), ", ", "\n- ")+"\n"))
	if len(errs) != 1 || errs[0].Pos != (Pos{1002, 3}) {
		t.Errorf("got %v, want the place of the first address too many", errs)
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
	_, errs := Parse("m", []byte("accounts: [{id: a, zones: [{name: "+strings.Repeat("é", maxNameText)+"}]}]"))
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
