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
)

// The archives hold a zone each in the shape in which Cloudflare has exported it since
// 2016, with the options above it, and what becomes of it.
func TestConvertZone_ExportsSince2016(t *testing.T) {
	files, err := filepath.Glob("testdata/export/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("want ten archives or more, got %q, %v", files, err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil || len(a.Files) != 3 {
				t.Fatalf("want an export, a zone and its changes, got %d files, %v", len(a.Files), err)
			}
			zone, opt := exportOptions(t, string(a.Comment))
			in := a.Files[0].Data
			if strings.HasSuffix(a.Files[0].Name, ".crlf") {
				in = []byte("\ufeff" + strings.ReplaceAll(string(in), "\n", "\r\n"))
			}
			z, err := cloudflare.ConvertZone(a.Files[0].Name, in, zone, opt)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, &a.Files[1], string(z.Text))
			compare(t, &a.Files[2], listing(z.Changes)+fmt.Sprintf("%d records, %d proxied names\n", z.Records, z.Proxied))
			if *update {
				if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// exportOptions reads the options of an archive: a line each, the name before the value.
func exportOptions(t *testing.T, text string) (zone fqdn.Name, opt cloudflare.ZoneOptions) {
	t.Helper()
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		var err error
		switch name {
		case "--zone":
			zone, err = fqdn.Parse(value)
		case "--ns":
			var n fqdn.Name
			n, err = fqdn.Parse(value)
			opt.NameServers = append(opt.NameServers, n)
		case "--soa":
			opt.SOA, err = cloudflare.ParseSOA(value)
		case "--proxied-default":
			opt.ProxiedDefault = true
		}
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return zone, opt
}
