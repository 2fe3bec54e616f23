package acceptance

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/tools/txtar"
)

// What the names of the export are answered with where the record is not
// answered as it stands: proxied ones, and an alias that Cloudflare flattens.
var importedAnswers = map[string][]string{
	"example.com CNAME":         nil,
	"auth.example.com A":        {mapped4},
	"tags.example.com A":        {mapped4},
	"x.dev.example.com A":       {mapped4},
	"www.example.com CNAME":     nil,
	"shop.example.com CNAME":    nil,
	"flat.example.com CNAME":    nil,
	"example.com A":             {mapped4},
	"example.com AAAA":          {mapped6},
	"www.example.com A":         {mapped4},
	"shop.example.com AAAA":     {mapped6},
	"flat.example.com A":        {"198.51.100.21"},
	"flat.example.com AAAA":     {"2001:db8:ffff::21"},
	"auth.example.com AAAA":     {mapped6},
	"nothing.example.com A":     nil,
	"direct.example.com TXT":    nil,
	"x.y.z.dev.example.com TXT": nil,
}

const mapped4, mapped6 = "203.0.113.10", "2001:db8:100::10"

// A zone as Cloudflare exports it is imported and served, and every name of it
// asked for: what the export says is answered, and no origin of a proxied name.
func TestImportZone_Served(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	export, zone, report := importExport(t)
	t.Logf("the report of the import:\n%s", report)
	raw, err := os.ReadFile(filepath.Join(repository, "examples/cloudflare-export/example.com.txt"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, binary, "cloudflare-export", edit{"example.com.txt", string(raw), zone})

	questions := make(map[string][]string) // :: name and type → RDATA
	zp := dns.NewZoneParser(strings.NewReader(export), "example.com.", "")
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		name := strings.Replace(strings.TrimSuffix(rr.Header().Name, "."), "*", "x", 1)
		if rr.Header().Rrtype == dns.TypeSOA {
			name = "example.com"
		}
		q := name + " " + dns.TypeToString[rr.Header().Rrtype]
		questions[q] = append(questions[q], rdata(rr))
	}
	if err := zp.Err(); err != nil {
		t.Fatal(err)
	}
	for q, want := range importedAnswers {
		questions[q] = want
	}
	for q, want := range questions {
		r := s.ask(t, q)
		var got []string
		for _, line := range r.answer {
			rr, err := dns.NewRR(line)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if ttl := rr.Header().Ttl; ttl == 1 {
				t.Errorf("%s: TTL 1 is answered: %s", q, line)
			}
			got = append(got, rdata(rr))
		}
		slices.Sort(want)
		slices.Sort(got)
		t.Logf("%-30s %q", q, got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the export has %q, answered was %q", q, want, got)
		}
	}
}

// importExport runs the import of the export that the conversion is tested with.
func importExport(t *testing.T) (export, zone, report string) {
	t.Helper()
	tool, err := addressmap()
	if err != nil {
		t.Fatal(err)
	}
	a, err := txtar.ParseFile(filepath.Join(repository, "plugin/cloudflare/testdata/zone/export.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "example.com.txt")
	if err := os.WriteFile(path, a.Files[0].Data, 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	cmd := exec.Command(tool, "import", "zone", path, "--zone", "example.com")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	// One alias is flattened there, and nothing in the zone tells to which addresses.
	if status, ok := errors.AsType[*exec.ExitError](err); !ok || status.ExitCode() != 1 || !strings.Contains(errs.String(), "6 proxied names; 1 lost") {
		t.Fatalf("want status 1 and one loss, got %v\n%s", err, errs.String())
	}
	return string(a.Files[0].Data), out.String(), errs.String()
}

// rdata is what a record says, in the library's words.
func rdata(rr dns.RR) string {
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}
