package mapedit

import (
	"flag"
	"os"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/mapfile"
)

var update = flag.Bool("update", false, "write what PutZone returns into the archives of testdata")

// exampleZone is what the archives put into account acme.
var exampleZone = Zone{Name: "example.com.", ZoneFile: "db.example.com"}

// sample is a document of an archive, and what becomes of it.
type sample struct {
	name, text, want, refused string
}

func samples(tb testing.TB, path string) []sample {
	tb.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var out []sample
	for _, f := range ar.Files {
		switch name, kind := f.Name, f.Name[strings.LastIndex(f.Name, ".")+1:]; kind {
		case "want":
			out[len(out)-1].want = string(f.Data)
		case "refused":
			out[len(out)-1].refused = string(f.Data)
		default:
			out = append(out, sample{name: name, text: string(f.Data)})
		}
	}
	return out
}

// put is what PutZone makes of a sample.
func (s sample) put() sample {
	text, _, err := PutZone(s.name, []byte(s.text), "acme", exampleZone)
	if s.want, s.refused = string(text), ""; err != nil {
		s.want, s.refused = "", err.Error()+"\n"
	}
	return s
}

func testArchive(t *testing.T, path string) {
	all := samples(t, path)
	if *update {
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ar := &txtar.Archive{Comment: txtar.Parse(old).Comment}
		for _, s := range all {
			got := s.put()
			ar.Files = append(ar.Files, txtar.File{Name: s.name, Data: []byte(s.text)})
			if got.refused != "" {
				ar.Files = append(ar.Files, txtar.File{Name: s.name + ".refused", Data: []byte(got.refused)})
			} else {
				ar.Files = append(ar.Files, txtar.File{Name: s.name + ".want", Data: []byte(got.want)})
			}
		}
		if err := os.WriteFile(path, txtar.Format(ar), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			got := s.put()
			if got.want != s.want {
				t.Errorf("got:\n%s\nwant:\n%s", got.want, s.want)
			}
			if got.refused != s.refused {
				t.Errorf("error:\n%s\nwant:\n%s", got.refused, s.refused)
			}
		})
	}
}

func TestYAML(t *testing.T) { testArchive(t, "testdata/yaml.txtar") }
func TestJSON(t *testing.T) { testArchive(t, "testdata/json.txtar") }

// Characters without a form are escaped, and mean the same in a document of either format.
func TestPutZone_Hidden(t *testing.T) {
	const account = "a\u202eb\U000e0041"
	for _, name := range []string{"new.yaml", "new.json"} {
		for _, old := range []string{"", "{\"accounts\": []}\n"} {
			text, _, err := PutZone(name, []byte(old), account, exampleZone)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range string(text) {
				if r != '\n' && !unicode.IsGraphic(r) {
					t.Errorf("%s: %q has %q", name, text, r)
				}
			}
			doc, errs := mapfile.Parse(name, text)
			if len(doc.Accounts) != 1 || doc.Accounts[0].ID != account {
				t.Errorf("%s: got %v\n%s", name, errs, text)
			}
		}
	}
}
