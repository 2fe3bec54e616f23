package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/addressmap/addressmap"

// mayImport names, for every package of the repository, the packages of the repository
// that its non-test files may import. It is the order in which the data meets
// the packages: imports point to what comes earlier, never back. A package that
// is missing here is a mistake, so that a new one gets its place on purpose.
var mayImport = map[string][]string{
	"plugin/printable": {},
	"plugin/exposure":  {"plugin/fqdn", "plugin/mapfile", "plugin/mapset", "plugin/cloudflare"},

	"plugin/fqdn":     {},
	"plugin/source":   {},
	"plugin/nearest":  {},
	"plugin/mapfile":  {"plugin/fqdn", "plugin/nearest", "plugin/printable"},
	"plugin/zonefile": {"plugin/fqdn", "plugin/printable"},
	"plugin/drain":    {"plugin/mapfile"},
	"plugin/mapset":   {"plugin/fqdn", "plugin/mapfile", "plugin/zonefile", "plugin/drain"},
	"plugin/who":      {"plugin/fqdn", "plugin/mapfile", "plugin/mapset"},
	"plugin/answer":   {"plugin/fqdn", "plugin/mapset"},
	"plugin/presence": {"plugin/fqdn", "plugin/mapset", "plugin/answer"},
	"plugin/lane":     {"plugin/fqdn", "plugin/mapset", "plugin/answer"},
	"plugin/state":    {},
	"plugin/fleet":    {},

	"plugin/source/etcd": {"plugin/fleet", "plugin/source"},
	"plugin/push":        {"plugin/fleet", "plugin/fqdn", "plugin/mapfile", "plugin/zonefile", "plugin/mapset", "plugin/live", "plugin/source"},

	"plugin/live": {"plugin/fleet", "plugin/source/etcd", "plugin/fqdn", "plugin/source", "plugin/state", "plugin/mapfile", "plugin/zonefile", "plugin/drain", "plugin/mapset"},

	"plugin/cloudflare":       {"plugin/fqdn", "plugin/zonefile", "plugin/printable"},
	"plugin/cloudflare/fetch": {"plugin/cloudflare", "plugin/printable"},

	"plugin/mapedit":  {"plugin/fqdn", "plugin/mapfile", "plugin/printable", "plugin/drain"},
	"plugin/edge":     {"plugin/fqdn", "plugin/mapfile", "plugin/mapset", "plugin/cloudflare"},
	"":                {"plugin/nearest", "plugin/printable", "plugin/fqdn", "plugin/mapset", "plugin/presence", "plugin/answer", "plugin/lane", "plugin/fleet", "plugin/source/etcd", "plugin/live"},
	"cmd/coredns":     {""},
	"cmd/addressmap":  {"plugin/drain", "plugin/nearest", "plugin/exposure", "plugin/printable", "plugin/answer", "plugin/fqdn", "plugin/mapfile", "plugin/zonefile", "plugin/mapset", "plugin/fleet", "plugin/push", "plugin/live", "plugin/source", "plugin/cloudflare", "plugin/cloudflare/fetch", "plugin/mapedit", "plugin/edge", "plugin/who"},
	"bench/rig":       {},
	"bench/speed":     {"bench/rig", "test/ports"},
	"bench/size":      {"bench/rig", "test/ports"},
	"bench/fleet":     {"bench/rig", "plugin/fleet", "plugin/source/etcd", "plugin/push", "test/ports"},
	"tools/licences":  {},
	"tools/man":       {},
	"tools/mutate":    {},
	"tools/rules":     {},
	"test":            {},
	"test/ports":      {},
	"test/privilege":  {},
	"test/server":     {"test/ports"},
	"test/book":       {},
	"test/etcd":       {"test/ports"},
	"test/fleet":      {},
	"test/explain":    {},
	"test/fault":      {},
	"test/kubernetes": {},
	"test/lane":       {},
	"test/pages":      {},
	"test/property":   {},
	"test/rules":      {},
	"test/acceptance": {},
	"test/upgrades":   {},

	"packaging/image":      {},
	"packaging/kubernetes": {},

	"test/judge":          {},
	"test/judge/opt":      {},
	"test/judge/upstream": {},
	"test/judge/world":    {"test/judge", "test/judge/upstream"},
	"test/judge/run":      {"test/judge", "test/judge/upstream", "test/judge/world", "test/ports"},
}

// keptTo names the modules that only some packages may import: CoreDNS is
// spoken in the root alone, files are watched in one place.
var keptTo = map[string][]string{
	"github.com/coredns/":    {"", "plugin/lane", "cmd/coredns", "test/server", "test/judge/run", "test/judge/upstream"}, // the last two speak its gRPC
	"github.com/prometheus/": {""},
	"github.com/miekg/dns":   {"", "plugin/answer", "plugin/lane", "plugin/zonefile", "plugin/cloudflare", "plugin/edge", "plugin/exposure", "cmd/addressmap", "bench/rig", "bench/speed", "bench/size", "test/server", "test/judge", "test/judge/run", "test/judge/upstream", "test/judge/world"},
	"github.com/fsnotify/":   {"plugin/source"},
	"go.etcd.io/":            {"plugin/fleet", "plugin/source/etcd", "plugin/push", "test/etcd"},
	"github.com/hashicorp/":  {"plugin/cloudflare/fetch"},
	"net/http":               {"plugin/cloudflare/fetch", "cmd/addressmap", "bench/size", "bench/speed", "bench/fleet", "test/server", "test/judge/run"}, // the product asks nobody else
}

func TestImports_OneWay(t *testing.T) {
	for _, wrong := range wrongImports(packages(t)) {
		t.Error(wrong)
	}
}

func TestImports_CanFail(t *testing.T) {
	for _, tc := range []struct {
		name string
		pkg  pkg
		want string
	}{
		{"back", pkg{ImportPath: module + "/plugin/fqdn", Imports: []string{module + "/plugin/mapset"}},
			"plugin/fqdn may not import plugin/mapset"},
		{"the root", pkg{ImportPath: module + "/plugin/answer", Imports: []string{module}},
			"plugin/answer may not import the root package"},
		{"CoreDNS outside the root", pkg{ImportPath: module + "/plugin/live", Imports: []string{"github.com/coredns/coredns/plugin"}},
			"plugin/live may not import github.com/coredns/coredns/plugin"},
		{"a second watcher", pkg{ImportPath: module + "/plugin/live", Imports: []string{"github.com/fsnotify/fsnotify"}},
			"plugin/live may not import github.com/fsnotify/fsnotify"},
		{"unknown", pkg{ImportPath: module + "/plugin/util"}, "plugin/util has no place"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := wrongImports([]pkg{tc.pkg})
			if len(got) != 1 || !strings.Contains(got[0], tc.want) {
				t.Errorf("want one complaint with %q, got %q", tc.want, got)
			}
		})
	}
}

// wrongImports says what in the packages' imports goes against mayImport and
// keptTo.
func wrongImports(packages []pkg) []string {
	var wrong []string
	for _, p := range packages {
		room := p.room()
		allowed, known := mayImport[room]
		if !known {
			wrong = append(wrong, fmt.Sprintf("%s has no place in the table mayImport: give it one", title(room)))
			continue
		}
		for _, path := range p.Imports {
			if other, ours := roomOf(path); ours {
				if !slices.Contains(allowed, other) {
					wrong = append(wrong, fmt.Sprintf("%s may not import %s: imports go one way, see mayImport", title(room), title(other)))
				}
				continue
			}
			for prefix, rooms := range keptTo {
				if strings.HasPrefix(path, prefix) && !slices.Contains(rooms, room) {
					wrong = append(wrong, fmt.Sprintf("%s may not import %s: that is kept to %q", title(room), path, rooms))
				}
			}
		}
	}
	return wrong
}

// roomOf returns the folder of a package of this repository, "" for the root, and
// whether it is one.
func roomOf(path string) (room string, ours bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func title(room string) string {
	if room == "" {
		return "the root package"
	}
	return room
}
