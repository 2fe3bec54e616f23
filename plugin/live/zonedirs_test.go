package live_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/source"
)

// zonePlaces is a tree of zone files, in the directory of the documents and around.
func zonePlaces(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	for _, name := range []string{"maps/db", "maps/sub/db", "other/db", "other/sub/db", "mapsnot/db", "db"} {
		r.write(name, marks("a.example", "www", "mail"))
	}
	for link, to := range map[string]string{
		"maps/in": "sub/db", "maps/out": "../other/db", "maps/outdir": "../other", "maps/twice": "out", "maps/dangling": "none",
		"other/back": "../maps/db", "current": "maps", "maps/..data": "sub", "maps/self": "..data/db",
	} {
		r.do(os.Symlink(to, r.path(link)))
	}
	return r
}

// A zone file lies in or below the directory of the document that names it, or in or
// below one of zone_files, with links followed.
func TestV17_Places(t *testing.T) {
	t.Parallel()
	r := zonePlaces(t)
	for _, c := range []struct {
		document, file string
		zoneFiles      []string
		leads          string // outside; "" if it is read
	}{
		{"maps/m", "maps/db", nil, ""},
		{"maps/m", "maps/sub/db", nil, ""},
		{"maps/m", "maps/in", nil, ""},
		{"maps/m", "maps/self", nil, ""},
		{"maps/m", "other/back", nil, ""},
		{"maps/m", "current/db", nil, ""},
		{"current/m", "current/db", nil, ""},
		{"current/m", "maps/sub/db", nil, ""},
		{"maps/sub/m", "maps/db", nil, "maps/db"},
		{"maps/m", "db", nil, "db"},
		{"maps/m", "other/db", nil, "other/db"},
		{"maps/m", "mapsnot/db", nil, "mapsnot/db"},
		{"maps/m", "maps/out", nil, "other/db"},
		{"maps/m", "maps/outdir/sub/db", nil, "other/sub/db"},
		{"maps/m", "maps/twice", nil, "other/db"},
		{"maps/m", "maps/out", []string{"other"}, ""},
		{"maps/m", "other/sub/db", []string{"other"}, ""},
		{"maps/m", "other/sub/db", []string{"mapsnot", "maps/outdir"}, ""},
		{"maps/m", "other/db", []string{"other/sub"}, "other/db"},
		{"maps/m", "mapsnot/db", []string{"other", "none"}, "mapsnot/db"},
	} {
		var dirs []string
		for _, d := range c.zoneFiles {
			dirs = append(dirs, r.path(d))
		}
		opened := false
		_, err := live.NewZoneDirs(dirs).Read(r.path(c.document), r.path(c.file), func(path string, limit int64) ([]byte, error) {
			opened = true
			return source.Read(path, limit)
		})
		real, _ := filepath.EvalSymlinks(r.dir)
		want := fmt.Sprintf("leads to %q, neither in nor below %q", filepath.Join(real, c.leads), filepath.Dir(r.path(c.document)))
		switch {
		case c.leads == "" && (err != nil || !opened):
			t.Errorf("%s names %s, with %q: %v", c.document, c.file, c.zoneFiles, err)
		case c.leads != "" && (err == nil || opened || !strings.Contains(err.Error(), want)):
			t.Errorf("%s names %s, with %q: opened %t, %v, want %s", c.document, c.file, c.zoneFiles, opened, err, want)
		}
	}
	for _, missing := range []string{"maps/none", "none/db"} {
		if _, err := live.NewZoneDirs(nil).Read(r.path("maps/m"), r.path(missing), source.Read); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want that it is missing", missing, err)
		}
	}
}

// A swap of links during a load is no mistake: what is read is unsettled.
func TestV17_SwapUnderWay(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	for _, v := range []string{"v1", "v2"} {
		r.write(v+"/db", marks("a.example", "www", "mail"))
	}
	to := func(link, version string) {
		r.do(os.Symlink(version, r.path("new")))
		r.do(os.Rename(r.path("new"), r.path(link)))
	}
	to("maps", "v1")
	to("zones", "v1")
	read := func(dirs *live.ZoneDirs, file string, before func()) error {
		_, err := dirs.Read(r.path("maps/m"), r.path(file), func(path string, limit int64) ([]byte, error) {
			before()
			return source.Read(path, limit)
		})
		return err
	}
	dirs := live.NewZoneDirs([]string{r.path("zones")})
	if err := read(dirs, "maps/db", func() {}); err != nil {
		t.Error(err)
	}
	to("maps", "v2")
	if err := read(dirs, "maps/db", func() {}); !errors.Is(err, source.ErrUnsettled) {
		t.Errorf("after the directory of the document was swapped: %v", err)
	}
	if err := read(live.NewZoneDirs([]string{r.path("zones")}), "maps/db", func() { to("maps", "v1") }); !errors.Is(err, source.ErrUnsettled) {
		t.Errorf("when it was swapped before the file was opened: %v", err)
	}
	dirs = live.NewZoneDirs([]string{r.path("zones")})
	to("zones", "v2")
	if err := read(dirs, "zones/db", func() {}); !errors.Is(err, source.ErrUnsettled) {
		t.Errorf("after one of zone_files was swapped: %v", err)
	}
	r.remove("v2/db")
	if err := read(dirs, "v2/db", func() { r.write("v2/db", "") }); !errors.Is(err, source.ErrUnsettled) {
		t.Errorf("when it came before it was opened: %v", err)
	}
}

// A document that names a zone file elsewhere is refused with its place and the
// remedy, nothing of that file is told, and what was in force stays.
func TestV17_Refused(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("maps/map.yaml", zoned("a", "192.0.2.1", "db"))
	r.write("maps/db", marks("a.example", "www", "mail"))
	r.write("secret", "root:$6$SECRET:19000:0:99999:7:::\n")
	r.write("zones/db", marks("a.example", "mail", "www"))
	r.do(r.open("maps/map.yaml", live.Options{ZoneFiles: []string{r.path("zones")}}))
	for i, file := range []string{"../secret", r.path("secret"), "link"} {
		if file == "link" {
			r.do(os.Symlink("../secret", r.path("maps/link")))
		}
		r.rename("maps/map.yaml", zoned("a", "192.0.2.1", file))
		r.until("that is refused", func() bool { return len(r.logged("error")) == i+1 })
		got := r.logged("error")[i]
		for _, want := range []string{"map.yaml:4:42", `: V17: zone_file of "a.example." leads to "`, "^", "remedy: move the zone file there, or write its directory as zone_files in the Corefile", "\nsee docs/rules.md#v17"} {
			if !strings.Contains(got, want) {
				t.Errorf("log %q, want %q", got, want)
			}
		}
		if strings.Contains(got, "SECRET") || strings.Contains(got, "root") {
			t.Errorf("log %q tells of the file", got)
		}
		r.check("www.a.example.", "192.0.2.1")
	}
	r.rename("maps/map.yaml", zoned("a", "192.0.2.1", "../zones/db"))
	r.untilTold("mail.a.example.", "192.0.2.1")
	r.until("all is well", func() bool { return !r.last().Degraded })
	r.rename("zones/db", "root:$6$SECRET:19000:0:99999:7:::\n") // in a right place, and no zone file
	r.until("that is refused", func() bool { return len(r.logged("error")) == 4 })
	if got := r.logged("error")[3]; !strings.Contains(got, "zones/db:1:") || strings.Contains(got, "SECRET") || strings.Contains(got, "root") {
		t.Errorf("log %q, want the place and nothing of the line", got)
	}
}

// A link that comes to lead elsewhere is refused as well, and one that comes back is
// read, with no change to the document.
func TestV17_LinkLeadsElsewhere(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("map/map.yaml", zoned("a", "192.0.2.1", "db"))
	r.write("map/db1", marks("a.example", "www", "mail"))
	r.write("map/db2", marks("a.example", "mail", "www"))
	r.write("other/db", marks("a.example", "ftp", "www"))
	to := func(target string) {
		r.do(os.Symlink(target, r.path("map/new")))
		r.do(os.Rename(r.path("map/new"), r.path("map/db")))
	}
	to("db1")
	r.do(r.open("map/map.yaml", live.Options{}))
	r.check("www.a.example.", "192.0.2.1")
	to("../other/db")
	r.until("that is refused", func() bool { return len(r.logged("error")) == 1 })
	if got := r.logged("error")[0]; !strings.Contains(got, "V17: ") {
		t.Errorf("log %q", got)
	}
	r.check("www.a.example.", "192.0.2.1", "ftp.a.example.", "")
	to("db2")
	r.untilTold("mail.a.example.", "192.0.2.1")
	r.until("all is well", func() bool { return !r.last().Degraded })
}

// The volumes of Kubernetes are swapped again and again, document and zone file
// together: no swap is ever refused.
func TestV17_KubernetesSwaps(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	swap := func(n int) {
		v := fmt.Sprintf("maps/..v%d", n)
		r.write(v+"/map.yaml", zoned("a", fmt.Sprintf("192.0.2.%d", n), "db"))
		r.write(v+"/db", marks("a.example", "www", "mail"))
		r.do(os.Symlink(filepath.Base(v), r.path("maps/..new")))
		r.do(os.Rename(r.path("maps/..new"), r.path("maps/..data")))
		r.do(os.RemoveAll(r.path(fmt.Sprintf("maps/..v%d", n-1))))
	}
	swap(1)
	r.do(os.Symlink("..data/map.yaml", r.path("maps/map.yaml")))
	r.do(os.Symlink("..data/db", r.path("maps/db")))
	r.do(r.open("maps/map.yaml", live.Options{}))
	for n := 2; n < 40; n++ {
		swap(n)
		if n%5 == 0 {
			r.untilTold("www.a.example.", fmt.Sprintf("192.0.2.%d", n))
		}
	}
	r.untilTold("www.a.example.", "192.0.2.39")
	for _, line := range r.logged("error") {
		if strings.Contains(line, "V17") {
			t.Errorf("log %q", line)
		}
	}
}

// A new Corefile no longer permits where a zone file lies: the version in force stays, and it
// shows that the next start would refuse it. A later edit does not come into force either, with
// the zone file as it was read before.
func TestV17_PermittedNoMore(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("zones/a", marks("a.example", "www", "mail"))
	r.write("maps/a.yaml", zoned("a", "192.0.2.1", "../zones/a"))
	permitted := live.Rules{ZoneFiles: []string{r.path("zones")}}
	r.do(r.open("maps", live.Options{ZoneFiles: permitted.ZoneFiles}))
	r.Govern(live.Rules{})
	r.until("it is refused", func() bool { return r.last().Degraded })
	if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], "V17: ") {
		t.Errorf("log %q", got)
	}
	r.rename("maps/a.yaml", zoned("a", "192.0.2.11", "../zones/a"))
	r.until("that is refused too", func() bool { return len(r.logged("error")) == 2 })
	r.check("www.a.example.", "192.0.2.1")
	r.Govern(permitted)
	r.untilTold("www.a.example.", "192.0.2.11")
	r.until("all is well", func() bool { return !r.last().Degraded })
}
