package mapset_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// build compiles one document, which has to be good.
func build(t testing.TB, opt mapset.Options, yaml string) *mapset.Snapshot {
	t.Helper()
	snap, errs := mapset.Build([]mapset.Source{source(t, "map.yaml", yaml, nil)}, opt)
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	return snap
}

// source parses a document and the zone files that it names, by their names.
func source(t testing.TB, name, yaml string, files map[string]string) mapset.Source {
	t.Helper()
	doc, errs := mapfile.Parse(name, []byte(yaml))
	if err := errs.Err(); err != nil {
		t.Fatal(err)
	}
	src := mapset.Source{Doc: doc, ZoneFiles: make(map[fqdn.Name]*zonefile.Zone)}
	for _, a := range doc.Accounts {
		for _, z := range a.Zones {
			if z.ZoneFile == "" {
				continue
			}
			zone, err := zonefile.Parse(z.ZoneFile, []byte(files[z.ZoneFile]), z.Name)
			if err != nil {
				t.Fatal(err)
			}
			src.ZoneFiles[z.Name] = zone
		}
	}
	return src
}

// shown is a decision as the tables write it: for each family the step, the
// address map if one answers, and the addresses, as in
// "zone m1 203.0.113.1, zone m1 nothing".
func shown(d mapset.Decision) string {
	if !d.Proxied() {
		return "unproxied"
	}
	var parts []string
	for _, f := range []mapset.Family{mapset.IPv4, mapset.IPv6} {
		words := []string{d.Step(f).String()}
		if d.Map(f) != "" {
			words = append(words, d.Map(f))
		}
		if len(d.Addrs(f)) == 0 {
			words = append(words, "nothing")
		}
		for i, a := range d.Addrs(f) {
			words = append(words, a.String())
			if !d.IPs(f)[i].Equal(a.AsSlice()) {
				words = append(words, fmt.Sprintf("(but %s as RDATA)", d.IPs(f)[i]))
			}
		}
		parts = append(parts, strings.Join(words, " "))
	}
	return strings.Join(parts, ", ")
}
