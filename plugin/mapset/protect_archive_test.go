package mapset_test

import (
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// The archives of testdata/protection hold reloads, a folder for each: the document in
// force (before.yaml), the one that is to replace it (after.yaml), the percentage of
// the Corefile's guard if it has one, and in the file "want" what an operator reads.
func TestP1_Archive(t *testing.T) { testProtection(t, "p01-can-delete") }
func TestP2_Archive(t *testing.T) { testProtection(t, "p02-can-modify-ips") }
func TestP3_Archive(t *testing.T) { testProtection(t, "p03-byoip-only") }
func TestP4_Archive(t *testing.T) { testProtection(t, "p04-guard") }
func TestP5_Archive(t *testing.T) { testProtection(t, "p05-nothing-left") }

// testProtection checks each reload of an archive, or with -update writes down what
// an operator reads.
func testProtection(t *testing.T, archive string) {
	t.Helper()
	file := filepath.Join("../../testdata/protection", archive+".txtar")
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reload := make(map[string]string) // :: name of the file within the folder → its content
	refused, accepted := 0, 0
	for i, f := range ar.Files {
		folder, name := path.Split(f.Name)
		reload[name] = string(f.Data)
		if name != "want" {
			continue
		}
		got := judged(t, reload)
		if got == "accepted\n" {
			accepted++
		} else {
			refused++
		}
		if *update {
			ar.Files[i].Data = []byte(got)
		} else if got != reload["want"] {
			t.Errorf("%s got:\n%s\nwant:\n%s", folder, got, reload["want"])
		}
		clear(reload)
	}
	if refused == 0 || accepted == 0 {
		t.Errorf("%s: %d reloads are refused and %d accepted, want one of each at least", archive, refused, accepted)
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// judged returns what an operator reads of a reload.
func judged(t *testing.T, reload map[string]string) string {
	t.Helper()
	var versions []*mapset.Snapshot
	for _, name := range []string{"before.yaml", "after.yaml"} {
		doc, errs := mapfile.Parse(name, []byte(reload[name]))
		snap, more := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
		if err := append(errs, more...).Err(); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, snap)
	}
	guard := 0
	if text, ok := reload["guard"]; ok {
		var err error
		if guard, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
			t.Fatal(err)
		}
	}
	if violations := mapset.Protect(versions[0], versions[1], guard); len(violations) > 0 {
		return mapset.Violations(violations).Error() + "\n"
	}
	return "accepted\n"
}
