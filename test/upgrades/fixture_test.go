package upgrades

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "github.com/addressmap/addressmap"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/test/server"
)

// What a version has written is a directory of testdata/upgrades that has its name:
//
//	files/      the directory of a server: Corefile and Corefile.etcd, maps, drains, zone files
//	state/      the state of that server, one directory for each map, called after the map
//	etcd        the keys of Corefile.etcd, a line each: key and value as Go quotes them
//	answers     a dialogue: what is answered by the files, by the state, and by the keys
//	serials     a dialogue: what is answered by the state
//	history     the pushes of the history in etcd
//
// Once the version is released, nothing there changes any more.
const kept = "../../testdata/upgrades"

const etcdMap = fleet.Map("/addressmap")

// mapPaths are the maps that the state of a version is of.
var mapPaths = []string{"maps", etcdMap.String()}

func TestMain(m *testing.M) {
	server.Setup("addressmap")
	flag.Parse()
	os.Exit(m.Run())
}

// versions returns the directories of all versions, absolute and in order.
func versions(t *testing.T) (out []string) {
	t.Helper()
	dirs, err := filepath.Glob(kept + "/v*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("nothing in %s: %v", kept, err)
	}
	for _, dir := range dirs {
		dir, err := filepath.Abs(dir)
		must(t, err)
		out = append(out, dir)
	}
	slices.SortFunc(out, func(a, b string) int { return slices.Compare(numbers(t, a), numbers(t, b)) })
	return out
}

// numbers returns those of a version such as v0.1.0.
func numbers(t *testing.T, dir string) (out []int) {
	t.Helper()
	for part := range strings.SplitSeq(filepath.Base(dir)[1:], ".") {
		n, err := strconv.Atoi(part)
		must(t, err)
		out = append(out, n)
	}
	return out
}

// eachVersion runs a test in the directory of a server of each version.
func eachVersion(t *testing.T, test func(t *testing.T, dir string)) {
	for _, dir := range versions(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			place(t, dir)
			test(t, dir)
		})
	}
}

// place makes the files of a version the working directory.
func place(t *testing.T, dir string) {
	t.Helper()
	t.Chdir(t.TempDir())
	must(t, os.CopyFS(".", os.DirFS(filepath.Join(dir, "files"))))
}

// placeState puts the state of a version below the working directory, for the maps as they
// are called there.
func placeState(t *testing.T, dir string) {
	t.Helper()
	for _, m := range mapPaths {
		must(t, os.CopyFS(stateOf(t, m), os.DirFS(filepath.Join(dir, "state", filepath.Base(m)))))
	}
}

// stateOf returns the directory of a map in the state, which is called after its path.
func stateOf(t *testing.T, path string) string {
	t.Helper()
	if !fleet.IsMap(path) {
		abs, err := filepath.Abs(path)
		must(t, err)
		path = abs
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join("state", filepath.Base(path)+"-"+hex.EncodeToString(sum[:8]))
}

// spoil gives documents, drains and the zone files that they name a text that is none.
func spoil(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{"maps/*", "drains/*"} {
		paths, err := filepath.Glob(pattern)
		must(t, err)
		for _, path := range paths {
			server.WriteFile(t, path, "{ none\n")
		}
	}
}

// hold holds the dialogues of a version. With rewrite, they become what is said.
func hold(t *testing.T, s *server.Server, dir string, rewrite bool, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		d := server.ParseDialogue(read(t, path))
		for i := range d {
			if d[i].Question == "" {
				continue
			}
			q, err := server.ParseQuestion(d[i].Question)
			must(t, err)
			m := s.Ask(t, q.Network, q.Msg)
			server.NoOriginData(t, m)
			switch got := server.Printed(m, nil); {
			case rewrite:
				d[i].Want = got
			case got != d[i].Want:
				t.Errorf("%s> %s\ngot:\n%s\nwant:\n%s", name, d[i].Question, got, d[i].Want)
			}
		}
		if rewrite {
			must(t, os.WriteFile(path, []byte(d.String()), 0o666))
		}
	}
	if t.Failed() {
		t.Log(s.Log)
	}
}

// files returns what is in a directory and below it, :: path → text.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out[path] = read(t, path)
		}
		return err
	}))
	return out
}

// sealed returns the text of a manifest with the checksum that it has to have.
func sealed(body string) string {
	return fmt.Sprintf("%ssha256 %x\n", body, sha256.Sum256([]byte(body)))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
