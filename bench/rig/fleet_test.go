package rig_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/addressmap/addressmap/bench/rig"
	"github.com/addressmap/addressmap/plugin/fqdn"
	"github.com/addressmap/addressmap/plugin/mapfile"
	"github.com/addressmap/addressmap/plugin/mapset"
	"github.com/addressmap/addressmap/plugin/zonefile"
)

// fleets are a few shapes: many small zones, a big one, an account that is not
// full, and accounts beyond an octet's worth of addresses.
var fleets = []rig.Fleet{{Zones: 25, Hosts: 1}, {Zones: 1, Hosts: 300}, {Zones: 13, Hosts: 7}, {Zones: 3000, Hosts: 1}}

// build compiles a document as the plugin does.
func build(t *testing.T, name string, text []byte) *mapset.Snapshot {
	t.Helper()
	doc, errs := mapfile.Parse(name, text)
	if len(errs) > 0 {
		t.Fatalf("%s: %v\n%.1000s", name, errs, text)
	}
	snap, errs := mapset.Build([]mapset.Source{{Doc: doc}}, mapset.Options{})
	if len(errs) > 0 {
		t.Fatalf("%s: %v", name, errs)
	}
	return snap
}

// A map in either form is accepted and gives each name what Edge tells.
func TestFleet_Document(t *testing.T) {
	for _, f := range fleets {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
			d := f.Document(f.Proxied)
			for name, text := range map[string][]byte{"map.yaml": d.YAML(), "map.json": d.JSON()} {
				snap := build(t, name, text)
				if got := snap.Stats().ProxiedNames; got != f.Names() {
					t.Errorf("%s: want %d proxied names, got %d", name, f.Names(), got)
				}
				for zone := range f.Zones {
					answered(t, snap, f.Name(zone, f.Hosts-1), f.Edge(zone))
				}
			}
		})
	}
}

// A map of other names is of the same size, and has no host.
func TestFleet_Others(t *testing.T) {
	f := rig.Fleet{Zones: 13, Hosts: 7}
	snap := build(t, "map.yaml", f.Document(f.Others).YAML())
	if got := snap.Stats().ProxiedNames; got != f.Names() {
		t.Errorf("want %d proxied names, got %d", f.Names(), got)
	}
	if snap.Lookup(fqdn.Canonical(f.Name(3, 4))).Proxied() {
		t.Error("a host is proxied")
	}
}

// At each turn an account is answered with the addresses that EdgeAt tells, and
// not with those of the turn before.
func TestFleet_Turns(t *testing.T) {
	f := rig.Fleet{Zones: 25, Hosts: 2}
	for turn := range 4 {
		for account := range f.Accounts() {
			d := rig.Document{Accounts: []rig.Account{f.Account(account, turn, f.Proxied)}}
			snap := build(t, "map.yaml", d.YAML())
			first := f.FirstOf(account)
			for zone := first; zone < min(first+10, f.Zones); zone++ {
				answered(t, snap, f.Name(zone, 0), f.EdgeAt(zone, turn))
			}
			if slices.Equal(f.EdgeAt(first, turn).V4, f.EdgeAt(first, turn+1).V4) {
				t.Errorf("turn %d changes nothing", turn+1)
			}
		}
	}
}

// No two accounts share an address, at any turn.
func TestFleet_AddressesDiffer(t *testing.T) {
	f := rig.Fleet{Zones: 100_000, Hosts: 1}
	owner := make(map[string]int)
	for zone := 0; zone < f.Zones; zone += 5 { // the account's map, and that of its first zone
		for turn := range 2 {
			for _, ip := range append(f.EdgeAt(zone, turn).V4[:2:2], f.EdgeAt(zone, turn).V6...) {
				key := ip.String()
				if first, taken := owner[key]; taken && first != zone {
					t.Fatalf("zones %d and %d are both answered with %s", first, zone, key)
				}
				owner[key] = zone
			}
		}
	}
}

func answered(t *testing.T, snap *mapset.Snapshot, name string, want rig.Addresses) {
	t.Helper()
	d := snap.Lookup(fqdn.Canonical(name))
	for family, want := range map[mapset.Family][]netip.Addr{mapset.IPv4: want.V4, mapset.IPv6: want.V6} {
		if got := d.IPs(family); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: want %v, got %v", name, want, got)
		}
	}
}

// A zone file holds every host with both families, and the marks asked for.
func TestFleet_ZoneFile(t *testing.T) {
	f := rig.Fleet{Zones: 3, Hosts: 7}
	for comment, want := range map[string]zonefile.Mark{"": zonefile.Unmarked, "cf_tags=cf-proxied:true": zonefile.Proxied} {
		text := f.ZoneFile(2, f.Hidden, comment)
		zone, err := zonefile.Parse("db", text, fqdn.Canonical(f.Zone(2)))
		if err != nil {
			t.Fatal(err)
		}
		hosts := 0
		for name, owner := range zone.Owners {
			if !strings.HasPrefix(string(name), "h") {
				continue
			}
			hosts++
			if owner.Types != zonefile.A|zonefile.AAAA || owner.Mark != want {
				t.Errorf("%s: want A, AAAA and mark %v, got %+v", name, want, owner)
			}
		}
		if hosts != f.Hosts {
			t.Errorf("want %d hosts, got %d", f.Hosts, hosts)
		}
	}
}

func TestFleet_HostsFile(t *testing.T) {
	f := rig.Fleet{Zones: 2, Hosts: 3}
	lines := strings.Split(strings.TrimSpace(string(f.HostsFile(1))), "\n")
	if len(lines) != 3*4 || lines[11] != f.Edge(1).V6[1].String()+" "+f.Name(1, 2) {
		t.Errorf("want four addresses a host, the last the second IPv6 one, got %q", lines)
	}
}

// The lists of questions are the same each time, of the length asked for, about
// both families, and only Random repeats itself.
func TestFleet_Questions(t *testing.T) {
	f := rig.Fleet{Zones: 20, Hosts: 5}
	for _, tc := range []struct {
		name  string
		list  func() []byte
		lines int
		words int // of a line that may not come twice; 0 for none
	}{
		{"random", func() []byte { return f.Random(1000) }, 1000, 0},
		{"once", func() []byte { return f.Once(1000) }, 100, 1},
		{"the first of once", func() []byte { return f.Once(40) }, 40, 1},
		{"all", f.All, 200, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := tc.list()
			if !bytes.Equal(text, tc.list()) {
				t.Error("the second time it is another list")
			}
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			if len(lines) != tc.lines {
				t.Errorf("want %d lines, got %d", tc.lines, len(lines))
			}
			types, seen := make(map[string]int), make(map[string]bool)
			for _, line := range lines {
				words := strings.Fields(line)
				types[words[1]]++
				key := strings.Join(words[:tc.words], " ")
				if tc.words > 0 && seen[key] {
					t.Errorf("%q comes twice", key)
				}
				seen[key] = true
			}
			if len(types) != 2 || types["A"] < tc.lines/3 || types["AAAA"] < tc.lines/3 {
				t.Errorf("want A and AAAA mixed, got %v", types)
			}
		})
	}
}
