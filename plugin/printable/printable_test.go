package printable

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

func TestText(t *testing.T) {
	for got, want := range map[string]string{
		"":                          "",
		"plain, 名前 é":               "plain, 名前 é",
		"two\n\tlines":              "two\n\tlines",
		"red \x1b[31m":              `red \x1b[31m`,
		"back\rover":                `back\rover`,
		"\x00\x07\x7f":              `\x00\x07\x7f`,
		"c1 \u009b31m":              `c1 \u009b31m`,
		"turned \u202egro.elpmaxe":  `turned \u202egro.elpmaxe`,
		"\u2066\u2069\u200f\u061c":  `\u2066\u2069\u200f\u061c`,
		"no width \u200b\ufeff":     `no width \u200b\ufeff`,
		"tag \U000e0041":            `tag \U000e0041`,
		"separators \u2028\u2029":   `separators \u2028\u2029`,
		"no UTF-8 \xff\xc3":         `no UTF-8 \xff\xc3`,
		"a real \ufffd":             "a real \ufffd",
		`written out: \u202e, \x1b`: `written out: \u202e, \x1b`,
	} {
		if text := Text(got); text != want {
			t.Errorf("%q: want %q, got %q", got, want, text)
		}
		if line := Line(got); line != strings.ReplaceAll(want, "\n", `\n`) {
			t.Errorf("%q: got the line %q", got, line)
		}
		var b bytes.Buffer
		if n, err := Writer(&b).Write([]byte(got)); err != nil || n != len(got) || b.String() != want {
			t.Errorf("%q: the writer has %d, %v, %q", got, n, err, b.String())
		}
	}
	if w := new(bytes.Buffer); Unwrap(Writer(w)) != w || Unwrap(w) != w {
		t.Error("want the buffer")
	}
}

// FuzzJSON: the document means the same, and no character of it is hidden.
func FuzzJSON(f *testing.F) {
	f.Add("a\u202eb\x7f\u009b\U000e0041\x1b\n\\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		data, err := json.MarshalIndent(map[string]string{s: s}, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		out := JSON(data)
		for _, r := range string(out) {
			if !unicode.IsGraphic(r) && r != '\n' && r != '\t' {
				t.Errorf("%q has %q", out, r)
			}
		}
		var before, after map[string]string
		if json.Unmarshal(data, &before) != nil || json.Unmarshal(out, &after) != nil {
			t.Fatalf("%q is no JSON any more", out)
		}
		for k, v := range before {
			if after[k] != v {
				t.Errorf("%q: want %q, got %q", k, v, after[k])
			}
		}
	})
}
