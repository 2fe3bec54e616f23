package live_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/live"
)

// zoned is a tenant of which the marks stand in a zone file.
func zoned(id, address, file string) string {
	return strings.Replace(tenant(id, address), "proxied: [www]", "zone_file: "+file, 1)
}

// marks is a zone file with a marked and an unmarked name.
func marks(zone, marked, other string) string {
	return fmt.Sprintf("$ORIGIN %s.\n@ 60 IN SOA ns h 1 7200 3600 1209600 60\n%s 60 IN A 198.51.100.1 ; cf_tags=cf-proxied:true\n%s 60 IN A 198.51.100.2 ; cf_tags=cf-proxied:false\n", zone, marked, other)
}

// A zone file in the directory of the documents is none of them, also when no
// document names it any more.
func TestLife_ZoneFileIsNoDocument(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{
		"maps/a.yaml": zoned("a", "192.0.2.1", "a.zone"), "maps/a.zone": marks("a.example", "www", "mail"),
		"maps/b.yaml": tenant("b", "192.0.2.2"),
	}, "maps", live.Options{})
	r.remove("maps/a.yaml")
	r.untilTold("www.a.example.", "")
	r.rename("maps/a.zone", marks("a.example", "mail", "www"))
	r.rename("maps/b.yaml", tenant("b", "192.0.2.22"))
	r.untilTold("www.b.example.", "192.0.2.22")
	r.until("that is reported", func() bool { return r.last().InForce == r.Snapshot() })
	if got := r.logged("error"); len(got) > 0 || r.last().Degraded {
		t.Errorf("log %q, degraded %t", got, r.last().Degraded)
	}
}

// A zone file that was not named for a while has the marks that it has now.
func TestLife_ZoneFileNamedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"map.yaml": zoned("a", "192.0.2.1", "zones/a"), "zones/a": marks("a.example", "www", "mail")}, "map.yaml", live.Options{})
	r.rename("map.yaml", tenant("a", "192.0.2.11"))
	r.untilTold("www.a.example.", "192.0.2.11")
	r.write("zones/a", marks("a.example", "mail", "www"))
	r.rename("map.yaml", zoned("a", "192.0.2.111", "zones/a"))
	r.untilTold("mail.a.example.", "192.0.2.111")
	r.check("www.a.example.", "")
}

// Another broken version of a zone file is said again, and so is what cannot be
// read, when it was something else in between.
func TestLife_SaidOfEachZoneFile(t *testing.T) {
	t.Parallel()
	bad := marks("a.example", "www", "mail") + "bad 60 IN A 198.51.100.300\n"
	r := newRig(t, map[string]string{"map.yaml": zoned("a", "192.0.2.1", "zones/a"), "zones/a": marks("a.example", "www", "mail")}, "map.yaml", live.Options{})
	said := 0
	says := func(what string) {
		t.Helper()
		said++
		r.until("it is said that "+what, func() bool {
			return len(r.logged("error")) == said && strings.Contains(r.logged("error")[said-1], what)
		})
	}
	r.rename("zones/a", bad)
	says("zone_file of")
	r.rename("zones/a", bad+"; another version\n")
	says("zone_file of")
	for range 2 {
		r.remove("map.yaml")
		says("the map is missing")
		r.do(os.Mkdir(r.path("map.yaml"), 0o777))
		says("is a directory")
	}
}
