package rules

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/test/server"
)

// An operator sees the error with the file and its line, and the server does not
// start.
func TestCorefile_ErrorNamesItsLine(t *testing.T) {
	files := map[string]string{"maps.yaml": flatMap, "db.example.org": flatZone}
	for _, c := range []struct{ name, corefile, want string }{
		{"option", "example.org {\n    file db.example.org\n    addressmap maps.yaml {\n        ttl never\n    }\n}\n", `Corefile:4 - Error during parsing: ttl: "never" is no TTL`},
		{"twice", "example.org {\n    addressmap maps.yaml\n    file db.example.org\n    addressmap maps.yaml\n}\n", `Corefile:4 - Error during parsing: only one addressmap`},
		{"name of a zone", "example.org {\n    addressmap maps.yaml a..b\n}\n", `Corefile:2 - Error during parsing: "a..b" is no name of a zone`},
		{"no such map", "example.org {\n    addressmap none.yaml\n}\n", "none.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := server.TryStart(t, c.corefile, files)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "plugin/addressmap: ") {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// A map that is refused is told in full.
func TestCorefile_RefusedMap(t *testing.T) {
	_, err := server.TryStart(t, "example.org {\n    addressmap maps.yaml\n}\n", map[string]string{"maps.yaml": "anycast: [nonsense]\naccounts: [{id: a, zones: [{name: example.org, proxy: all}]}]\n"})
	if err == nil {
		t.Fatal("it is accepted")
	}
	for _, want := range []string{"maps.yaml:1:11", `"nonsense"`, "maps.yaml:2:", `"proxy"`, "proxied", "^"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want %s in:\n%v", want, err)
		}
	}
}

// A relative path is relative to the directory of the plugin root, as in file.
func TestCorefile_Root(t *testing.T) {
	c := server.Start(t, "example.org {\n    root sub\n    addressmap maps.yaml {\n        state kept\n    }\n    file db.example.org\n}\n",
		map[string]string{"sub/maps.yaml": flatMap, "sub/db.example.org": flatZone})
	if got := server.Printed(c.Lookup(t, "flat.example.org.", 1), nil); !strings.Contains(got, "192.0.2.1") {
		t.Error(got)
	}
	if kept, err := filepath.Glob("sub/kept/*"); err != nil || len(kept) == 0 {
		t.Errorf("want the state in sub/kept, got %v, %v", kept, err)
	}
}

// zone_files lets the map name zone files beside its own directory, relative to the
// directory of the plugin root as well. Without it, such a map is refused, and
// nothing of the file is told.
func TestV17_ZoneFilesOption(t *testing.T) {
	const corefile = "example.org {\n    root sub\n    addressmap maps/map.yaml {\n        reload 100ms\n        %s\n    }\n    file zones/db\n}\n"
	text := func(file string) string {
		return "anycast: [192.0.2.1]\naccounts: [{id: a, zones: [{name: example.org, zone_file: " + file + "}]}]\n"
	}
	files := map[string]string{
		"sub/maps/map.yaml": text("../zones/db"), "secret": "root:$6$SECRET:19000:0:99999:7:::\n",
		"sub/zones/db": "$ORIGIN example.org.\n@ 60 IN SOA ns h 1 7200 3600 1209600 300\nwww 60 IN A 10.66.0.1 ; cf_tags=cf-proxied:true\n",
	}
	c := server.Start(t, fmt.Sprintf(corefile, "zone_files ../more zones"), files)
	if got := server.Printed(c.Lookup(t, "www.example.org.", 1), nil); !strings.Contains(got, "192.0.2.1") {
		t.Error(got)
	}
	server.WriteFile(t, "sub/maps/map.yaml", text("../../secret"))
	server.Eventually(t, "that is refused", func() bool {
		return strings.Contains(c.Log.String(), `map.yaml:2:59: V17: zone_file of "example.org."`)
	})
	if got := c.Log.String(); strings.Contains(got, "SECRET") || strings.Contains(got, "root:") {
		t.Errorf("the log tells of the file: %s", got)
	}
	for _, option := range []string{"", "zone_files ../more maps"} {
		_, err := server.TryStart(t, fmt.Sprintf(corefile, option), files)
		if err == nil || !strings.Contains(err.Error(), `map.yaml:2:59: V17: zone_file of "example.org."`) {
			t.Errorf("with %q: %v", option, err)
		}
	}
}

// Several directives may stand in one Corefile, each in a block of its own.
func TestCorefile_SeveralBlocks(t *testing.T) {
	other := strings.ReplaceAll(strings.ReplaceAll(flatMap, "example.org", "example.net"), "192.0.2.1", "192.0.2.2")
	c := server.Start(t, "example.org {\n    addressmap maps.yaml\n    file db\n}\nexample.net {\n    addressmap other.yaml\n    file db\n}\n",
		map[string]string{"maps.yaml": flatMap, "other.yaml": other, "db": flatZone})
	for name, want := range map[string]string{"flat.example.org.": "192.0.2.1", "flat.example.net.": "192.0.2.2"} {
		if got := server.Printed(c.Lookup(t, name, 1), nil); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// An operator who forgets the braces gets no server, and learns why.
func TestCorefile_WrongZonesDoNotStart(t *testing.T) {
	files := map[string]string{"maps.yaml": flatMap, "db.example.org": flatZone}
	for zones, want := range map[string]string{
		"ttl 30":          `Corefile:2 - Error during parsing: "ttl" is an option`,
		"https":           `Corefile:2 - Error during parsing: "https" is an option`,
		"192.0.2.1":       `Corefile:2 - Error during parsing: "192.0.2.1" is an address`,
		"example.net":     `Corefile:2 - Error during parsing: "example.net" lies neither`,
		"*.example.org":   `Corefile:2 - Error during parsing: "*.example.org" is a wildcard`,
		"example.org ttl": `Corefile:2 - Error during parsing: "ttl" is an option`,
	} {
		t.Run(zones, func(t *testing.T) {
			_, err := server.TryStart(t, "example.org {\n    addressmap maps.yaml "+zones+"\n    file db.example.org\n}\n", files)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}
