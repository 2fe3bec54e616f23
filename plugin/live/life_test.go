package live_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/live"
	"github.com/addressmap/addressmap/plugin/mapset"
)

// version is a map that tells www.example.org this address.
func version(address string) string {
	return fmt.Sprintf("anycast: [%s]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www]}]}]\n", address)
}

const broken = "anycast: [192.0.2.300]\n"

func TestLife_Start(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	r.check("www.example.org.", "192.0.2.1", "example.org.", "")
	r.checkDegraded(live.OK, false)
	if l := r.last(); l.InForce != r.Snapshot() || len(l.SHA256) != 64 || len(r.results()) != 1 {
		t.Errorf("loads %+v, want one of what is in force", r.loads)
	}
	want := []string{"info: map.yaml in force, sha256 " + r.last().SHA256[:12] + "…: 1 accounts, 1 zones, 0 maps, 1 names, 1 addresses"}
	if got := r.logged("info"); !slices.Equal(got, want) {
		t.Errorf("log %q, want %q", got, want)
	}
}

// A map that is missing or refused fails the start with all that is wrong.
func TestLife_StartFails(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	if err := r.open("map.yaml", live.Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "map.yaml") {
		t.Errorf("missing: %v", err)
	}
	r.write("map.yaml", "version: 2\nanycast: [192.0.2.300]\naccounts: [{id: acme, zones: [{name: example.org, zone_file: db}]}]\n")
	err := r.open("map.yaml", live.Options{})
	if err == nil {
		t.Fatal("a broken map was opened")
	}
	for _, want := range []string{"map.yaml:1:10: V1: ", "map.yaml:2:11: V2: ", `map.yaml:3:62: zone_file of "example.org."`, "no such file", "remedy: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	r.do(os.Mkdir(r.path("maps"), 0o777))
	if err := r.open("maps", live.Options{}); err == nil || !strings.Contains(err.Error(), "put a *.yaml") {
		t.Errorf("an empty directory: %v", err)
	}
	r.write("maps/a.yaml", broken)
	r.write("maps/b.yaml", "nonsense: 1\n")
	if err := r.open("maps", live.Options{}); err == nil || !strings.Contains(err.Error(), "V2") || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a directory of broken documents: %v", err)
	}
	if len(r.loads) > 0 {
		t.Errorf("a failed start was reported as a load: %+v", r.loads)
	}
}

// However the file is written, its new content is in force.
func TestLife_EveryWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		write func(r *rig, text string)
	}{
		{"rename", func(r *rig, text string) { r.rename("map.yaml", text) }},
		{"in place", func(r *rig, text string) { r.write("map.yaml", text) }},
		{"in several writes", func(r *rig, text string) {
			f, err := os.Create(r.path("map.yaml"))
			r.do(err)
			for part := range slices.Chunk([]byte(text), 20) {
				_, err := f.Write(part)
				r.do(err)
			}
			r.do(f.Close())
		}},
		{"delete and create", func(r *rig, text string) {
			r.remove("map.yaml")
			r.write("map.yaml", text)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
			heldUp := false
			for _, address := range []string{"192.0.2.2", "192.0.2.3"} {
				begin := time.Now()
				c.write(r, version(address))
				heldUp = heldUp || time.Since(begin) > 400*time.Millisecond
				r.untilTold("www.example.org.", address)
			}
			r.until("that is told", func() bool { return r.last().InForce == r.Snapshot() })
			r.checkDegraded(live.OK, false)
			if errs := r.logged("error"); len(errs) > 0 && !heldUp { // Else the map was missing for that long.
				t.Errorf("log %q", errs)
			}
		})
	}
}

// A directory above the file is a link that is swapped, as Kubernetes does it.
func TestLife_LinkSwapped(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, dir: t.TempDir()}
	r.write("v1/map.yaml", version("192.0.2.1"))
	r.write("v2/map.yaml", version("192.0.2.2"))
	r.do(os.Symlink("v1", r.path("..data")))
	r.do(os.Symlink("..data/map.yaml", r.path("map.yaml")))
	r.do(r.open("map.yaml", live.Options{}))
	r.check("www.example.org.", "192.0.2.1")
	r.do(os.Symlink("v2", r.path("..data_tmp")))
	r.do(os.Rename(r.path("..data_tmp"), r.path("..data")))
	r.remove("v1")
	r.untilTold("www.example.org.", "192.0.2.2")
}

// A broken edit leaves the last good version in force and is logged once for each
// version, with every error.
func TestLife_BrokenEdit(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	good := r.Snapshot()
	r.rename("map.yaml", broken+"version: 2\n")
	r.untilLoads(2)
	r.checkDegraded(live.Refused, true)
	if r.Snapshot() != good || r.last().InForce != good {
		t.Error("the last good version is no longer in force")
	}
	const want = `error: map.yaml is refused, its last good version stays in force: map.yaml:1:11: V2: "192.0.2.300" is no IP address
    anycast: [192.0.2.300]
              ^
  remedy: write an IPv4 or IPv6 address
map.yaml:2:10: V1: unknown version 2
    version: 2
             ^
  remedy: write 1, without quotes, or leave the key out
see docs/rules.md#v2, #v1`
	if got := r.logged("error"); !slices.Equal(got, []string{want}) {
		t.Errorf("log\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	// The same once more, and then what is in force: neither is news.
	r.rename("map.yaml", broken+"version: 2\n")
	r.untilLoads(3)
	r.checkDegraded(live.Unchanged, true)
	r.rename("map.yaml", version("192.0.2.1"))
	r.untilLoads(4)
	r.checkDegraded(live.Unchanged, false)
	if r.Snapshot() != good || len(r.logged("error")) != 1 || len(r.logged("info")) != 2 { // the start, and that it is as on disk again
		t.Errorf("log %q", r.lines)
	}
	r.rename("map.yaml", broken)
	r.untilLoads(5)
	r.rename("map.yaml", version("192.0.2.2"))
	r.untilTold("www.example.org.", "192.0.2.2")
	if got := r.logged("error"); len(got) != 2 || r.results()[4] != live.Refused {
		t.Errorf("log %q, results %q", got, r.results())
	}
}

// Each version that is refused is logged, though it be for the same reason.
func TestLife_BrokenEachVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	for i := range 3 {
		r.rename("map.yaml", broken+strings.Repeat("# again\n", i))
		r.untilLoads(2 + i)
	}
	if got := r.logged("error"); len(got) != 3 {
		t.Errorf("log %q, want a line for each of three versions", got)
	}
}

func TestLife_NotYAML(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	for i, text := range []string{"anycast: [192", "", "\xff", `{"result": []}`} {
		r.rename("map.yaml", text)
		r.untilLoads(2 + i)
		r.checkDegraded(live.Refused, true)
		r.check("www.example.org.", "192.0.2.1")
	}
}

// Content that is byte for byte the same is no reload.
func TestLife_Unchanged(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	before := r.Snapshot()
	r.rename("map.yaml", version("192.0.2.1"))
	r.untilLoads(2)
	r.checkDegraded(live.Unchanged, false)
	if r.Snapshot() != before || len(r.logged("info")) != 1 {
		t.Errorf("reloaded; log %q", r.lines)
	}
}

// A file that is gone leaves what is in force, and shows; back again, it is read.
func TestLife_Missing(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	r.remove("map.yaml")
	r.untilLoads(2)
	r.checkDegraded(live.Failed, true)
	r.check("www.example.org.", "192.0.2.1")
	if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], "map.yaml is not loaded, its last good version stays in force: the map is missing") {
		t.Errorf("log %q", got)
	}
	r.write("map.yaml", version("192.0.2.1"))
	r.untilLoads(3)
	r.checkDegraded(live.Unchanged, false)
	r.remove("map.yaml")
	r.untilLoads(4)
	r.write("map.yaml", version("192.0.2.2"))
	r.untilTold("www.example.org.", "192.0.2.2")
}

// A directory, or what nobody may read, in the place of the file.
func TestLife_NoFile(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	r.remove("map.yaml")
	r.do(os.Mkdir(r.path("map.yaml"), 0o777))
	r.until("that is refused", func() bool {
		return slices.ContainsFunc(r.logged("error"), func(l string) bool { return strings.Contains(l, "is a directory") })
	})
	r.check("www.example.org.", "192.0.2.1")
	if !r.last().Degraded {
		t.Error("not degraded")
	}
}

const withZoneFile = "anycast: [192.0.2.1]\naccounts: [{id: acme, zones: [{name: example.org, zone_file: zones/db.example.org}]}]\n"

func zoneText(marks ...string) string {
	text := "@ 3600 IN SOA ns. host. 1 2 3 4 5\n"
	for _, m := range marks {
		text += m + " 1 IN A 198.51.100.1 ; cf_tags=cf-proxied:true\n"
	}
	return text
}

// Zone files are watched as the map is. Their path is relative to the document.
func TestLife_ZoneFile(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": withZoneFile, "zones/db.example.org": zoneText("www")}, "map.yaml", live.Options{})
	r.check("www.example.org.", "192.0.2.1", "api.example.org.", "")
	sum := r.last().SHA256
	r.rename("zones/db.example.org", zoneText("www", "api"))
	r.untilTold("api.example.org.", "192.0.2.1")
	r.untilLoads(2)
	if r.last().SHA256 != sum {
		t.Error("the digest is that of the document, which has not changed")
	}
	r.rename("zones/db.example.org", zoneText("www")+"api 1 IN A 198.51.100.1 ; cf_tags=cf-proxied:perhaps\n")
	r.untilLoads(3)
	r.checkDegraded(live.Refused, true)
	r.check("api.example.org.", "192.0.2.1")
	if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], "db.example.org:3:") || !strings.Contains(got[0], "map.yaml:2:") {
		t.Errorf("log %q, want the places in both files", got)
	}
	r.remove("zones/db.example.org")
	r.untilLoads(4)
	r.checkDegraded(live.Refused, true)
	r.check("api.example.org.", "192.0.2.1")
	r.write("zones/db.example.org", zoneText("api"))
	r.until("www is no longer marked", func() bool { return r.told("www.example.org.") == "" })
	r.until("that is reported", func() bool { return !r.last().Degraded })
	r.rename("zones/db.example.org", zoneText("api")+"; a comment\n")
	r.until("the other bytes are in force", func() bool { l := r.last(); return l.Result == live.OK && l.InForce == r.Snapshot() })
}

// A version is in force with the zone files that it names, those of the next one
// are read when it comes.
func TestLife_OtherZoneFile(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": withZoneFile, "zones/db.example.org": zoneText("www")}, "map.yaml", live.Options{})
	r.rename("map.yaml", strings.Replace(withZoneFile, "zones/db.example.org", "db2", 1))
	r.untilLoads(2)
	r.checkDegraded(live.Refused, true)
	r.check("www.example.org.", "192.0.2.1")
	r.write("db2", zoneText("api"))
	r.untilTold("api.example.org.", "192.0.2.1")
	r.check("www.example.org.", "")
}

// Log lines say what changed, and warn of what is new only.
func TestLife_Log(t *testing.T) {
	t.Parallel()
	const first = "anycast: [192.0.2.1]\naccounts: [{id: acme, zones: [{name: example.org, proxied: [www]}, {name: example.net}]}]\n"
	r := newRig(t, map[string]string{"map.yaml": first}, "map.yaml", live.Options{})
	r.rename("map.yaml", strings.Replace(first, "{name: example.net}", "{name: example.net}, {name: example.com}", 1))
	r.untilLoads(2)
	sum := r.last().SHA256
	if want := "info: map.yaml in force, sha256 " + sum[:12] + "…: accounts: 1 changed; zones: 1 added"; r.logged("info")[1] != want {
		t.Errorf("log %q, want %q", r.logged("info")[1], want)
	}
	want := []string{`warning: map.yaml:2:75: zone "example.net." has no proxied names`, `warning: map.yaml:2:96: zone "example.com." has no proxied names`}
	if got := r.logged("warning"); !slices.Equal(got, want) {
		t.Errorf("log %q, want %q", got, want)
	}
	if got := r.last().Changed; len(got) != 0 {
		t.Errorf("changed zones %q: none is answered otherwise", got)
	}
	r.rename("map.yaml", strings.Replace(first, "192.0.2.1", "192.0.2.2", 1))
	r.untilLoads(3)
	if got := r.last().Changed; len(got) != 1 || got[0] != "example.org." {
		t.Errorf("changed zones %q, want example.org", got)
	}
}

// What nobody meant to warn of a thousand times does not fill the log.
func TestLife_ManyWarnings(t *testing.T) {
	t.Parallel()
	text := "accounts:\n  - id: acme\n    zones:\n"
	for i := range 500 {
		text += fmt.Sprintf("      - {name: zone%d.example}\n", i)
	}
	r := newRig(t, map[string]string{"map.yaml": text}, "map.yaml", live.Options{})
	got := r.logged("warning")
	if len(got) != 21 || !strings.Contains(got[20], "500 in all") {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

// A snapshot stays what it was for whoever took it.
func TestLife_SnapshotTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{})
	before := r.Snapshot()
	r.rename("map.yaml", version("192.0.2.2"))
	r.untilTold("www.example.org.", "192.0.2.2")
	if got := before.Lookup("www.example.org.").Addrs(mapset.IPv4)[0].String(); got != "192.0.2.1" {
		t.Errorf("a snapshot changed in the hand: %s", got)
	}
}

func TestP4_Guard(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": version("192.0.2.1")}, "map.yaml", live.Options{Guard: 10})
	r.rename("map.yaml", strings.Replace(version("192.0.2.1"), "[www]", "[api]", 1))
	r.untilLoads(2)
	r.checkDegraded(live.Refused, true)
	if got := r.logged("error"); len(got) != 1 || !strings.Contains(got[0], "P4: 1 of 1 proxied names in force would go at once, more than 10 %") || !strings.HasSuffix(got[0], "\nsee docs/rules.md#p4") {
		t.Errorf("log %q", got)
	}
}
