package cloudflare_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

var update = flag.Bool("update", false, "write what comes out into the archives")

// An archive holds files of responses, the document made of them, and what is
// not in it.
func TestImport(t *testing.T) {
	files, err := filepath.Glob("testdata/api/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("want archives, got %q, %v", files, err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) { testImport(t, path) })
	}
}

func testImport(t *testing.T, path string) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := cloudflare.NewImport("")
	for n := range a.Files {
		f := &a.Files[n]
		switch f.Name {
		case "want.yaml":
			text, changes, err := i.Document()
			if err != nil {
				t.Fatal(err)
			}
			compare(t, f, string(text))
			f = &a.Files[n+1]
			var b strings.Builder
			for _, c := range changes {
				fmt.Fprintf(&b, "%s %s %s\n", c.Kind, c.Name, withRemedy(c))
			}
			compare(t, f, b.String())
			load(t, text)
		case "want.changes":
		default:
			if err := i.Add(f.Name, f.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func withRemedy(c cloudflare.Change) string {
	if c.Remedy == "" {
		return c.Text
	}
	return c.Text + ": " + c.Remedy
}

func compare(t *testing.T, want *txtar.File, got string) {
	t.Helper()
	if *update {
		want.Data = []byte(got)
	} else if got != string(want.Data) {
		t.Errorf("%s: want\n%s\ngot\n%s", want.Name, want.Data, got)
	}
}

// load checks that the document is a map of a server that has anycast addresses.
func load(t *testing.T, text []byte) {
	t.Helper()
	doc, errs := mapfile.Parse("maps.yaml", text)
	if len(errs) > 0 {
		t.Fatalf("want a legal document, got %v\n%s", errs, text)
	}
	if _, errs := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{Anycast: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}); len(errs) > 0 {
		t.Fatalf("want a map that is accepted, got %v\n%s", errs, text)
	}
}

func TestImport_NoJSON(t *testing.T) {
	err := cloudflare.NewImport("").Add("broken.json", []byte(`{"result": [`))
	if err == nil || !strings.Contains(err.Error(), "broken.json is no JSON") {
		t.Errorf("want the file named, got %v", err)
	}
}

// Characters without a form are escaped in the document, which means the same.
// Control characters, which no document may have (V1), become blanks.
func TestImport_Hidden(t *testing.T) {
	const hidden = "a\u202eb\u2066\u200b\ufeff\U000e0041\u2028 é 名前 \U0001f600"
	data, err := json.Marshal(map[string]any{
		"id": "m", "description": "one\r\ntwo\x1b\u0085" + hidden, "default_sni": hidden, "can_modify_ips": true, "ips": []string{}, "memberships": []any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	i := cloudflare.NewImport("acme\u202e")
	if err := i.Add("map.json", data); err != nil {
		t.Fatal(err)
	}
	text, changes, err := i.Document()
	if err != nil || len(changes) != 1 || changes[0].Kind != cloudflare.Changed || !strings.Contains(changes[0].Text, "control characters") {
		t.Errorf("want a change, got %v, %+v", err, changes)
	}
	for _, r := range string(text) {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Errorf("%q has %q", text, r)
		}
	}
	doc, errs := mapfile.Parse("maps.yaml", text)
	if len(errs) > 0 || doc.Accounts[0].ID != "acme\u202e" {
		t.Fatalf("want the account, got %v\n%s", errs, text)
	}
	if m := doc.Accounts[0].Maps[0]; m.Description != "one two "+hidden || m.DefaultSNI != hidden {
		t.Errorf("got %q and %q", m.Description, m.DefaultSNI)
	}
}

// A map that names no account goes to the one that the operator names.
func TestImport_Account(t *testing.T) {
	for account, want := range map[string]string{"acme": "- id: acme\n", "": "accounts: []\n"} {
		i := cloudflare.NewImport(account)
		if err := i.Add("map.json", []byte(`{"id":"m","can_modify_ips":true,"ips":[{"ip":"203.0.113.1"}],"memberships":[]}`)); err != nil {
			t.Fatal(err)
		}
		text, changes, err := i.Document()
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("account %q: want %q, got %v\n%s", account, want, err, text)
		}
		if lost := len(changes) == 1 && changes[0].Kind == "lost"; lost != (account == "") {
			t.Errorf("account %q: got %+v", account, changes)
		}
	}
}

// Whatever the API says, the import ends, and its document can be read again.
func FuzzImport(f *testing.F) {
	files, _ := filepath.Glob("testdata/api/*.txtar")
	for _, path := range files {
		a, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		i := cloudflare.NewImport("acme")
		if i.Add("fuzz.json", data) != nil {
			return
		}
		if _, _, err := i.Document(); err != nil {
			t.Error(err)
		}
	})
}
