package zonefile_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// The archives hold pairs of a zone file of example.com and what is read of it:
// a line for each owner with its line, name, types and mark, or the errors.
const (
	archives = "../../testdata/zonefile"
	apex     = fqdn.Name("example.com.")
)

var update = flag.Bool("update", false, "write what is read into the archives")

func TestCFTags_Export(t *testing.T)            { testArchive(t, "export") }
func TestCFTags_Grammar(t *testing.T)           { testArchive(t, "grammar") }
func TestCFTags_BehindItsRecord(t *testing.T)   { testArchive(t, "place") }
func TestCFTags_OfTheOwnerName(t *testing.T)    { testArchive(t, "owner") }
func TestCFTags_SOAWithoutLastDot(t *testing.T) { testArchive(t, "soa") }
func TestCFTags_RefusedNotSkipped(t *testing.T) { testArchive(t, "refused") }

// An archive without a test above would hold nothing.
func TestArchivesAreTested(t *testing.T) {
	files, err := filepath.Glob(archives + "/*.txtar")
	if err != nil || len(files) != 6 {
		t.Errorf("%d archives in %s, %v; want the 6 that the tests name", len(files), archives, err)
	}
}

func testArchive(t *testing.T, name string) {
	path := filepath.Join(archives, name+".txtar")
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(a.Files); i += 2 {
		in, want := a.Files[i], &a.Files[i+1]
		name, ok := strings.CutSuffix(in.Name, ".zone")
		if !ok || want.Name != name+".want" {
			t.Fatalf("%s: after %s.zone comes %s, want %s.want", path, name, want.Name, name)
		}
		t.Run(name, func(t *testing.T) {
			z, err := zonefile.Parse("db.example.com", in.Data, apex)
			got := listing(z, err)
			if *update {
				want.Data = []byte(got)
			} else {
				compare(t, got, string(want.Data))
			}
		})
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// compare shows the first line in which a listing is not the one wanted.
func compare(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		line := func(lines []string) string {
			if i < len(lines) {
				return lines[i]
			}
			return "nothing more"
		}
		if line(g) != line(w) {
			t.Errorf("line %d of the listing:\n got %s\nwant %s", i+1, line(g), line(w))
			return
		}
	}
}

// listing prints what was read in the order of the file.
func listing(z *zonefile.Zone, err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	owners := slices.SortedFunc(maps.Keys(z.Owners), func(x, y fqdn.Name) int {
		return cmp.Or(cmp.Compare(z.Owners[x].Line, z.Owners[y].Line), cmp.Compare(x, y))
	})
	for _, name := range owners {
		o := z.Owners[name]
		fmt.Fprintf(&b, "%d %s %s %s\n", o.Line, name, types(o.Types), o.Mark)
	}
	for _, ns := range z.NameServers() {
		fmt.Fprintf(&b, "name server %s\n", ns)
	}
	for _, w := range z.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

func types(t zonefile.Types) string {
	var names []string
	for i, name := range []string{"A", "AAAA", "CNAME", "NS", "DNAME", "other"} {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// zones returns the zone files of all archives: the seeds of the fuzz target.
func zones(t testing.TB) [][]byte {
	files, err := filepath.Glob(archives + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var zones [][]byte
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".zone") {
				zones = append(zones, f.Data, bytes.TrimRight(f.Data, "\n"))
			}
		}
	}
	return zones
}
