package mapfile

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what Parse says into the archives of testdata/document")

// The archives of this package in testdata/document. An archive holds documents,
// and for each that is refused what Parse prints, under the document's name with
// the extension ".errors".
var archives = []string{
	"good",
	"five-mistakes",
	"v01-syntax",
	"v01-keys",
	"v01-sites",
	"v01-types",
	"v02-addresses",
	"v03-names",
	"v12-edge-ips",
	"v13-list-response",
	"v14-marks",
	"v16-many",
}

// sample is one document of an archive.
type sample struct {
	archive, name string
	data          []byte
	errors        string // what Parse shall print; "" if it accepts the document
}

// key names s in all archives.
func (s sample) key() string { return s.archive + "/" + s.name }

func archivePath(name string) string {
	return filepath.Join("..", "..", "testdata", "document", name+".txtar")
}

// samples reads the documents of an archive.
func samples(tb testing.TB, archive string) []sample {
	tb.Helper()
	ar, err := txtar.ParseFile(archivePath(archive))
	if err != nil {
		tb.Fatal(err)
	}
	var out []sample
	for _, f := range ar.Files {
		if errorsOf, ok := strings.CutSuffix(f.Name, ".errors"); ok {
			if len(out) == 0 || out[len(out)-1].name != errorsOf {
				tb.Fatalf("%s: %s does not follow the document it belongs to", archive, f.Name)
			}
			out[len(out)-1].errors = string(f.Data)
			continue
		}
		out = append(out, sample{archive: archive, name: f.Name, data: f.Data})
	}
	return out
}

// allSamples reads the documents of all archives of this package.
func allSamples(tb testing.TB) []sample {
	tb.Helper()
	var out []sample
	for _, name := range archives {
		out = append(out, samples(tb, name)...)
	}
	return out
}

// printed is what Parse says of s, as an archive holds it.
func (s sample) printed() string {
	if _, errs := Parse(s.name, s.data); len(errs) > 0 {
		return errs.Error() + "\n"
	}
	return ""
}

// testArchive checks each document of an archive, or with -update writes down
// what Parse says of it.
func testArchive(t *testing.T, archive string) {
	t.Helper()
	all := samples(t, archive)
	if *update {
		writeArchive(t, archive, all)
		return
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			if got := s.printed(); got != s.errors {
				t.Errorf("got:\n%s\nwant:\n%s", got, s.errors)
			}
		})
	}
}

func writeArchive(t *testing.T, archive string, all []sample) {
	old, err := txtar.ParseFile(archivePath(archive))
	if err != nil {
		t.Fatal(err)
	}
	out := txtar.Archive{Comment: old.Comment}
	for _, s := range all {
		out.Files = append(out.Files, txtar.File{Name: s.name, Data: s.data})
		if errs := s.printed(); errs != "" {
			out.Files = append(out.Files, txtar.File{Name: s.name + ".errors", Data: []byte(errs)})
		}
	}
	if err := os.WriteFile(archivePath(archive), txtar.Format(&out), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestV1_Syntax(t *testing.T)          { testArchive(t, "v01-syntax") }
func TestV1_Keys(t *testing.T)            { testArchive(t, "v01-keys") }
func TestV1_Sites(t *testing.T)           { testArchive(t, "v01-sites") }
func TestV1_Types(t *testing.T)           { testArchive(t, "v01-types") }
func TestV2_Addresses(t *testing.T)       { testArchive(t, "v02-addresses") }
func TestV3_Names(t *testing.T)           { testArchive(t, "v03-names") }
func TestV12_EdgeIPs(t *testing.T)        { testArchive(t, "v12-edge-ips") }
func TestV13_ListResponse(t *testing.T)   { testArchive(t, "v13-list-response") }
func TestV14_Marks(t *testing.T)          { testArchive(t, "v14-marks") }
func TestV16_Many(t *testing.T)           { testArchive(t, "v16-many") }
func TestFiveMistakesAtOnce(t *testing.T) { testArchive(t, "five-mistakes") }
func TestGoodDocuments(t *testing.T) {
	testArchive(t, "good")
	for _, s := range samples(t, "good") {
		if s.errors != "" {
			t.Errorf("%s is refused", s.name)
		}
	}
}

// TestV1_NoColon: a key without its colon, or without the space after it, is named.
func TestV1_NoColon(t *testing.T) {
	for data, want := range map[string]string{
		"anycast [192.0.2.1]\naccounts: []\n":                                      `m:1:8: V1: not YAML: the key "anycast" has no colon`,
		"anycast:[192.0.2.1]\naccounts: []\n":                                      `m:1:8: V1: not YAML: the key "anycast" has no colon`,
		"version 1\n\n# text\nanycast: [192.0.2.1]\n":                              `m:1:8: V1: not YAML: the key "version" has no colon`,
		"anycast: []\naccounts # none\n  - id: a\n":                                `m:2:9: V1: not YAML: the key "accounts" has no colon`,
		"accounts:\n  - id a\n    zones: []\n":                                     `m:2:7: V1: not YAML: the key "id" has no colon`,
		"accounts:\n  - id: a\n    name foo\n    zones: []\n":                      `m:3:9: V1: not YAML: the key "name" has no colon`,
		"accounts:\n  - id: a\n    zones:\n    - name: b.c\n      proxied [www]\n": `m:5:14: V1: not YAML: the key "proxied" has no colon`,
		"accounts:\n- id: a\n  zones:\n  - {name b.c}\n":                           `write a colon after the key: name: "b.c"`,
		"accounts:\n- id: a\n  zones:\n  - name b.c\n":                             `write a colon and a space after the key "name"`,
		// Here it is something else.
		"accounts:\n- id: a\n  zones:\n  - name: b.c\n    proxied:\n    - www\n      name: x\n": `m:7:11: V1: not YAML: mapping values`,
		"anycast: []\nname: a: b\n": `m:2:8: V1: not YAML: mapping values`,
	} {
		if _, errs := Parse("m", []byte(data)); !strings.Contains(errs.Error(), want) {
			t.Errorf("%s: want %q in\n%v", data, want, errs)
		}
	}
}

// TestV1_NotText holds what an archive cannot: bytes that are no text.
func TestV1_NotText(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"latin 1", "anycast: []\n# M\xfcller\n", `m:2:4: V1: not UTF-8: byte 0xfc`},
		{"UTF-16", "\xff\xfea\x00:\x00", `m:1:1: V1: not UTF-8: byte 0xff`},
		{"cut within a character", "anycast: [] # \xe2\x82", `m:1:15: V1: not UTF-8: byte 0xe2`},
		{"control character", "anycast: []\naccounts: \x07[]\n", `m:2:11: V1: not YAML: control characters are not allowed (value: 7)`},
		{"NUL", "anycast: []\x00", `m:1:12: V1: not YAML: control characters are not allowed (value: 0)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, errs := Parse("m", []byte(c.data))
			if doc != nil || len(errs) != 1 || errs[0].Head() != c.want {
				t.Errorf("got %v, %v\nwant %s", doc, errs, c.want)
			}
		})
	}
}

// TestByteOrderMark: some editors write one, and it is no part of the text.
func TestByteOrderMark(t *testing.T) {
	for _, data := range []string{"\ufeffversion: 2\n", "\ufeff{\"version\":2}\n"} {
		_, errs := Parse("m", []byte(data))
		if len(errs) != 1 || errs[0].Line+"\n" != strings.TrimPrefix(data, "\ufeff") || errs[0].Line[errs[0].Pos.Col-1] != '2' {
			t.Errorf("%q: %v", data, errs)
		}
	}
}

// TestSamplesAreComplete guards the archives: no document twice, and each that
// is refused says so.
func TestSamplesAreComplete(t *testing.T) {
	var keys []string
	for _, s := range allSamples(t) {
		keys = append(keys, s.key())
		if bytes.Contains(s.data, []byte("\r")) {
			t.Errorf("%s holds a carriage return, which editors lose", s.key())
		}
	}
	slices.Sort(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			t.Errorf("%s stands twice", keys[i])
		}
	}
}
