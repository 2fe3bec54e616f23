package drain_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/drain"
)

var update = flag.Bool("update", false, "write what Parse says into the archives of testdata/drains")

func archivePath(name string) string {
	return filepath.Join("..", "..", "testdata", "drains", name+".txtar")
}

// files reads an archive, without what is said of its files.
func files(tb testing.TB, name string) (out []txtar.File, said map[string]string) {
	tb.Helper()
	ar, err := txtar.ParseFile(archivePath(name))
	if err != nil {
		tb.Fatal(err)
	}
	said = make(map[string]string)
	for _, f := range ar.Files {
		if of, is := strings.CutSuffix(f.Name, ".errors"); is {
			said[of] = string(f.Data)
		} else {
			out = append(out, f)
		}
	}
	return out, said
}

func TestParse_Refused(t *testing.T) {
	all, said := files(t, "refused")
	ar := txtar.Archive{Comment: []byte("Files of drains that are refused, each with what is said of it.\n")}
	for _, f := range all {
		drains, errs := drain.Parse(f.Name, f.Data)
		if len(errs) == 0 || drains != nil {
			t.Errorf("%s is accepted: %v", f.Name, drains)
			continue
		}
		got := errs.Error() + "\n"
		if !*update && got != said[f.Name] {
			t.Errorf("%s: got:\n%s\nwant:\n%s", f.Name, got, said[f.Name])
		}
		ar.Files = append(ar.Files, f, txtar.File{Name: f.Name + ".errors", Data: []byte(got)})
	}
	if *update {
		if err := os.WriteFile(archivePath("refused"), txtar.Format(&ar), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParse_Good(t *testing.T) {
	at := func(s string) time.Time {
		u, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	want := map[string][]drain.Drain{
		"whole.yaml": {
			{Source: "whole.yaml:2", Addresses: []netip.Prefix{
				netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("2001:db8::/32"),
			}, Reason: "fibre cut, T1234", By: "ana", Since: at("2026-11-29T02:14:00Z"), Until: at("2026-11-29T04:14:00+01:00")},
			{Source: "whole.yaml:7", Site: "fra", Reason: "power", Until: at("2026-11-29T04:14:00.5Z")},
			{Source: "whole.yaml:10", Map: "055817b111884e0227e1be16a0be6ee0", Reason: "12", Until: at("2026-11-29T04:14:00Z")},
		},
		"none.yaml": nil,
		"everything.yaml": {{Source: "everything.yaml:1", Addresses: []netip.Prefix{
			netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), netip.MustParsePrefix("0.0.0.0/1"),
			netip.MustParsePrefix("::/3"), netip.MustParsePrefix("2000::/3"),
		}, Reason: "attack", Until: at("2026-11-29T04:14:00Z")}},
		"json.json": {{Source: "json.json:1", Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}, Reason: "attack", Until: at("2026-11-29T04:14:00Z")}},
	}
	all, _ := files(t, "good")
	for _, f := range all {
		got, errs := drain.Parse(f.Name, f.Data)
		if len(errs) > 0 || !reflect.DeepEqual(got, want[f.Name]) {
			t.Errorf("%s: got %+v, %v; want %+v", f.Name, got, errs, want[f.Name])
		}
	}
}

// TestParse_NotText holds what an archive cannot: bytes that are no text.
func TestParse_NotText(t *testing.T) {
	for text, want := range map[string]string{
		"drains: [] # M\xfcller\n":    "f:1:15: V1: not UTF-8: byte 0xfc",
		"drains: \x07[]\n":            "f:1:9: V1: not YAML: control characters",
		"\ufeffdrain: []\n":           `f:1:1: V1: unknown key "drain"`,
		"{\"drains\": [{\"map\": 1}]": "f:1:24: V1: not",
	} {
		if _, errs := drain.Parse("f", []byte(text)); !strings.Contains(errs.Error(), want) {
			t.Errorf("%q: want %q in\n%v", text, want, errs)
		}
	}
}

func TestDrain_InForce(t *testing.T) {
	since, until := time.Unix(100, 0), time.Unix(200, 0)
	drains := []drain.Drain{{Reason: "a", Since: since, Until: until}, {Reason: "b", Until: until}}
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{since.Add(-1), "b"}, {since, "ab"}, {until.Add(-1), "ab"}, {until, ""},
	} {
		got := ""
		for _, d := range drain.InForce(drains, c.at) {
			got += d.Reason
		}
		if got != c.want {
			t.Errorf("at %v: want %q, got %q", c.at, c.want, got)
		}
	}
}

// FuzzParse holds what is true of every file: Parse returns, the errors have places and
// can be printed, and what is accepted has nothing missing.
func FuzzParse(f *testing.F) {
	for _, archive := range []string{"good", "refused"} {
		all, _ := files(f, archive)
		for _, file := range all {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		drains, errs := drain.Parse("drains.yaml", text)
		for _, e := range errs {
			if e.Pos.Line < 1 || e.Pos.Col < 1 || e.Rule == "" || e.Text == "" || e.Remedy == "" {
				t.Errorf("incomplete: %#v", e)
			}
		}
		if len(errs) > 0 && drains != nil {
			t.Errorf("drains beside errors: %v", errs)
		}
		for _, d := range drains {
			named := 0
			for _, is := range []bool{len(d.Addresses) > 0, d.Site != "", d.Map != ""} {
				if is {
					named++
				}
			}
			if named != 1 || d.Reason == "" || !d.Until.After(d.Since) || d.Source == "" {
				t.Errorf("incomplete: %+v", d)
			}
			for _, p := range d.Addresses {
				if !p.IsValid() || p != p.Masked() {
					t.Errorf("%v is not masked", p)
				}
			}
		}
	})
}
