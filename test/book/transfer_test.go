package book

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/test/server"
)

// What a transfer holds, zone by zone. Each archive of testdata/transfer starts a
// CoreDNS and transfers zones from it.
//
//	Corefile   absent: transfer to anybody, addressmap maps.yaml, file for each zone file
//	maps.yaml  the map
//	db.ZONE    zone files
//	signed     zones of which the zone file is signed before it is served
//	axfr ZONE  what the transfer holds, in order of the owners, but for the SOA
//	           at its end; or the rcode
//	log        texts that are logged, one a line, each exactly once
//
// Addresses and names tell what they are as in [book].
func TestR18_Content(t *testing.T) { transferBook(t, "r18-*.txtar") }

func TestR19_Content(t *testing.T) { transferBook(t, "r19-*.txtar") }

func transferBook(t *testing.T, pattern string) {
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "transfer", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archive %s: %v", pattern, err)
	}
	for _, path := range paths {
		path, err := filepath.Abs(path) // a server changes the working directory
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { transferArchive(t, path) })
	}
}

func transferArchive(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(archive.Comment)) == "" {
		t.Error("the archive does not say what it is about")
	}
	files := make(map[string]string)
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "axfr ") {
			files[f.Name] = string(f.Data)
		}
	}
	server.Place(t, files)
	for _, zone := range strings.Fields(files["signed"]) {
		server.SignFile(t, "db."+zone, zone)
	}
	corefile := files["Corefile"]
	if corefile == "" {
		corefile = strings.Replace(server.CorefileOf(files), "{\n", "{\n    transfer {\n        to *\n    }\n", 1)
	}
	c := server.Start(t, corefile, nil)
	asked := false
	for i, f := range archive.Files {
		zone, ok := strings.CutPrefix(f.Name, "axfr ")
		if !ok {
			continue
		}
		asked = true
		rrs, err := c.Transfer(zone)
		got := server.TransferText(t, rrs, err)
		if *update {
			archive.Files[i].Data = []byte(got)
		} else if want := string(f.Data); got != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", zone, got, want)
		}
		if !strings.Contains(corefile, "transfer origin") {
			server.NoOriginData(t, &dns.Msg{Question: []dns.Question{{Name: zone, Qtype: dns.TypeAXFR, Qclass: dns.ClassINET}}, Answer: rrs})
		}
	}
	if !asked {
		t.Error("the archive asks for no zone")
	}
	for want := range strings.Lines(files["log"]) {
		if lines := c.Log.Lines(strings.TrimSpace(want)); len(lines) != 1 {
			t.Errorf("want once in the log: %sgot %q of\n%s", want, lines, c.Log)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
