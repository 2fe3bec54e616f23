package cloudflare_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

const apex = fqdn.Name("example.com.")

// The archives hold an export, what becomes of it, and the changes.
func TestConvertZone(t *testing.T) {
	files, err := filepath.Glob("testdata/zone/*.txtar")
	if err != nil || len(files) < 4 {
		t.Fatalf("want the archives, got %q, %v", files, err)
	}
	for _, path := range files {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+2 < len(a.Files); i += 3 {
			name := strings.TrimSuffix(a.Files[i].Name, ".zone")
			t.Run(filepath.Base(path)+"/"+name, func(t *testing.T) {
				out, changes := convert(a.Files[i].Data)
				for j, got := range []string{out, changes} {
					want := &a.Files[i+1+j]
					if *update {
						want.Data = []byte(got)
					} else if got != string(want.Data) {
						t.Errorf("%s:\nwant\n%s\ngot\n%s", want.Name, want.Data, got)
					}
				}
			})
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func convert(in []byte) (out, changes string) {
	z, err := cloudflare.ConvertZone("export.txt", in, apex, cloudflare.ZoneOptions{})
	if err != nil {
		return "", err.Error() + "\n"
	}
	var b strings.Builder
	for _, c := range z.Changes {
		fmt.Fprintf(&b, "%s %d %s %s\n", c.Kind, c.Line, c.Name, c.Text)
	}
	return string(z.Text), b.String()
}

// A zone that was converted needs no other change, and comes out as it is.
func TestConvertZone_Again(t *testing.T) {
	for _, in := range exports(t) {
		z, err := cloudflare.ConvertZone("export.txt", in, apex, cloudflare.ZoneOptions{})
		if err != nil {
			continue
		}
		again, err := cloudflare.ConvertZone("export.txt", z.Text, apex, cloudflare.ZoneOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range again.Changes {
			if c.Kind != cloudflare.Review {
				t.Errorf("want nothing left to change, got %+v", c)
			}
		}
		if string(again.Text) != string(z.Text) {
			t.Errorf("want\n%s\ngot\n%s", z.Text, again.Text)
		}
	}
}

// Records without a mark are proxied if the import says so: an alias at the
// apex is then no loss.
func TestConvertZone_ProxiedDefault(t *testing.T) {
	in := []byte("example.com. 1 IN SOA ns1.example.org. dns.example.org. 1 2 3 4 5\nexample.com. 1 IN CNAME shops.invalid.\n")
	z, err := cloudflare.ConvertZone("export.txt", in, apex, cloudflare.ZoneOptions{ProxiedDefault: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := "example.com.\t300\tIN\tA\t192.0.0.8 ; cf_tags=cf-proxied:true,addressmap-origin:shops.invalid.\n"; !strings.Contains(string(z.Text), want) {
		t.Errorf("want %q in\n%s", want, z.Text)
	}
}

func exports(t testing.TB) (zones [][]byte) {
	files, err := filepath.Glob("testdata/zone/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".zone") {
				zones = append(zones, f.Data)
			}
		}
	}
	return zones
}

// No proxied name loses its mark, whatever the export looks like.
func FuzzConvertZone(f *testing.F) {
	for _, in := range exports(f) {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		z, err := cloudflare.ConvertZone("export.txt", in, apex, cloudflare.ZoneOptions{})
		if err != nil {
			return
		}
		before, err := zonefile.Parse("before", in, apex)
		if err != nil {
			t.Fatal(err)
		}
		after, err := zonefile.Parse("after", z.Text, apex)
		if err != nil {
			t.Fatalf("%v\n%s", err, z.Text)
		}
		for owner, o := range before.Owners {
			if o.Mark == zonefile.Proxied && after.Owners[owner].Mark != zonefile.Proxied {
				t.Errorf("%s is proxied before and %s after:\n%s", owner, after.Owners[owner].Mark, z.Text)
			}
		}
	})
}
