package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exportedName says whether the cf_tags of an exported name make it proxied,
// and by which part of the convention.
type exportedName struct {
	name    string
	proxied bool
	because string
}

var exportedNames = []exportedName{
	{"example.com", true, "one of four A records is marked"},
	{"auth.example.com", true, "a mark after free text"},
	{"direct.example.com", false, "marked false"},
	{"untagged.example.com", false, "no mark, proxied_default is false"},
	{"tags.example.com", false, "other tags, one with the text of a mark in quotes"},
	{"last.example.com", true, "the last cf_tags= counts"},
	{"text.example.com", false, "an empty last cf_tags= means no tags"},
	{"case.example.com", true, "tag names in any case, values missing or empty"},
	{"off.example.com", false, "a comment on a line of its own is no mark"},
	{"www.dev.example.com", true, "a wildcard is marked"},
	{"six.example.com", true, "a mark on an AAAA record"},
	{"www.example.com", true, "a CNAME with a tag without value before the mark"},
	{"shop.example.com", true, "a CNAME out of the zone"},
	{"docs.example.com", false, "a CNAME marked false"},
	{"flat.example.com", false, "a CNAME with other tags"},
}

func TestCloudflareExport(t *testing.T) {
	needs(t, dnsutils)
	binary, err := coredns()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("as in the example", func(t *testing.T) {
		checkExport(t, serve(t, binary, "cloudflare-export"))
	})
	// What Cloudflare writes: the owner of the SOA record without its last dot.
	// The file plugin cannot read that, so it serves a mended copy.
	t.Run("SOA without the last dot", func(t *testing.T) {
		export, err := os.ReadFile(filepath.Join(repository, "examples/cloudflare-export/example.com.txt"))
		if err != nil {
			t.Fatal(err)
		}
		raw := filepath.Join(t.TempDir(), "raw.txt")
		dotless := strings.Replace(string(export), "example.com.\t3600\tIN\tSOA", "example.com\t3600\tIN\tSOA", 1)
		if dotless == string(export) {
			t.Fatal("want an SOA record to take the dot from")
		}
		if err := os.WriteFile(raw, []byte(dotless), 0o644); err != nil {
			t.Fatal(err)
		}
		checkExport(t, serve(t, binary, "cloudflare-export", edit{"maps.yaml", "zone_file: example.com.txt", "zone_file: " + raw},
			edit{"Corefile", "addressmap maps.yaml", "addressmap maps.yaml {\n        zone_files " + filepath.Dir(raw) + "\n    }"}))
	})
}

// checkExport compares what is answered with the table, and the table with the
// names of the export.
func checkExport(t *testing.T, s *server) {
	for _, tc := range exportedNames {
		t.Run(tc.name, func(t *testing.T) {
			a, aaaa := s.ask(t, tc.name+" A"), s.ask(t, tc.name+" AAAA")
			got := slices.Concat(a.answer, aaaa.answer)
			want := []string{tc.name + ". 300 IN A 203.0.113.10", tc.name + ". 300 IN AAAA 2001:db8:100::10"}
			t.Logf("%s: %q", tc.because, got)
			if tc.proxied != slices.Equal(got, want) {
				t.Errorf("want proxied %v because %s, got %q", tc.proxied, tc.because, got)
			}
			if tc.proxied && hidden.MatchString(a.all()+aaaa.all()) {
				t.Errorf("origin data left:\n%s\n%s", a.all(), aaaa.all())
			}
		})
	}

	export, err := os.ReadFile(filepath.Join(s.dir, "example.com.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^(\S+)\.\t\d+\tIN\t(?:A|AAAA|CNAME)\t`).FindAllStringSubmatch(string(export), -1) {
		name := strings.Replace(m[1], "*", "www", 1)
		if !slices.ContainsFunc(exportedNames, func(e exportedName) bool { return e.name == name }) {
			t.Errorf("want %s in the table", m[1])
		}
	}
}
