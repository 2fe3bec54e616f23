package test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/cloudflare"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
	"github.com/addressmap/addressmap/test/server"
)

// What "import zone" makes of an export is served as Cloudflare served the zone: proxied
// names with the addresses of the map, every other record as it is.
func TestImportZone_IsServed(t *testing.T) {
	files, err := filepath.Glob("../plugin/cloudflare/testdata/export/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("want the archives of exports, got %q, %v", files, err)
	}
	for _, path := range files {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { testServed(t, string(a.Comment), a.Files[1].Data) })
	}
}

// mapped is the address of the map.
const mapped = "203.0.113.1"

func testServed(t *testing.T, options string, text []byte) {
	_, name, _ := strings.Cut(options, "--zone ")
	name, _, _ = strings.Cut(name, "\n")
	apex, err := fqdn.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	proxiedDefault := strings.Contains(options, "--proxied-default")
	s := server.Start(t, fmt.Sprintf("%s {\n    addressmap maps.yaml\n    file db\n}\n", apex), map[string]string{
		"db": string(text),
		"maps.yaml": fmt.Sprintf("anycast: [%s]\naccounts:\n- id: a\n  zones:\n  - {name: %q, zone_file: db, proxied_default: %v}\n",
			mapped, apex, proxiedDefault),
	})
	marks, err := zonefile.Parse("db", text, apex)
	if err != nil {
		t.Fatal(err)
	}
	records, err := cloudflare.Records("db", text, apex)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		h, o := r.RR.Header(), marks.Owners[r.Owner]
		isAddress := o.Types&zonefile.Address != 0
		switch {
		case belowCut(marks, r.Owner):
		case isAddress && (o.Mark == zonefile.Proxied || o.Mark == zonefile.Unmarked && proxiedDefault):
			wantMapped(t, s, h.Name)
		case o.Types&zonefile.CNAME == 0 || h.Rrtype == dns.TypeCNAME:
			wantRecord(t, s, r.RR)
		}
	}
}

// belowCut reports whether a name is at a zone cut or below one.
func belowCut(marks *zonefile.Zone, n fqdn.Name) bool {
	for n != marks.Apex {
		if marks.Owners[n].Types&zonefile.NS != 0 {
			return true
		}
		n, _ = n.Parent()
	}
	return false
}

// wantMapped fails the test unless a proxied name is answered with the map's address.
func wantMapped(t *testing.T, s *server.Server, name string) {
	t.Helper()
	name = strings.Replace(name, "*", "any", 1)
	m := s.Lookup(t, name, dns.TypeA)
	if len(m.Answer) != 1 || !strings.HasSuffix(m.Answer[0].String(), "\tA\t"+mapped) {
		t.Errorf("%s is proxied: want %s, got\n%v", name, mapped, m)
	}
}

// wantRecord fails the test unless a record is in the answer for its name and type.
func wantRecord(t *testing.T, s *server.Server, rr dns.RR) {
	t.Helper()
	want := dns.Copy(rr)
	want.Header().Name = strings.Replace(want.Header().Name, "*", "any", 1)
	m := s.Lookup(t, want.Header().Name, want.Header().Rrtype)
	if !slices.ContainsFunc(m.Answer, func(got dns.RR) bool { return strings.EqualFold(got.String(), want.String()) }) {
		t.Errorf("want the record\n%s\ngot\n%v", want, m)
	}
}
