package mapset_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

var update = flag.Bool("update", false, "write what is said of the documents into the archives of testdata/mapset")

// archives holds sets of documents, a folder for each: documents, the zone files
// that they name, options of the Corefile, and in the file "want" what an
// operator is told of them.
const archives = "../../testdata/mapset"

func TestV1_OneMistake(t *testing.T)            { testArchive(t, "misspelled-keys") }
func TestV4_Once(t *testing.T)                  { testArchive(t, "v04-once") }
func TestV5_AddressSpace(t *testing.T)          { testArchive(t, "v05-space") }
func TestV6_Overlap(t *testing.T)               { testArchive(t, "v06-overlap") }
func TestV7_StaticOnTwoMaps(t *testing.T)       { testArchive(t, "v07-static") }
func TestV8_Members(t *testing.T)               { testArchive(t, "v08-members") }
func TestV9_TwoMaps(t *testing.T)               { testArchive(t, "v09-two-maps") }
func TestV10_NoAddress(t *testing.T)            { testArchive(t, "v10-empty-map") }
func TestV11_BYOIPOnly(t *testing.T)            { testArchive(t, "v11-byoip-only") }
func TestV14_ListAndZoneFile(t *testing.T)      { testArchive(t, "v14-zone-file") }
func TestV15_NoAddressAtAll(t *testing.T)       { testArchive(t, "v15-no-address") }
func TestWarnings(t *testing.T)                 { testArchive(t, "warnings") }
func TestFiveMistakes_OfBothKinds(t *testing.T) { testArchive(t, "five-mistakes") }

func TestGoodMaps(t *testing.T) {
	testArchive(t, "good")
	for _, c := range cases(t, "good") {
		if c.want != "accepted\n" {
			t.Errorf("%s is refused or warned of", c.name)
		}
	}
}

// Each rule's archive has sets of both kinds: violations, and near misses.
func TestArchivesAreComplete(t *testing.T) {
	files, err := filepath.Glob(archives + "/*.txtar")
	if err != nil || len(files) != 14 {
		t.Errorf("%d archives in %s, %v; want the 14 that the tests name", len(files), archives, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		rule, _, isRule := strings.Cut(name, "-")
		if !isRule || rule[0] != 'v' {
			continue
		}
		rule = "V" + strings.TrimLeft(rule[1:], "0") + ": "
		refused, accepted := 0, 0
		for _, c := range cases(t, name) {
			if strings.Contains(c.want, rule) {
				refused++
			}
			if strings.HasPrefix(c.want, "accepted\n") {
				accepted++
			}
		}
		if refused < 2 || accepted < 2 {
			t.Errorf("%s: %d sets violate %s and %d are accepted, want two of each at least", name, refused, rule, accepted)
		}
	}
}

// set is the documents of one folder of an archive.
type set struct {
	name  string
	docs  []txtar.File
	files map[string][]byte // zone files and options
	want  string
}

// cases reads an archive.
func cases(t testing.TB, archive string) []*set {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join(archives, archive+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*set
	for _, f := range ar.Files {
		dir, file := path.Split(f.Name)
		if len(out) == 0 || out[len(out)-1].name != path.Clean(dir) {
			out = append(out, &set{name: path.Clean(dir), files: make(map[string][]byte)})
		}
		c := out[len(out)-1]
		switch {
		case file == "want":
			c.want = string(f.Data)
		case path.Ext(file) == ".yaml":
			c.docs = append(c.docs, txtar.File{Name: file, Data: f.Data})
		default:
			c.files[file] = f.Data
		}
	}
	return out
}

func testArchive(t *testing.T, archive string) {
	t.Helper()
	all := cases(t, archive)
	if *update {
		writeArchive(t, archive, all)
		return
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			if got := c.told(t); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func writeArchive(t *testing.T, archive string, all []*set) {
	name := filepath.Join(archives, archive+".txtar")
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	out := txtar.Archive{Comment: ar.Comment}
	for i, f := range ar.Files {
		if path.Base(f.Name) != "want" {
			out.Files = append(out.Files, f)
		}
		if dir := path.Dir(f.Name); i+1 == len(ar.Files) || path.Dir(ar.Files[i+1].Name) != dir {
			told := all[0].told(t)
			all = all[1:]
			out.Files = append(out.Files, txtar.File{Name: dir + "/want", Data: []byte(told)})
		}
	}
	if err := os.WriteFile(name, txtar.Format(&out), 0o666); err != nil {
		t.Fatal(err)
	}
}

// told is what an operator is told of c: the errors of both packages in order,
// or that it is accepted, and with which warnings.
func (c *set) told(t testing.TB) string {
	t.Helper()
	sources, errs := c.sources(t)
	snap, more := mapset.Build(sources, c.options(t))
	if err := append(errs, more...).Err(); err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	b.WriteString("accepted\n")
	for _, w := range snap.Warnings() {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

// sources parses the documents and the zone files that they name.
func (c *set) sources(t testing.TB) ([]mapset.Source, mapfile.Errors) {
	t.Helper()
	var sources []mapset.Source
	var errs mapfile.Errors
	for _, f := range c.docs {
		doc, own := mapfile.Parse(f.Name, f.Data)
		if doc == nil {
			t.Fatalf("%s/%s: %v", c.name, f.Name, own)
		}
		errs = append(errs, own...)
		src := mapset.Source{Doc: doc, ZoneFiles: make(map[fqdn.Name]*zonefile.Zone)}
		for _, a := range doc.Accounts {
			for _, z := range a.Zones {
				if z.ZoneFile == "" {
					continue
				}
				zone, err := zonefile.Parse(z.ZoneFile, c.files[z.ZoneFile], z.Name)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				src.ZoneFiles[z.Name] = zone
			}
		}
		sources = append(sources, src)
	}
	return sources, errs
}

// options reads the lines that a Corefile would have.
func (c *set) options(t testing.TB) (opt mapset.Options) {
	t.Helper()
	for line := range bytes.Lines(c.files["options"]) {
		switch words := strings.Fields(string(line)); words[0] {
		case "anycast":
			for _, w := range words[1:] {
				opt.Anycast = append(opt.Anycast, netip.MustParseAddr(w))
			}
		case "missing_family":
			opt.PerFamily = words[1] == "next"
		case "site":
			opt.Site = words[1]
		default:
			t.Fatalf("%s: unknown option %q", c.name, words[0])
		}
	}
	return opt
}
