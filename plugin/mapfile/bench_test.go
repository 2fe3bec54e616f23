package mapfile

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkParse reads documents of 30 MB, and the map of a million proxied
// names in 100,000 zones, ten to an account, in both forms.
func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"YAML/30MB", bigYAML(123_000)},
		{"JSON/30MB", bigJSON(197_500)},
		{"YAML/1M-names", bigYAML(100_000)},
		{"JSON/1M-names", bigJSON(100_000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, errs := Parse(c.name, c.data); len(errs) > 0 {
					b.Fatal(errs)
				}
			}
		})
	}
}

// BenchmarkParseRefused has a mistake in every zone, the last as well: finding
// the line of a complaint must not cost a walk through the document.
func BenchmarkParseRefused(b *testing.B) {
	data := bytes.ReplaceAll(bigYAML(10_000), []byte("proxied:"), []byte("proxies:"))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, errs := Parse("m", data); len(errs) != maxErrors {
			b.Fatal(len(errs))
		}
	}
}

// bigYAML is a document of zones with ten proxied names each.
func bigYAML(zones int) []byte {
	var b bytes.Buffer
	b.WriteString("anycast: [192.0.2.1, \"2001:db8::1\"]\naccounts:\n")
	for z := range zones {
		if z%10 == 0 {
			fmt.Fprintf(&b, "  - id: account-%06d\n    zones:\n", z/10)
		}
		fmt.Fprintf(&b, "      - name: zone-%06d.example\n        proxied:\n", z)
		for n := range 10 {
			fmt.Fprintf(&b, "          - host-%d\n", n)
		}
	}
	return b.Bytes()
}

// bigJSON is the same data in JSON.
func bigJSON(zones int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"anycast": ["192.0.2.1", "2001:db8::1"], "accounts": [`)
	for z := range zones {
		switch {
		case z%10 != 0:
			b.WriteString(",\n")
		case z > 0:
			b.WriteString("]},\n")
		}
		if z%10 == 0 {
			fmt.Fprintf(&b, `{"id": "account-%06d", "zones": [`, z/10)
		}
		fmt.Fprintf(&b, `{"name": "zone-%06d.example", "proxied": ["host-0"`, z)
		for n := 1; n < 10; n++ {
			fmt.Fprintf(&b, `, "host-%d"`, n)
		}
		b.WriteString("]}")
	}
	b.WriteString("]}]}\n")
	return b.Bytes()
}
