package live_test

import (
	"flag"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/addressmap/addressmap/plugin/live"
)

var update = flag.Bool("update", false, "write what is said of the maps into the archive of testdata/place")

// The archive holds a folder for each map: the document maps/map.yaml, the zone file
// that it names, the directories of the Corefile's option zone_files if it has any,
// and in the file "want" what an operator reads. /etc/coredns is the folder there.
func TestV17_Archive(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "testdata", "place", "v17-zone-file.txtar")
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: t.TempDir()}
	for i, f := range ar.Files {
		folder, name := path.Split(f.Name)
		if name != "want" {
			r.write(f.Name, string(f.Data))
			continue
		}
		if got := r.printed(folder); *update {
			ar.Files[i].Data = []byte(got)
		} else if got != string(f.Data) {
			t.Errorf("%s got:\n%s\nwant:\n%s", folder, got, f.Data)
		}
	}
	if *update {
		r.do(os.WriteFile(file, txtar.Format(ar), 0o666))
	}
}

// printed returns what an operator reads of the map in a folder.
func (r *rig) printed(folder string) string {
	r.t.Helper()
	opt := live.Options{Path: r.path(folder + "maps/map.yaml")}
	if dir, err := os.ReadFile(r.path(folder + "zone_files")); err == nil {
		opt.ZoneFiles = []string{r.path(folder + strings.TrimSpace(string(dir)))}
	}
	checked, err := live.Check(opt)
	r.do(err)
	if len(checked.Problems) == 0 {
		return "accepted\n"
	}
	var b strings.Builder
	for _, p := range checked.Problems {
		b.WriteString(strings.ReplaceAll(p.Err.Error(), strings.TrimSuffix(r.path(folder), "/"), "/etc/coredns") + "\n")
	}
	return b.String()
}
