package mapedit

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
)

// allSamples returns the documents of all archives, and of the archives of package
// mapfile.
func allSamples(tb testing.TB) []sample {
	tb.Helper()
	all := append(samples(tb, "testdata/yaml.txtar"), samples(tb, "testdata/json.txtar")...)
	for _, name := range []string{"good", "v01-syntax", "v01-types", "v03-names", "v12-edge-ips", "v14-marks"} {
		all = append(all, samples(tb, "../../testdata/document/"+name+".txtar")...)
	}
	return all
}

// TestForms puts the zone into each sample in other forms of the same text: the result
// must be the same in that form.
func TestForms(t *testing.T) {
	for _, form := range []struct {
		name string
		of   func(string) string
	}{
		{"CRLF", func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }},
		{"CR", func(s string) string { return strings.ReplaceAll(s, "\n", "\r") }},
		{"BOM", func(s string) string { return "\ufeff" + s }},
		{"no final line break", func(s string) string { return strings.TrimSuffix(s, "\n") }},
		{"CRLF, BOM, no final line break", func(s string) string {
			return "\ufeff" + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\r\n")
		}},
	} {
		t.Run(form.name, func(t *testing.T) {
			for _, s := range allSamples(t) {
				if s.want == "" || strings.HasPrefix(s.name, "blank") || strings.HasPrefix(s.name, "comments") {
					continue
				}
				in, want := form.of(s.text), form.of(s.want)
				got, _, err := PutZone(s.name, []byte(in), "acme", exampleZone)
				if err != nil || string(got) != want {
					t.Errorf("%s: %v, got\n%q\nwant\n%q", s.name, err, got, want)
				}
			}
		})
	}
}

// TestEveryLegalSample: what people write can be changed.
func TestEveryLegalSample(t *testing.T) {
	n := 0
	for _, s := range allSamples(t) {
		if _, errs := mapfile.Parse(s.name, []byte(s.text)); len(errs) > 0 || s.refused != "" {
			continue
		}
		n++
		if got := s.put(); got.refused != "" {
			t.Errorf("%s: %s", s.name, got.refused)
		}
		checkPut(t, []byte(s.text), "acme", exampleZone)
	}
	if n < 60 {
		t.Errorf("only %d samples are legal", n)
	}
}

// FuzzPutZone holds the promise of the package for every document: the new text means
// the old one and the zone, and has every octet of the old text in its order.
func FuzzPutZone(f *testing.F) {
	for _, s := range allSamples(f) {
		f.Add([]byte(s.text), "acme", "example.com", "db.example.com", false)
		f.Add([]byte(s.text), "new", "bücher.example", "zonen/db, [neu]", true)
		f.Add([]byte(strings.ReplaceAll(s.text, "\n", "\r\n")), "other", "true", "1e3", true)
		f.Add([]byte("\ufeff"+strings.TrimSuffix(s.text, "\n")), "null", ".", "x", false)
	}
	f.Fuzz(func(t *testing.T, data []byte, account, apex, file string, proxied bool) {
		name, err := fqdn.Parse(apex)
		if err != nil {
			return
		}
		checkPut(t, data, account, Zone{Name: name, ZoneFile: file, ProxiedDefault: proxied})
	})
}

// checkPut holds what is true of every edit. It judges by package mapfile alone, not by
// how the edit was made.
func checkPut(t *testing.T, data []byte, account string, zone Zone) {
	t.Helper()
	was := bytes.Clone(data)
	text, outcome, err := PutZone("m.yaml", data, account, zone)
	if !bytes.Equal(was, data) {
		t.Fatalf("the old text changed")
	}
	old, oldErrs := mapfile.Parse("m.yaml", data)
	if err != nil {
		if text != nil {
			t.Errorf("a result beside the error %v", err)
		}
		return
	}
	doc, errs := mapfile.Parse("m.yaml", text)
	if len(errs) > 0 {
		t.Fatalf("%q became\n%q, which is refused: %v", data, text, errs)
	}
	if len(oldErrs) > 0 { // without a value
		old = &mapfile.Document{Name: "m.yaml"}
	}
	if want := withZone(old, account, zone); !reflect.DeepEqual(withoutPlaces(doc), withoutPlaces(want)) {
		t.Errorf("%q became\n%q, which means\n%+v, want\n%+v", data, text, withoutPlaces(doc), withoutPlaces(want))
	}
	switch {
	case outcome == Unchanged && !bytes.Equal(text, data):
		t.Errorf("%q became %q, and is called unchanged", data, text)
	case outcome != Changed && !hasAll(data, text):
		t.Errorf("%q became\n%q, which lacks some of it", data, text)
	}
}

// withZone returns the document with the zone in it.
func withZone(doc *mapfile.Document, account string, zone Zone) *mapfile.Document {
	for i := range doc.Accounts {
		for j := range doc.Accounts[i].Zones {
			if z := &doc.Accounts[i].Zones[j]; z.Name == zone.Name {
				z.ZoneFile, z.ProxiedDefault = zone.ZoneFile, zone.ProxiedDefault
				return doc
			}
		}
	}
	entry := mapfile.Zone{Name: zone.Name, IPv6: true, ZoneFile: zone.ZoneFile, ProxiedDefault: zone.ProxiedDefault}
	for i := range doc.Accounts {
		if doc.Accounts[i].ID == account {
			doc.Accounts[i].Zones = append(doc.Accounts[i].Zones, entry)
			return doc
		}
	}
	doc.Accounts = append(doc.Accounts, mapfile.Account{ID: account, Zones: []mapfile.Zone{entry}})
	return doc
}

// withoutPlaces returns what a document means, without positions.
func withoutPlaces(doc *mapfile.Document) map[string]any {
	return plain(reflect.ValueOf(*doc)).(map[string]any)
}

func plain(v reflect.Value) any {
	switch {
	case v.Type() == reflect.TypeFor[mapfile.Pos]():
		return nil
	case v.Kind() == reflect.Slice:
		out := []any{}
		for i := range v.Len() {
			out = append(out, plain(v.Index(i)))
		}
		return out
	case v.Kind() == reflect.Struct && strings.HasPrefix(v.Type().PkgPath(), "github.com/addressmap/"):
		out := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "HasAllZones" {
				out[f.Name] = plain(v.Field(i))
			}
		}
		return out
	}
	return v.Interface()
}

// hasAll reports whether text is old with at most two insertions, which is what an edit
// that replaces nothing may do. Texts are compared at every place of the first one.
func hasAll(old, text []byte) bool {
	front := 0
	for front < len(old) && front < len(text) && old[front] == text[front] {
		front++
	}
	back := 0
	for back < len(old)-front && back < len(text)-front && old[len(old)-1-back] == text[len(text)-1-back] {
		back++
	}
	// What is left of the old text between its head and its tail must stand in one piece
	// between two insertions, such as a comma and an item behind a comment.
	middle := old[front : len(old)-back]
	return len(text) >= len(old) && bytes.Contains(text[front:len(text)-back], middle)
}

// TestHasAll: the judge can say no.
func TestHasAll(t *testing.T) {
	for _, c := range []struct {
		old, text string
		want      bool
	}{
		{"a # b\nc", "a, # b\nd\nc", true},
		{"abc", "abc", true},
		{"abc", "ab", false},
		{"a  b", "a b and c", false},
		{"a # b\nc", "a,\nd\nc", false},
	} {
		if got := hasAll([]byte(c.old), []byte(c.text)); got != c.want {
			t.Errorf("%q to %q: %t", c.old, c.text, got)
		}
	}
}

// TestPutZone_Refuses: what cannot be in a document is refused, with the place.
func TestPutZone_Refuses(t *testing.T) {
	for _, c := range []struct {
		account string
		zone    Zone
		want    string
	}{
		{"a\x07", exampleZone, "U+0007"},
		{"acme", Zone{Name: "*.example.com.", ZoneFile: "db"}, "V3"},
		{"acme", Zone{Name: "example.com.", ZoneFile: "a\nb"}, "U+000A"},
	} {
		for _, text := range []string{"", "accounts: [{id: acme}]\n", `{"accounts": []}`} {
			got, _, err := PutZone("m.yaml", []byte(text), c.account, c.zone)
			if got != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q, %+v: %q, %v", c.account, c.zone, got, err)
			}
		}
	}
}
