package cloudflare_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

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
	return string(z.Text), listing(z.Changes)
}

// listing prints changes, each with its remedy.
func listing(changes []cloudflare.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s %d %s %s", c.Kind, c.Line, c.Name, c.Text)
		if c.Remedy != "" {
			fmt.Fprintf(&b, ": %s", c.Remedy)
		}
		b.WriteByte('\n')
	}
	return b.String()
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
			// An alias that was flattened stays one, and stays in the report.
			stays := slices.ContainsFunc(z.Changes, func(b cloudflare.Change) bool { return b.Kind == c.Kind && b.Text == c.Text })
			if c.Kind == cloudflare.Changed || c.Kind == cloudflare.Lost && !stays {
				t.Errorf("want nothing left to change, got %+v", c)
			}
		}
		if string(again.Text) != string(z.Text) {
			t.Errorf("want\n%s\ngot\n%s", z.Text, again.Text)
		}
	}
}

// A zone file is shown on terminals, and so is the report: nothing in them moves the
// cursor or turns text around.
func TestConvertZone_Printable(t *testing.T) {
	in := "example.com. 1 IN SOA ns1.example.org. dns.example.org. 1 2 3 4 5\n" +
		"w\x1b[2Jw.example.com. 1 IN A 198.51.100.1 ; \x1b]0;x\a\u202emark\u2028\x9b cf_tags=n:\"a\u202eb\",cf-proxied:true\n" +
		"e\u202e.example.com. 1 IN CNAME \u202eshops.invalid.\n" +
		"e\u202e.example.com. 1 IN TXT \"\x1b[2J\u202e\" ; \x1b[2J\n" +
		"\x1b\u202e.invalid. 1 IN A 198.51.100.1\n"
	z, err := cloudflare.ConvertZone("export.txt", []byte(in), apex, cloudflare.ZoneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(z.Text), listing(z.Changes)} {
		for _, r := range text {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028') {
				t.Fatalf("want no %U in\n%q", r, text)
			}
		}
	}
	if want := `cf-proxied:true`; !strings.Contains(string(z.Text), want) {
		t.Errorf("want the mark in\n%s", z.Text)
	}
}

// What comes in the place of an export is named for what it is.
func TestConvertZone_OtherFiles(t *testing.T) {
	soa, err := cloudflare.ParseSOA("ns1.example.net hostmaster.example.net")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"": "export.txt: the export holds no record", ";; Domain: example.com.\n": "export.txt: the export holds no record",
		"\ufeff {\"success\":false,\"errors\":[{\"code\":10000}]}": "export.txt: the file is JSON", "[]": "export.txt: the file is JSON",
		"\r\n<!DOCTYPE html>": "export.txt: the file is HTML", "\xff\xfe;\x00": "export.txt: the file is in UTF-16", "\xfe\xff\x00;": "export.txt: the file is in UTF-16",
	} {
		_, err := cloudflare.ConvertZone("export.txt", []byte(in), apex, cloudflare.ZoneOptions{SOA: soa, NameServers: []fqdn.Name{"ns1.example.net."}})
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "remedy: ") {
			t.Errorf("%q: want %s and a remedy, got %v", in, want, err)
		}
	}
}

// A download that ended too early is no zone with one record less.
func TestConvertZone_CutOff(t *testing.T) {
	const begin = "example.com. 1 IN SOA ns1.example.org. dns.example.org. 1 2 3 4 5\n"
	for _, end := range []string{"www.example.com. 1 IN A ", "www.example.com. 1 IN CNAME ", "example.com. 1 IN MX\t", "example.com. 1 IN TXT ", "www.example.com. 1 IN A", "www.example.com. 1"} {
		if z, err := cloudflare.ConvertZone("export.txt", []byte(begin+end), apex, cloudflare.ZoneOptions{}); err == nil {
			t.Errorf("%q: want an error, got\n%s", end, z.Text)
		}
	}
	if _, err := cloudflare.ConvertZone("export.txt", []byte(begin+"www.example.com. 1 IN A 0.0.0.0"), apex, cloudflare.ZoneOptions{}); err != nil {
		t.Error(err)
	}
}

// The option gives an SOA that the export does not have, or takes the place of one.
func TestConvertZone_SOA(t *testing.T) {
	soa, err := cloudflare.ParseSOA("ns1.example.net hostmaster@example.net")
	if err != nil {
		t.Fatal(err)
	}
	const rest = "example.com. 300 IN NS ns1.example.net.\n"
	for in, want := range map[string]struct {
		soa     string
		changes int
	}{
		rest:                                 {"example.com.\t3600\tIN\tSOA\tns1.example.net. hostmaster.example.net. 1 7200 3600 1209600 300", 1},
		rest + "@ 60 IN SOA a b 9 8 7 6 5\n": {"example.com.\t60\tIN\tSOA\tns1.example.net. hostmaster.example.net. 9 8 7 6 5", 1},
		rest + "@ 60 IN SOA ns1.example.net. hostmaster.example.net. 9 8 7 6 5 ; mine\n": {"example.com.\t60\tIN\tSOA\tns1.example.net. hostmaster.example.net. 9 8 7 6 5", 0},
	} {
		z, err := cloudflare.ConvertZone("export.txt", []byte(in), apex, cloudflare.ZoneOptions{SOA: soa})
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Split(string(z.Text), "\n"); lines[2] != want.soa || len(z.Changes) != want.changes {
			t.Errorf("%q: want %+v, got\n%s\n%s", in, want, z.Text, listing(z.Changes))
		}
	}
}

// Errors about marks come all at once, up to a hundred.
func TestConvertZone_ManyErrors(t *testing.T) {
	in := "example.com. 1 IN SOA ns1.example.org. dns.example.org. 1 2 3 4 5\n" + strings.Repeat("a.example.com. 1 IN A 198.51.100.1 ; cf_tags=cf-proxied\n", 150)
	_, err := cloudflare.ConvertZone("export.txt", []byte(in), apex, cloudflare.ZoneOptions{})
	if errs := (zonefile.Errors)(nil); !errors.As(err, &errs) || len(errs) != 100 || errs[99].Line != 101 {
		t.Errorf("want a hundred errors, got %v", err)
	}
}

// Records reads a zone file as the server does.
func TestRecords(t *testing.T) {
	records, err := cloudflare.Records("db", []byte("example.com 3600 IN SOA ns dns 1 2 3 4 5 ; cf_tags=\"\n"+
		"            3600 IN NS  ns1\nwww 300 IN A 198.51.100.1\n  300 IN A 198.51.100.2 ; cf_tags=a,b:c\nexample.com 300 IN A 198.51.100.3\n"), apex)
	if err != nil {
		t.Fatal(err)
	}
	var owners []string
	for _, r := range records {
		owners = append(owners, fmt.Sprint(r.Line, " ", r.Owner, r.Tags()))
	}
	want := "1 example.com.[], 2 example.com.[], 3 www.example.com.[], 4 www.example.com.[{a } {b c}], 5 example.com.example.com.[]"
	if got := strings.Join(owners, ", "); got != want {
		t.Errorf("want %s, got %s", want, got)
	}
	if _, err := cloudflare.Records("db", []byte("www 300 IN A 198.51.100\n"), apex); err == nil || !strings.HasPrefix(err.Error(), "db:1:") {
		t.Errorf("want the place of the error, got %v", err)
	}
}

func TestParseSOA(t *testing.T) {
	for in, want := range map[string]string{
		"ns1.example.net host..example.net":                             "RNAME: label is empty",
		"ns1.example.net first.last@example.net":                        `ns1.example.net. first\.last.example.net. []`,
		"ns1.example.net. hostmaster.example.net. 2026010100 1 2 3 300": "ns1.example.net. hostmaster.example.net. [2026010100 1 2 3 300]",
		"ns1.example.net":                                           `write "MNAME RNAME"`,
		"ns1.example.net hostmaster.example.net 1":                  `write "MNAME RNAME"`,
		"ns1..example.net hostmaster.example.net":                   "MNAME: label is empty",
		"ns1.example.net hostmaster.example.net 1 2 3 4 4294967296": `"4294967296" is no number of an SOA: value out of range`,
		"ns1.example.net hostmaster.example.net 1 2 3 4 \x1b[2J":    `"\x1b[2J" is no number of an SOA: invalid syntax`,
	} {
		soa, err := cloudflare.ParseSOA(in)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(soa.Primary, " ", soa.Mailbox, " ", soa.Numbers)
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: want %s, got %s", in, want, got)
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
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".zone") || strings.HasPrefix(f.Name, "export.") {
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
			if strings.Contains(err.Error(), "would be lost") {
				t.Errorf("%q: %v", in, err)
			}
			return // Also where the library cannot read what it writes: nothing is made then.
		}
		before, err := zonefile.Parse("before", in, apex)
		if err != nil || strings.ContainsFunc(string(in), func(r rune) bool { return r >= 0x80 }) {
			return // An import reads more than a server, and other names.
		}
		after, err := zonefile.Parse("after", z.Text, apex)
		if err != nil {
			t.Fatalf("%v\n%s", err, z.Text)
		}
		for owner, o := range before.Owners {
			undotted := fqdn.Name(strings.TrimSuffix(string(owner), string(apex)))
			if o.Mark == zonefile.Proxied && after.Owners[owner].Mark != zonefile.Proxied && after.Owners[undotted].Mark != zonefile.Proxied {
				t.Errorf("%s is proxied before and %s after:\n%s", owner, after.Owners[owner].Mark, z.Text)
			}
		}
	})
}
